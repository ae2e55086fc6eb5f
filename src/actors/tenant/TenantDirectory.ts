import { Context, Effect, FiberMap, Layer, Queue } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { actorRestart } from "../retries/RetryPolicies.ts"
import { runTenantActor } from "./TenantActor.ts"
import type { TenantMessage } from "./TenantProtocol.ts"

/** Restarts the tenant's actor with backoff when it dies of a defect. It keeps its mailbox. */
export const supervised =
  (tenant: TenantId) =>
  <E, R>(actor: Effect.Effect<void, E, R>) =>
    actor.pipe(
      Effect.tapCause((cause) => Effect.logError("tenant actor died", cause)),
      Effect.sandbox,
      Effect.retry(actorRestart),
      Effect.annotateLogs({ "tenant.id": tenant })
    )

/**
 * The one door to tenants' actors: finds or starts a tenant's actor, and supervises it. In one process an actor is a fiber, and
 * an idle one is stopped and forgotten. In a cluster each actor lives in one of the runners, and a message goes there.
 */
export class TenantDirectory extends Context.Service<
  TenantDirectory,
  {
    /**
     * Puts the message into the tenant's mailbox. In one process it waits while the mailbox is full; in a cluster it does not
     * wait at all, and a message may be lost: the work is in the store, where it is found later.
     */
    readonly tell: (tenant: TenantId, message: TenantMessage) => Effect.Effect<void>
    /** Tenants whose actor is alive in this process. */
    readonly active: Effect.Effect<number>
    /** Messages in all mailboxes of this process. */
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
        fork(tenant, supervised(tenant)(runTenantActor(tenant, mailbox, mayEnd)))
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
