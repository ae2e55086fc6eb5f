import { Effect, Option, Queue } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import { makeSlots } from "./Slots.ts"
import { TenantMessage } from "./TenantProtocol.ts"

/**
 * The actor of one tenant: one message at a time, none of which blocks it. Its documents run in slots (`Slots.ts`).
 *
 * It begins with a query for work, so after a restart it needs no message. It ends when it has been idle for the configured
 * time. When it is stopped, it interrupts its documents and waits for them.
 */
export const runTenantActor = Effect.fnUntraced(function* (
  tenant: TenantId,
  mailbox: Queue.Dequeue<TenantMessage>,
  /** Asks whether the idle actor may end; false if a message has come in meanwhile. */
  mayEnd: () => boolean
) {
  const { tenantIdle } = yield* EngineConfig
  const registry = yield* TenantRegistry
  const slots = yield* makeSlots(tenant, yield* registry.limits(tenant))

  const handle = TenantMessage.match({
    Wake: () => registry.limits(tenant).pipe(Effect.flatMap(slots.setLimits), Effect.andThen(slots.wake)),
    Stop: ({ documentId, attempt }) => slots.stop(documentId, attempt)
  })

  const handleAll = Effect.gen(function* () {
    for (;;) {
      const waiting = yield* Effect.timeoutOption(Queue.peek(mailbox), tenantIdle)
      if (Option.isSome(waiting)) yield* Effect.flatMap(Queue.take(mailbox), handle)
      else if ((yield* slots.isIdle) && mayEnd()) return
    }
  })

  yield* slots.wake
  // A defect in a slot ends the actor too.
  yield* Effect.raceFirst(handleAll, slots.failed)
}, Effect.scoped)
