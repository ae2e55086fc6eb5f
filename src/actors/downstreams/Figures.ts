import { type Context, Duration, Effect } from "effect"
import type { CallClass, RefusalKind } from "../../domain/downstream/Downstream.ts"
import { refusalKinds } from "../../domain/downstream/Downstream.ts"
import * as Telemetry from "../../observability/Telemetry.ts"

export type BreakerState = "closed" | "open" | "half-open"
const breakerValues = { closed: 0, open: 1, "half-open": 0.5 } as const

/** What is counted of one downstream: for its state, and as metrics whose series are made once. */
export class Figures {
  readonly refusals: Record<RefusalKind, number> = {
    far_side: 0,
    queue_full: 0,
    max_wait: 0,
    budget: 0,
    breaker: 0,
    monthly_cap: 0
  }
  calls = 0
  /** The last error of the far side's own, and when it came (milliseconds since the epoch). */
  lastFailure: { readonly at: number; readonly message: string } | undefined
  readonly #context: Context.Context<never>
  readonly #inUse
  readonly #waiting
  readonly #limit
  readonly #breaker
  readonly #tokens
  readonly #cost
  readonly #wait
  readonly #refusals
  readonly #durations

  private constructor(name: string, context: Context.Context<never>) {
    this.#context = context
    this.#inUse = Telemetry.downstreamInUse.series(name)
    this.#waiting = Telemetry.downstreamWaiting.series(name)
    this.#limit = Telemetry.downstreamLimit.series(name)
    this.#breaker = Telemetry.downstreamBreaker.series(name)
    this.#tokens = Telemetry.downstreamTokens.series(name)
    this.#cost = Telemetry.downstreamCost.series(name)
    this.#wait = {
      online: Telemetry.downstreamWait.series(name, "online"),
      batch: Telemetry.downstreamWait.series(name, "batch")
    }
    this.#refusals = new Map(refusalKinds.map((kind) => [kind, Telemetry.downstreamRefusals.series(name, kind)]))
    this.#durations = new Map(
      Telemetry.tryOutcomes.map((outcome) => [outcome, Telemetry.downstreamDuration.series(name, outcome)])
    )
    this.breaker("closed")
    for (const refusal of this.#refusals.values()) refusal.updateUnsafe(0, context)
  }

  static make(name: string): Effect.Effect<Figures> {
    return Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => new Figures(name, context)))
  }

  refused(kind: RefusalKind): void {
    this.refusals[kind]++
    this.#refusals.get(kind)?.updateUnsafe(1, this.#context)
  }

  level(inUse: number, waiting: number, limit: number): void {
    this.#inUse.updateUnsafe(inUse, this.#context)
    this.#waiting.updateUnsafe(waiting, this.#context)
    this.#limit.updateUnsafe(limit, this.#context)
  }

  waited(kind: CallClass, millis: number): void {
    this.#wait[kind].updateUnsafe(Duration.millis(millis), this.#context)
  }

  ended(outcome: Telemetry.TryOutcome, millis: number, tokens: number, cost: number): void {
    if (outcome === "answered" || outcome === "page_failed") this.calls++
    this.#durations.get(outcome)?.updateUnsafe(Duration.millis(millis), this.#context)
    if (tokens > 0) this.#tokens.updateUnsafe(tokens, this.#context)
    if (cost > 0) this.#cost.updateUnsafe(cost, this.#context)
  }

  breaker(state: BreakerState): void {
    this.#breaker.updateUnsafe(breakerValues[state], this.#context)
  }
}
