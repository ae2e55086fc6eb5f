import { assert, it } from "@effect/vitest"
import { Effect, Layer, Metric } from "effect"
import { TestClock } from "effect/testing"
import { layerEventLoop } from "../../src/layers/observability/ProcessMetrics.ts"
import { eventLoopDelay } from "../../src/observability/Telemetry.ts"

const unset = -1

it.effect("measures the event loop's delay every ten seconds, and stops with its layer", () =>
  Effect.gen(function* () {
    yield* Metric.update(eventLoopDelay, unset)
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Layer.build(layerEventLoop)
        assert.strictEqual((yield* Metric.value(eventLoopDelay)).value, unset)
        yield* TestClock.adjust("10 seconds")
        assert.isAtLeast((yield* Metric.value(eventLoopDelay)).value, 0)
      })
    )
    yield* Metric.update(eventLoopDelay, unset)
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* Metric.value(eventLoopDelay)).value, unset)
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
)
