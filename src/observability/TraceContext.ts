/**
 * One trace per document: it links the document's runs, the work of page workers and the callback to the request that submitted
 * it. While no spans are collected, each of these functions only checks one switch.
 */
import { Context, Effect, Exit, Option, References, Tracer } from "effect"
import * as Headers from "effect/http/Headers"
import * as HttpTraceContext from "effect/http/HttpTraceContext"

// `HttpTraceContext.toHeaders` does not take external spans, which are the parents of continued traces.
const traceparentOf = ({ sampled, spanId, traceId }: Tracer.AnySpan) =>
  `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`

/** The current span as a W3C `traceparent`, to be stored and continued later; `undefined` when no spans are made. */
export const current: Effect.Effect<string | undefined> = Effect.flatMap(References.TracerEnabled, (enabled) =>
  enabled ? Effect.map(parent, (span) => (span === undefined ? undefined : traceparentOf(span))) : Effect.undefined
)

/**
 * Puts a method that many requests call under a span of that name. `Effect.fn` does the same, but records each call even while
 * no spans are collected, which costs more than many of these methods.
 */
export const traced =
  <Args extends ReadonlyArray<unknown>, A, E, R>(name: string, method: (...args: Args) => Effect.Effect<A, E, R>) =>
  (...args: Args): Effect.Effect<A, E, R> =>
    Effect.flatMap(References.TracerEnabled, (enabled) =>
      enabled ? Effect.withSpan(method(...args), name) : method(...args)
    )

const parent: Effect.Effect<Tracer.AnySpan | undefined> = Effect.map(Effect.serviceOption(Tracer.ParentSpan), (found) =>
  Option.isNone(found) || found.value.annotations === undefined ? undefined : propagated(found.value)
)

/** Leaves out spans that were switched off. */
const propagated = (span: Tracer.AnySpan): Tracer.AnySpan | undefined =>
  Context.get(span.annotations, Tracer.DisablePropagation) ? undefined : span

/** Runs the effect as a part of the stored trace, if there is one. */
export const continuing =
  (trace: string | undefined) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    if (trace === undefined) return effect
    const span = HttpTraceContext.w3c(Headers.fromRecordUnsafe({ traceparent: trace }))
    return Option.isNone(span) ? effect : Effect.withParentSpan(effect, span.value)
  }

/** A span that has ended already, with its real times in milliseconds since the epoch. */
export interface PastSpan {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly events?: ReadonlyArray<{
    readonly name: string
    readonly at: number
    readonly attributes?: Readonly<Record<string, unknown>>
  }>
}

export type Emit = (span: PastSpan) => void

const nanos = (millis: number): bigint => BigInt(Math.round(millis * 1_000)) * 1_000n

/** Writes past spans as children of the current one; `undefined` if that is not collected. */
export const emitter: Effect.Effect<Emit | undefined> = Effect.flatMap(References.TracerEnabled, (enabled) =>
  enabled
    ? Effect.gen(function* () {
        const above = yield* parent
        if (above === undefined || !above.sampled) return undefined
        const tracer = yield* Effect.tracer
        const emit: Emit = ({ attributes = {}, events = [], from, name, to }) => {
          const span = tracer.span({
            name,
            parent: Option.some(above),
            annotations: Context.empty(),
            links: [],
            startTime: nanos(from),
            kind: "internal",
            root: false,
            sampled: true
          })
          for (const [key, value] of Object.entries(attributes)) span.attribute(key, value)
          for (const event of events) span.event(event.name, nanos(event.at), event.attributes)
          span.end(nanos(Math.max(from, to)), Exit.void)
        }
        return emit
      })
    : Effect.undefined
)

/** Writes one past span, unless it took no time. */
export const past = (name: string, from: number, to: number): Effect.Effect<void> =>
  from >= to
    ? Effect.void
    : Effect.map(emitter, (emit) => {
        emit?.({ name, from, to })
      })
