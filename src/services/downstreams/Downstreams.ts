import { Context, Duration, Effect, Schema } from "effect"
import {
  adviceOf,
  type CallClass,
  DownstreamCode,
  type DownstreamState,
  isOwn
} from "../../domain/downstream/Downstream.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { DownstreamChange } from "./DownstreamSettings.ts"

/** What one call is for, and what it will use. */
export interface CallOptions {
  readonly tenant: TenantId
  /** `batch` when absent. */
  readonly class?: CallClass
  /** Among the calls of one tenant and class the highest goes first, then the oldest; 0 when absent. */
  readonly priority?: number
  /** The tenant's weight here; that of its limits when absent. */
  readonly weight?: number
  /** What the call will use, as far as it is known; what earlier calls used when absent. It is corrected to what was measured. */
  readonly estimate?: Partial<Measured>
}

/** What a call used. Tokens and cost are what the far side reports: see `reportUsed`. */
export interface Measured {
  /** Milliseconds in which the call held a permit. */
  readonly millis: number
  readonly tokens: number
  /** In the unit of the downstream's budget. */
  readonly cost: number
}

/** Takes the report of the call that is under way. */
const Reports = Context.Reference<(used: Partial<Omit<Measured, "millis">>) => void>(
  "sluice/services/downstreams/Downstreams/Reports",
  { defaultValue: () => () => {} }
)

/** To be used inside of a call: what the far side says that it used. Reports of one call add up. */
export const reportUsed = (used: Partial<Omit<Measured, "millis">>): Effect.Effect<void> =>
  Effect.map(Reports, (report) => report(used))

/** For the implementation: runs a call whose reports are taken by the function. */
export const withReports =
  (take: (used: Partial<Omit<Measured, "millis">>) => void) =>
  <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(call, Reports, take)

// The three errors with which an effect tells `call` that its failure is not the page's own.

/** The far side has no room at the moment (429 or 503). The call is repeated, and fewer are sent at once. */
export class FarSideRefused extends Schema.TaggedError<FarSideRefused>()("FarSideRefused", {
  status: Schema.Int,
  /** Milliseconds after which it may be asked again, if it said so. */
  retryAfterMillis: Schema.optionalKey(Schema.Finite)
}) {
  override get message() {
    return `it answered with status ${this.status}`
  }
}

/** No connection, a broken one, or an error of the far side's own (5xx). The call is repeated; it counts at the breaker. */
export class FarSideUnavailable extends Schema.TaggedError<FarSideUnavailable>()("FarSideUnavailable", {
  detail: Schema.String,
  retryAfterMillis: Schema.optionalKey(Schema.Finite),
  /** Another try cannot help: the settings have to be changed. */
  permanent: Schema.optionalKey(Schema.Boolean)
}) {
  override get message() {
    return this.detail
  }
}

/** It did not answer in time. Not repeated here, since it may still be at work; it counts at the breaker. */
export class FarSideTimeout extends Schema.TaggedError<FarSideTimeout>()("FarSideTimeout", {
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

export type FarSideError = FarSideRefused | FarSideUnavailable | FarSideTimeout

/**
 * A call that brought no answer, by `code`. Unless `costsRetry`, nothing is wrong with the page: it keeps its retries, and
 * becomes what `onExhausted` says.
 */
export class DownstreamFailure extends Schema.TaggedError<DownstreamFailure>()("DownstreamFailure", {
  code: DownstreamCode,
  downstream: Schema.String,
  detail: Schema.String,
  /** `wait`, `skip`, `fail` or `use:<stage>`, as the downstream's settings say. */
  onExhausted: Schema.String,
  /** Milliseconds after which the call may succeed, if that is known. */
  retryAfterMillis: Schema.optionalKey(Schema.Finite)
}) {
  /** Whether the failure counts against the retries of the page: only if the page itself may be the reason. */
  get costsRetry(): boolean {
    return isOwn(this.code)
  }

  get advice(): string {
    return adviceOf(this.code)
  }

  override get message() {
    const after =
      this.retryAfterMillis === undefined
        ? ""
        : `; it may be called again in ${Duration.format(Duration.millis(this.retryAfterMillis))}`
    return `the downstream ${this.downstream}: ${this.detail}${after}`
  }
}

export class UnknownDownstream extends Schema.TaggedError<UnknownDownstream>()("UnknownDownstream", {
  name: Schema.String
}) {
  override get message() {
    return `there is no downstream ${this.name}`
  }
}

/** A change that the downstream's other settings forbid. */
export class InvalidChange extends Schema.TaggedError<InvalidChange>()("InvalidChange", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

/**
 * What stages call outside of the engine, each by its name and within its settings.
 *
 * ```ts
 * const downstreams = yield* Downstreams
 * const text = yield* downstreams.call("ocr", { tenant, class: "batch", estimate: { millis: 2_000 } })(askTheOcr)
 * ```
 */
export class Downstreams extends Context.Service<
  Downstreams,
  {
    /** The names of all that are declared. */
    readonly names: ReadonlyArray<string>
    /**
     * Runs the effect when it is the tenant's turn and the downstream has room, again after refusals as far as the settings
     * allow. Errors other than `FarSideError` are the page's own, and pass through at once. Until the turn comes nothing is
     * held; an interruption withdraws the call at once.
     *
     * The effect is one exchange with the far side. It reports tokens and cost with `reportUsed`.
     */
    readonly call: (
      name: string,
      options: CallOptions
    ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, Exclude<E, FarSideError> | DownstreamFailure, R>
    /** All downstreams as they are now, by their names. */
    readonly states: Effect.Effect<ReadonlyArray<DownstreamState>>
    readonly state: (name: string) => Effect.Effect<DownstreamState, UnknownDownstream>
    /** Takes effect at once, also for calls that wait, until the process ends: what holds from its start is in the settings. */
    readonly change: (
      name: string,
      change: DownstreamChange
    ) => Effect.Effect<DownstreamState, UnknownDownstream | InvalidChange>
  }
>()("sluice/services/downstreams/Downstreams") {}
