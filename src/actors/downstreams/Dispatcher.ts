import { Clock, Deferred, Duration, Effect } from "effect"
import type { RateLimiter } from "effect/persistence"
import type { DownstreamCode, RefusalKind } from "../../domain/downstream/Downstream.ts"
import { DownstreamFailure, type FarSideError, type Measured } from "../../services/downstreams/Downstreams.ts"
import { backgroundLoop } from "../upkeep/BackgroundLoop.ts"
import type { Budget, Charge } from "./Budget.ts"
import type { BreakerState, Figures } from "./Figures.ts"
import type { LiveSettings } from "./LiveSettings.ts"
import { type PlaceRequest, Places } from "./Places.ts"

/** A call that waits. */
export interface Waiter extends PlaceRequest {
  readonly estimate: Measured
  /** No longer than until this moment. */
  readonly until: number
  readonly given: Deferred.Deferred<Place, DownstreamFailure>
  /** Withdraws it; set when it is added. */
  withdraw: () => void
}

/** The right to send one call now; has to be given back with `release`. */
export interface Place {
  readonly waiter: Waiter
  readonly givenAt: number
  /** Calls under way with this one. */
  readonly number: number
  readonly settle: (used: Measured) => void
}

type Blocked = "paused" | "far_side" | "breaker" | "rate" | "tokens" | "cost"

const never = Number.POSITIVE_INFINITY
/** Cost is shared in millionths, as shares are made for milliseconds. */
export const perCostUnit = 1_000_000

/**
 * Gives the places of one downstream: one loop, which looks for the next call whenever something has changed, and sleeps until
 * something will. A call is counted against rate and budgets only when a place is free for it.
 */
export class Dispatcher {
  readonly settings: LiveSettings
  readonly places: Places<Waiter>
  readonly #name: string
  readonly #figures: Figures
  readonly #rates: RateLimiter.RateLimiter
  /** Until these moments nothing is sent. */
  readonly #until = { far_side: 0, breaker: 0, rate: 0 }
  #exhausted: { readonly what: "tokens" | "cost"; readonly until: number } | undefined
  /** After the breaker was open, one call at a time until one succeeds. */
  #isProbing = false
  /** The rate allows one call that was not given yet. */
  #mayBegin: number | undefined
  #changed = Deferred.makeUnsafe<void>()

  constructor(name: string, settings: LiveSettings, figures: Figures, rates: RateLimiter.RateLimiter) {
    this.#name = name
    this.settings = settings
    this.#figures = figures
    this.#rates = rates
    this.places = new Places<Waiter>(() => ({
      limit: this.#isProbing ? 1 : settings.limit.limit,
      reserve: settings.now.reserve
    }))
  }

  get loop() {
    return backgroundLoop({
      name: `the dispatcher of ${this.#name}`,
      pass: this.#pass,
      rest: Effect.void,
      restAfterFailure: Effect.sleep("1 second")
    })
  }

  /** Something has changed: there may be a call that can go. */
  notify(): void {
    const { inUse, waiting } = this.places
    this.#figures.level(inUse, waiting, this.settings.limit.limit)
    Deferred.doneUnsafe(this.#changed, Effect.void)
  }

  add(waiter: Waiter): void {
    const withdraw = this.places.add(waiter)
    waiter.withdraw = () => {
      withdraw()
      this.notify()
    }
    this.notify()
  }

  /** The far side has taken the call of this place. */
  succeeded({ number }: Place): void {
    this.settings.limit.succeeded(number, this.places.inUse)
  }

  /** The far side has refused it. Unless too many were under way at once, all calls wait as long as it says. */
  refused({ givenAt, number }: Place, now: number, retryAfterMillis: number | undefined): void {
    const why = this.settings.limit.refused(number, givenAt, now)
    if (why === "too many" || retryAfterMillis === undefined) return
    this.#until.far_side = Math.max(this.#until.far_side, now + retryAfterMillis)
  }

  breakerOpened(until: number): void {
    this.#until.breaker = until
    this.#isProbing = true
    this.#figures.breaker("open")
    this.notify()
  }

  breakerClosed(): void {
    this.#until.breaker = 0
    this.#isProbing = false
    this.#figures.breaker("closed")
    this.notify()
  }

  breakerAt(now: number): BreakerState {
    return !this.#isProbing ? "closed" : this.#until.breaker > now ? "open" : "half-open"
  }

  settingsChanged(): void {
    this.#exhausted = undefined
    if (this.#mayBegin !== this.settings.rateVersion) this.#until.rate = 0
    this.notify()
  }

  /** What keeps calls from being sent although places are free, and until when. */
  blockedAt(now: number): { readonly by: Blocked; readonly until: number } | undefined {
    if (this.settings.paused) return { by: "paused", until: never }
    for (const by of ["breaker", "far_side", "rate"] as const) {
      if (this.#until[by] > now) return { by, until: this.#until[by] }
    }
    const exhausted = this.#exhausted
    return exhausted === undefined || exhausted.until <= now
      ? undefined
      : { by: exhausted.what, until: exhausted.until }
  }

  /** Why a call cannot wait, or cannot go on waiting. */
  failure(now: number): DownstreamFailure {
    const blocked = this.blockedAt(now)
    if (blocked?.by === "breaker") {
      return this.#fail("breaker", "DOWNSTREAM_UNAVAILABLE", "it failed several times in a row", blocked.until - now)
    }
    if (blocked?.by === "tokens" || blocked?.by === "cost") {
      return this.#fail("budget", "BUDGET_EXHAUSTED", `its budget of ${blocked.by} is used up`, blocked.until - now)
    }
    const wait = Duration.format(Duration.millis(this.settings.now.maxWait))
    return this.#fail("max_wait", "DOWNSTREAM_BUSY", `no place became free within ${wait}`)
  }

  queueFull(): DownstreamFailure {
    return this.#fail("queue_full", "DOWNSTREAM_BUSY", `${this.settings.now.queue} calls wait already`)
  }

  /** Whether a call is to be refused at once instead of waiting for the breaker or a budget. */
  refusesNow(now: number): boolean {
    const by = this.blockedAt(now)?.by
    return this.settings.now.onExhausted !== "wait" && (by === "breaker" || by === "tokens" || by === "cost")
  }

  /** The tenant has used what it may in this month. */
  monthUsed(what: string, retryAfterMillis: number): DownstreamFailure {
    const detail = `the tenant has used its ${what} of this month`
    return this.#fail("monthly_cap", "MONTHLY_CAP_REACHED", detail, retryAfterMillis)
  }

  usageUnknown(): DownstreamFailure {
    const detail = "what was used of its budget cannot be read from the store"
    return this.#failed("DOWNSTREAM_UNAVAILABLE", detail)
  }

  /** The failure of a call whose last try ended so. */
  failureOf(error: FarSideError): DownstreamFailure {
    if (error._tag === "FarSideTimeout") return this.#failed("STAGE_TIMEOUT", error.detail)
    const code = error._tag === "FarSideRefused" ? "DOWNSTREAM_BUSY" : "DOWNSTREAM_UNAVAILABLE"
    return this.#failed(code, error.message, error.retryAfterMillis)
  }

  #fail(kind: RefusalKind, code: DownstreamCode, detail: string, retryAfterMillis?: number): DownstreamFailure {
    this.#figures.refused(kind)
    return this.#failed(code, detail, retryAfterMillis)
  }

  #failed(code: DownstreamCode, detail: string, retryAfterMillis?: number): DownstreamFailure {
    return new DownstreamFailure({
      code,
      detail,
      downstream: this.#name,
      onExhausted: this.settings.now.onExhausted,
      ...(retryAfterMillis === undefined ? {} : { retryAfterMillis: Math.max(0, retryAfterMillis) })
    })
  }

  get #pass() {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => this.#step(now))
  }

  /** One decision: a place is given, or a call refused, or it is known until when there is nothing to do. */
  #step(now: number): Effect.Effect<void> {
    const blocked = this.blockedAt(now)
    if (blocked !== undefined) {
      if (this.refusesNow(now)) for (const waiter of this.places.requests()) this.#refuse(waiter, this.failure(now))
      return this.#wait(blocked.until - now)
    }
    if (!this.places.mayGive) return this.#wait(never)
    const { rate } = this.settings.now
    if (rate !== undefined && this.#mayBegin !== this.settings.rateVersion) return this.#awaitRate(now)
    const waiter = this.places.next()
    if (waiter === undefined) return this.#wait(never)
    const exhausted = this.#lacks(waiter, now)
    if (exhausted === undefined) return Effect.sync(() => this.#give(waiter, now))
    this.#exhausted = exhausted
    // It would wait in vain; others may have more time.
    if (this.settings.now.onExhausted === "wait" && exhausted.until > waiter.until) {
      this.#refuse(waiter, this.failure(now))
      this.#exhausted = undefined
    }
    return Effect.yieldNow
  }

  /** Takes a call from the rate, for whichever call is next when it may begin. */
  #awaitRate(now: number): Effect.Effect<void> {
    const { rate } = this.settings.now
    if (rate === undefined) return Effect.void
    const burst = rate.burst ?? 1
    const version = this.settings.rateVersion
    return this.#rates
      .consume({
        key: `${this.#name} ${version}`,
        algorithm: "token-bucket",
        onExceeded: "delay",
        limit: burst,
        window: Duration.millis((rate.per / rate.calls) * burst)
      })
      .pipe(
        Effect.map(({ delay }) => {
          this.#mayBegin = version
          this.#until.rate = now + Duration.toMillis(delay)
        }),
        Effect.orDie
      )
  }

  #lacks({ estimate }: Waiter, now: number): { readonly what: "tokens" | "cost"; readonly until: number } | undefined {
    for (const what of ["tokens", "cost"] as const) {
      const budget = this.settings[what]
      if (budget !== undefined && !budget.fits(estimate[what], now)) return { what, until: budget.resetsAt(now) }
    }
    return undefined
  }

  #give(waiter: Waiter, now: number): void {
    const { cost, sharedBy, tokens } = this.settings
    const units = (used: Measured) => (sharedBy === "cost" ? used.cost * perCostUnit : used[sharedBy])
    const estimate = units(waiter.estimate)
    this.#exhausted = undefined
    this.#mayBegin = undefined
    if (this.#isProbing) this.#figures.breaker("half-open")
    this.places.give(estimate)
    const charges: ReadonlyArray<readonly [Budget, Charge, "tokens" | "cost"]> = [
      ...(tokens === undefined ? [] : [[tokens, tokens.charge(waiter.estimate.tokens, now), "tokens"] as const]),
      ...(cost === undefined ? [] : [[cost, cost.charge(waiter.estimate.cost, now), "cost"] as const])
    ]
    const settle = (used: Measured) => {
      for (const [budget, charge, what] of charges) budget.settle(charge, used[what])
      // What was used less than was charged may be enough for the next call.
      this.#exhausted = undefined
      this.places.release(waiter, estimate, units(used))
      this.notify()
    }
    const place = { waiter, givenAt: now, number: this.places.inUse, settle }
    if (!Deferred.doneUnsafe(waiter.given, Effect.succeed(place))) settle({ millis: 0, tokens: 0, cost: 0 })
    const { inUse, waiting } = this.places
    this.#figures.level(inUse, waiting, this.settings.limit.limit)
  }

  #refuse(waiter: Waiter, failure: DownstreamFailure): void {
    waiter.withdraw()
    Deferred.doneUnsafe(waiter.given, Effect.fail(failure))
  }

  #wait(millis: number): Effect.Effect<void> {
    const changed = (this.#changed = Deferred.makeUnsafe<void>())
    const wake = Deferred.await(changed)
    return millis === never ? wake : Effect.raceFirst(wake, Effect.sleep(millis))
  }
}
