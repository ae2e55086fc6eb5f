/**
 * One tenant's actor as an entity of the cluster. The runner that has the tenant's shard starts it at the first message, and stops it
 * when the shard goes to another runner: documents that run are then interrupted and given back.
 *
 * A runner that died, or lost its locks while it was frozen, gave nothing back. So an actor that starts takes over all running
 * documents of its tenant, without waiting for leases: only the holder of the shard starts actors of the tenant, and whatever an
 * earlier holder still writes is refused, because its attempts have ended.
 */
import { Duration, Effect, FiberHandle, Option, Queue, Schedule } from "effect"
import * as Entity from "effect/cluster/Entity"
import { runTenantActor } from "../../actors/tenant/TenantActor.ts"
import { supervised } from "../../actors/tenant/TenantDirectory.ts"
import type { TenantMessage } from "../../actors/tenant/TenantProtocol.ts"
import { TenantId } from "../../domain/Ids.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { type News, Tenant } from "./Tenant.ts"

/** The entity is stopped when it has had no message for so long. An actor that is alive sends itself some. */
export const maxIdleTime = Duration.minutes(1)
const stayInterval = Duration.seconds(20)

/** The actors of this process. */
export class Residents {
  readonly #mailboxes = new Map<TenantId, Queue.Queue<TenantMessage>>()
  /** Tenants whose actor was stopped here, and may have work left. */
  #stopped = new Set<TenantId>()

  starts(tenant: TenantId, mailbox: Queue.Queue<TenantMessage>): void {
    this.#mailboxes.set(tenant, mailbox)
  }

  stops(tenant: TenantId, mailbox: Queue.Queue<TenantMessage>): void {
    // The next one may have started already.
    if (this.#mailboxes.get(tenant) === mailbox) this.#mailboxes.delete(tenant)
    this.#stopped.add(tenant)
  }

  get size(): number {
    return this.#mailboxes.size
  }

  get waiting(): number {
    let messages = 0
    for (const mailbox of this.#mailboxes.values()) messages += Queue.sizeUnsafe(mailbox)
    return messages
  }

  takeStopped(): ReadonlySet<TenantId> {
    const stopped = this.#stopped
    this.#stopped = new Set()
    return stopped
  }
}

const takeOver = Effect.fnUntraced(function* (tenant: TenantId) {
  const queue = yield* DocumentQueue
  const taken = yield* queue.reclaimAll(tenant).pipe(Effect.retry(Schedule.spaced("500 millis")), Effect.option)
  const documents = Option.getOrElse(taken, () => 0)
  if (documents > 0) yield* Effect.logInfo("documents of another runner are taken over", { documents })
})

/** Runs the actor; when it has ended for idleness, the next message starts it again. */
const makeActor = Effect.fnUntraced(function* (tenant: TenantId, mailbox: Queue.Queue<TenantMessage>) {
  const handle = yield* FiberHandle.make<void, unknown>()
  let alive = false
  const mayEnd = () => {
    if (Queue.sizeUnsafe(mailbox) > 0) return false
    alive = false
    return true
  }
  const actor = Effect.andThen(takeOver(tenant), runTenantActor(tenant, mailbox, mayEnd))
  const start = Effect.suspend(() => {
    alive = true
    return Effect.asVoid(FiberHandle.run(handle, supervised(tenant)(actor)))
  })
  yield* start
  return { isAlive: () => alive, wakeUp: Effect.suspend(() => (alive ? Effect.void : start)) }
})

export const makeTenantEntity = (residents: Residents) =>
  Effect.gen(function* () {
    const { entityId } = yield* Entity.CurrentAddress
    const tenant = TenantId.make(entityId)
    const { mailboxCapacity } = yield* EngineConfig
    const self = (yield* Tenant.client)(entityId)
    const mailbox = yield* Queue.bounded<TenantMessage>(mailboxCapacity)
    residents.starts(tenant, mailbox)
    yield* Effect.addFinalizer(() =>
      Effect.andThen(
        Queue.shutdown(mailbox),
        Effect.sync(() => residents.stops(tenant, mailbox))
      )
    )
    const actor = yield* makeActor(tenant, mailbox)

    const stay = Effect.suspend(() =>
      actor.isAlive() ? Effect.ignoreCause(self.Tell({ wake: false, stops: [] }, { discard: true })) : Effect.void
    )
    yield* stay.pipe(Effect.delay(stayInterval), Effect.forever, Effect.forkScoped)

    const receive = Effect.fnUntraced(function* ({ stops, wake }: News) {
      for (const stop of stops) yield* Queue.offer(mailbox, { _tag: "Stop", ...stop })
      if (wake) yield* Queue.offer(mailbox, { _tag: "Wake" })
      if (wake || stops.length > 0) yield* actor.wakeUp
    })
    return Tenant.of({ Tell: ({ payload }) => receive(payload) })
  })
