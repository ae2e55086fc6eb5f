import { assert, describe, it } from "@effect/vitest"
import { Effect, References, Tracer } from "effect"
import * as TraceContext from "../../src/observability/TraceContext.ts"

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/** The spans that were made while the effect ran. */
const spansOf = <E, R>(effect: Effect.Effect<void, E, R>) =>
  Effect.gen(function* () {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    yield* Effect.provideService(effect, Tracer.Tracer, tracer)
    return spans
  })

describe("the trace that is kept with a document", () => {
  it.effect("is written as a traceparent, and read as the parent of what goes on later", () =>
    Effect.gen(function* () {
      let kept: string | undefined
      const spans = yield* spansOf(
        Effect.gen(function* () {
          kept = yield* Effect.withSpan(TraceContext.current, "accepted")
          yield* TraceContext.continuing(kept)(Effect.withSpan(Effect.void, "run"))
          yield* TraceContext.continuing("not a trace")(Effect.withSpan(Effect.void, "alone"))
        })
      )
      const [accepted, run, alone] = spans
      assert.strictEqual(kept, `00-${accepted?.traceId}-${accepted?.spanId}-01`)
      assert.strictEqual(run?.traceId, accepted?.traceId)
      assert.notStrictEqual(alone?.traceId, accepted?.traceId)
    })
  )

  it.effect("takes spans of the past with their own times, but none without a length", () =>
    Effect.gen(function* () {
      const spans = yield* spansOf(
        Effect.andThen(TraceContext.past("waited", 1_000, 1_250.5), TraceContext.past("did not", 2_000, 2_000)).pipe(
          TraceContext.continuing(trace)
        )
      )
      assert.deepStrictEqual(
        spans.map(({ name, status }) => [name, status.startTime, status._tag === "Ended" && status.endTime]),
        [["waited", 1_000_000_000n, 1_250_500_000n]]
      )
    })
  )

  it.effect("is nothing while nobody collects spans, or outside of any", () =>
    Effect.gen(function* () {
      const all = Effect.all([TraceContext.current, TraceContext.emitter])
      assert.deepStrictEqual(yield* all, [undefined, undefined])
      const off = all.pipe(
        Effect.withSpan("not made"),
        TraceContext.continuing(trace),
        Effect.provideService(References.TracerEnabled, false)
      )
      assert.deepStrictEqual(yield* off, [undefined, undefined])
      const unsampled = TraceContext.continuing(trace.replace(/01$/, "00"))(TraceContext.emitter)
      assert.isUndefined(yield* unsampled)
    })
  )
})

describe("a traced method", () => {
  const method = TraceContext.traced("Service.method", (left: number, right: number) =>
    Effect.as(Effect.annotateCurrentSpan({ left }), left + right)
  )

  it.effect("runs under a span of its name", () =>
    Effect.gen(function* () {
      let sum = 0
      const spans = yield* spansOf(Effect.map(method(1, 2), (found) => void (sum = found)))
      assert.strictEqual(sum, 3)
      assert.deepStrictEqual(
        spans.map(({ attributes, name }) => [name, attributes.get("left")]),
        [["Service.method", 1]]
      )
    })
  )

  it.effect("is the bare method while nobody collects spans", () =>
    Effect.gen(function* () {
      const off = Effect.provideService(method(1, 2), References.TracerEnabled, false)
      assert.deepStrictEqual(yield* spansOf(Effect.asVoid(off)), [])
      assert.strictEqual(yield* off, 3)
    })
  )
})
