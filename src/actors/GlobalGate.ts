import { Context, Data, Deferred, Duration, Effect, Layer } from "effect"
import type { TenantId } from "../domain/Ids.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import * as Telemetry from "../services/Telemetry.ts"
import { FairQueue, takeFirst } from "./FairQueue.ts"
import { FairShares } from "./FairShares.ts"

/** The document's permit is wanted by a tenant that has had less: it goes back to its queue with its finished pages. */
export class Preempted extends Data.TaggedError("Preempted")<{}> {}

/** A permit of the global gate, while a document holds it. */
export class Pass {
  readonly tenant: TenantId
  /** Its tenant was idle: the first turn under it goes before those of others. */
  readonly isNewcomer: boolean
  readonly #waiting = new Set<() => void>()
  readonly #onVerdict: () => void
  /** Turns of a worker that it has now. */
  turns = 0
  /**
   * Ranges that brought pages, and verdicts on pages read alone: before the first, it is never asked for, so every run gets
   * the document on.
   */
  ranges = 0
  wanted = false
  /** When it was asked for, and when it was given. */
  asked = 0
  given = 0

  constructor({ isNewcomer, tenant }: Pick<Pass, "isNewcomer" | "tenant">, onVerdict: () => void) {
    this.tenant = tenant
    this.isNewcomer = isNewcomer
    this.#onVerdict = onVerdict
  }

  /** Pages came to their ends without a turn that ends after this, at which it would be asked for. */
  verdict(): void {
    this.ranges++
    this.#onVerdict()
  }

  /** Calls the listener when the permit is wanted back; the result removes it. */
  onWanted(listener: () => void): () => void {
    this.#waiting.add(listener)
    return () => this.#waiting.delete(listener)
  }

  want(): void {
    this.wanted = true
    for (const listener of this.#waiting) listener()
    this.#waiting.clear()
  }
}

interface Waiter {
  readonly tenant: TenantId
  readonly isNewcomer: boolean
  readonly given: Deferred.Deferred<Pass>
  /** Sees that the permit promised to it goes to another. */
  withdrawn: boolean
}

/**
 * The limit on documents open at once, over all tenants, shared like the workers' time: the next permit goes to the waiting
 * tenant that has had the least. A document that reads on while such a tenant waits is asked for its permit, at a range
 * boundary: if its tenant is far ahead of a busy one that waits, or at all ahead of the least served when a newcomer does. Every
 * run of a document reads one range at least, or comes to a verdict on a page in doubt, so no document changes places
 * without getting on.
 *
 * Newcomers go first because a share says nothing of when it is due: with a hundred busy tenants it comes around in seconds,
 * and a short document would wait so long. What they take is charged, so who comes for more than its share is soon too far
 * ahead, and waits with the others.
 */
export class GlobalGate extends Context.Service<
  GlobalGate,
  {
    /** Runs the work under a permit. `idle`: the tenant has had nothing to do until now. */
    readonly run: (
      tenant: TenantId,
      idle: boolean
    ) => <A, E, R>(work: (pass: Pass) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>()("sluice/actors/GlobalGate") {
  static readonly layer = Layer.effect(
    GlobalGate,
    Effect.gen(function* () {
      const { globalDocuments } = yield* EngineConfig
      const shares = yield* FairShares
      const newcomers = new FairQueue<Waiter>(shares)
      const busy = new FairQueue<Waiter>(shares)
      const held = new Set<Pass>()
      /** Those a permit was asked for; they are first. */
      const promised: Array<Waiter> = []
      const inUse = Telemetry.gateInUse.of("global")
      let free = globalDocuments

      const takeNext = (): Waiter | undefined => {
        for (let next = promised.shift(); next !== undefined; next = promised.shift()) if (!next.withdrawn) return next
        return takeFirst(shares, newcomers, busy)
      }

      const givePermits = () => {
        while (free > 0) {
          const next = takeNext()
          if (next === undefined) return
          free--
          const pass = new Pass(next, askWhenFull)
          held.add(pass)
          Deferred.doneUnsafe(next.given, Effect.succeed(pass))
        }
        askForPermits()
      }

      const mostServed = (one: Pass, other: Pass): boolean =>
        shares.virtualTime(one.tenant) > shares.virtualTime(other.tenant)

      /** One that waits for a turn gives its permit back at once; one that reads, at the end of its range. */
      const soonest = (one: Pass, other: Pass): boolean =>
        Math.min(one.turns, 1) === Math.min(other.turns, 1) ? mostServed(one, other) : one.turns < other.turns

      /** The document to make room for this tenant: of one that has had more than `limit`. */
      const victimFor = (tenant: TenantId, limit: number, isBetter: typeof soonest): Pass | undefined => {
        let victim: Pass | undefined
        for (const pass of held) {
          if (pass.wanted || pass.ranges === 0 || pass.tenant === tenant) continue
          if (shares.virtualTime(pass.tenant) <= limit) continue
          if (victim === undefined || isBetter(pass, victim)) victim = pass
        }
        return victim
      }

      const askFor = (queue: FairQueue<Waiter>, limit: (tenant: TenantId) => number, isBetter: typeof soonest) => {
        for (let tenant = queue.next(); tenant !== undefined; tenant = queue.next()) {
          const victim = victimFor(tenant, limit(tenant), isBetter)
          const waiter = victim && queue.take()
          if (victim === undefined || waiter === undefined) return
          promised.push(waiter)
          victim.want()
        }
      }

      const askForPermits = () => {
        askFor(newcomers, () => shares.floor, soonest)
        askFor(busy, (tenant) => shares.farAheadOf(tenant), mostServed)
      }

      const askWhenFull = () => {
        if (free === 0 && newcomers.size + busy.size > 0) askForPermits()
      }
      // A turn has ended: its tenant may be far enough ahead by now.
      shares.onUse(askWhenFull)

      const release = (pass: Pass) => {
        held.delete(pass)
        free++
        givePermits()
      }

      const acquire = (tenant: TenantId, idle: boolean, restore: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>) =>
        Effect.suspend(() => {
          const isNewcomer = idle && shares.isWithinShare(tenant)
          const waiter: Waiter = { tenant, isNewcomer, given: Deferred.makeUnsafe(), withdrawn: false }
          const withdraw = (isNewcomer ? newcomers : busy).add({ tenant, priority: 0 }, waiter)
          givePermits()
          if (Deferred.isDoneUnsafe(waiter.given)) return Deferred.await(waiter.given)
          return restore(Deferred.await(waiter.given)).pipe(
            Effect.onInterrupt(() =>
              Effect.suspend(() => {
                withdraw()
                waiter.withdrawn = true
                return Deferred.isDoneUnsafe(waiter.given)
                  ? Effect.map(Deferred.await(waiter.given), release)
                  : Effect.void
              })
            )
          )
        })

      return GlobalGate.of({
        run: (tenant, idle) => (work) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.clockWith((clock) => {
              const asked = clock.currentTimeMillisUnsafe()
              return Effect.flatMap(acquire(tenant, idle, restore), (pass) =>
                Effect.contextWith((context: Context.Context<never>) => {
                  pass.asked = asked
                  pass.given = clock.currentTimeMillisUnsafe()
                  Telemetry.gateWait.of("global").updateUnsafe(Duration.millis(pass.given - asked), context)
                  inUse.modifyUnsafe(1, context)
                  return Effect.onExitPrimitive(restore(work(pass)), () => {
                    inUse.modifyUnsafe(-1, context)
                    release(pass)
                    return undefined
                  })
                })
              )
            })
          )
      })
    })
  )
}
