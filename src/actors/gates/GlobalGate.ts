import { type Clock, Context, Deferred, Duration, Effect, Layer } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { FairQueue, takeFirst } from "../scheduling/FairQueue.ts"
import { FairShares, type Shares } from "../scheduling/FairShares.ts"
import { GlobalPermit, Preemption } from "./Preemption.ts"

interface Waiter {
  readonly tenant: TenantId
  readonly isNewcomer: boolean
  readonly askedAt: number
  readonly clock: Clock.Clock
  readonly permit: Deferred.Deferred<GlobalPermit>
  /** Its fiber was interrupted: a permit promised to it goes to another waiter. */
  withdrawn: boolean
}

/** The waiters, the permits in use and the choice of the next waiter: without effects, so that no step can be interrupted. */
class Permits {
  readonly #shares: Shares
  readonly #preemption: Preemption
  readonly #newcomers: FairQueue<Waiter>
  readonly #busy: FairQueue<Waiter>
  /** Waiters for which a permit was requested; they go first. */
  readonly #promised: Array<Waiter> = []
  #free: number

  constructor(shares: Shares, limit: number) {
    this.#shares = shares
    this.#preemption = new Preemption(shares)
    this.#newcomers = new FairQueue<Waiter>(shares)
    this.#busy = new FairQueue<Waiter>(shares)
    this.#free = limit
    // After a turn its tenant may be far enough ahead for a preemption.
    shares.onUse(() => this.#preemptWhenFull())
  }

  /** Adds the waiter, which may get its permit at once, and returns how to withdraw it. */
  add(waiter: Waiter): () => void {
    const withdraw = (waiter.isNewcomer ? this.#newcomers : this.#busy).add(
      { tenant: waiter.tenant, priority: 0 },
      waiter
    )
    this.#give()
    return () => {
      withdraw()
      waiter.withdrawn = true
    }
  }

  release(permit: GlobalPermit): void {
    this.#preemption.released(permit)
    this.#free++
    this.#give()
  }

  #give(): void {
    while (this.#free > 0) {
      const next = this.#takeNext()
      if (next === undefined) return
      this.#free--
      const { askedAt, clock, isNewcomer, tenant } = next
      const given = { tenant, isNewcomer, askedAt, givenAt: clock.currentTimeMillisUnsafe() }
      const permit = new GlobalPermit(given, () => this.#preemptWhenFull())
      this.#preemption.given(permit)
      Deferred.doneUnsafe(next.permit, Effect.succeed(permit))
    }
    this.#preempt()
  }

  #takeNext(): Waiter | undefined {
    for (let next = this.#promised.shift(); next !== undefined; next = this.#promised.shift()) {
      if (!next.withdrawn) return next
    }
    return takeFirst(this.#shares, this.#newcomers, this.#busy)
  }

  #preempt(): void {
    this.#preemption.requestFor(this.#newcomers, this.#busy, (waiter) => this.#promised.push(waiter))
  }

  #preemptWhenFull(): void {
    if (this.#free === 0 && this.#newcomers.size + this.#busy.size > 0) this.#preempt()
  }
}

/**
 * The limit on documents open at once, over all tenants, shared like the workers' time: the next permit goes to the waiting
 * tenant that has had the least. When all permits are held, a permit of another tenant's document may be requested for a waiting
 * tenant: see `Preemption`.
 *
 * Newcomers, tenants that were idle, go first: with a hundred busy tenants it takes seconds until each has had its share, and
 * a short document would wait that long. What newcomers use is charged, so a tenant that uses more than its share is soon too
 * far ahead, and waits with the others.
 */
export class GlobalGate extends Context.Service<
  GlobalGate,
  {
    /** Runs the work under a permit. `idle`: the tenant has had nothing to do until now. */
    readonly run: (
      tenant: TenantId,
      idle: boolean
    ) => <A, E, R>(work: (permit: GlobalPermit) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>()("sluice/actors/gates/GlobalGate") {
  static readonly layer = Layer.effect(
    GlobalGate,
    Effect.gen(function* () {
      const { globalDocuments } = yield* EngineConfig
      const shares = yield* FairShares
      const permits = new Permits(shares, globalDocuments)
      const inUse = Telemetry.gateInUse.of("global")

      const acquire = (
        tenant: TenantId,
        idle: boolean,
        clock: Clock.Clock,
        restore: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>
      ) =>
        Effect.suspend(() => {
          const isNewcomer = idle && shares.isWithinShare(tenant)
          const permit = Deferred.makeUnsafe<GlobalPermit>()
          const askedAt = clock.currentTimeMillisUnsafe()
          const withdraw = permits.add({ tenant, isNewcomer, askedAt, clock, permit, withdrawn: false })
          if (Deferred.isDoneUnsafe(permit)) return Deferred.await(permit)
          return restore(Deferred.await(permit)).pipe(
            Effect.onInterrupt(() =>
              Effect.suspend(() => {
                withdraw()
                if (!Deferred.isDoneUnsafe(permit)) return Effect.void
                return Effect.map(Deferred.await(permit), (given) => permits.release(given))
              })
            )
          )
        })

      return GlobalGate.of({
        run: (tenant, idle) => (work) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.flatMap(
              Effect.clockWith((clock) => acquire(tenant, idle, clock, restore)),
              (permit) =>
                Effect.contextWith((context: Context.Context<never>) => {
                  const waited = Duration.millis(permit.givenAt - permit.askedAt)
                  Telemetry.gateWait.of("global").updateUnsafe(waited, context)
                  inUse.modifyUnsafe(1, context)
                  let isHeld = true
                  const release = () => {
                    if (!isHeld) return
                    isHeld = false
                    inUse.modifyUnsafe(-1, context)
                    permits.release(permit)
                  }
                  permit.releasedBy(release)
                  return Effect.onExitPrimitive(restore(work(permit)), () => {
                    release()
                    return undefined
                  })
                })
            )
          )
      })
    })
  )
}
