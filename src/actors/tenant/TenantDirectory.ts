import { Context, Effect, FiberMap, Layer, Queue } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { actorRestart } from "../retries/RetryPolicies.ts"
import { runTenantActor } from "./TenantActor.ts"
import type { TenantMessage } from "./TenantProtocol.ts"

/**
 * Finds or starts a tenant's actor, and supervises it. An actor that dies of a defect is restarted with backoff and keeps its
 * mailbox; an idle actor is stopped and forgotten.
 */
export class TenantDirectory extends Context.Service<
  TenantDirectory,
  {
    /** Puts the message into the tenant's mailbox. Waits while the mailbox is full. */
    readonly tell: (tenant: TenantId, message: TenantMessage) => Effect.Effect<void>
    /** Tenants whose actor is alive. */
    readonly active: Effect.Effect<number>
    /** Messages in all mailboxes. */
    readonly waiting: Effect.Effect<number>
  }
>()("sluice/actors/tenant/TenantDirectory") {
  static readonly layer = Layer.effect(
    TenantDirectory,
    Effect.gen(function* () {
      const { mailboxCapacity } = yield* EngineConfig
      const mailboxes = new Map<TenantId, Queue.Queue<TenantMessage>>()
      let closed = false
      // Runs after the actors have ended: releases the senders that still wait for room in a mailbox.
      yield* Effect.addFinalizer(() =>
        Effect.suspend(() => {
          closed = true
          return Effect.forEach(mailboxes.values(), Queue.shutdown, { discard: true })
        })
      )
      const actors = yield* FiberMap.make<TenantId>()
      // An actor is not a child of the fiber that wakes it first, so it inherits neither its trace nor its log annotations.
      const fork = yield* FiberMap.runtime(actors)<Effect.Services<ReturnType<typeof runTenantActor>>>()

      const start = (tenant: TenantId, mailbox: Queue.Queue<TenantMessage>) => {
        const mayEnd = () => Queue.sizeUnsafe(mailbox) === 0 && mailboxes.delete(tenant)
        const actor = runTenantActor(tenant, mailbox, mayEnd).pipe(
          Effect.tapCause((cause) => Effect.logError("tenant actor died", cause)),
          Effect.sandbox,
          Effect.retry(actorRestart),
          Effect.annotateLogs({ "tenant.id": tenant })
        )
        fork(tenant, actor)
      }

      const tell = Effect.fnUntraced(function* (tenant: TenantId, message: TenantMessage) {
        for (let delivered = false; !delivered && !closed;) {
          // Made before the lookup that decides, so that nothing runs between that lookup and the start.
          const fresh = mailboxes.has(tenant) ? undefined : yield* Queue.bounded<TenantMessage>(mailboxCapacity)
          const mailbox = mailboxes.get(tenant) ?? fresh
          if (mailbox === undefined) continue
          if (mailbox === fresh) {
            mailboxes.set(tenant, mailbox)
            start(tenant, mailbox)
          }
          yield* Queue.offer(mailbox, message)
          // The actor may have ended as idle just before the message came in. Then the message goes to the next actor.
          delivered = mailboxes.get(tenant) === mailbox
        }
      })

      const waiting = Effect.sync(() => {
        let messages = 0
        for (const mailbox of mailboxes.values()) messages += Queue.sizeUnsafe(mailbox)
        return messages
      })

      return TenantDirectory.of({ tell, active: FiberMap.size(actors), waiting })
    })
  )
}
