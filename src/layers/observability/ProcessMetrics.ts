/** Metrics of the engine's own process, and counters that exist before their first event. */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect, Layer, Metric, Schedule } from "effect"
import * as Telemetry from "../../observability/Telemetry.ts"

const resolutionMillis = 10

/** Keeps `sluice_event_loop_delay_p99_seconds` up to date. */
export const layerEventLoop = Layer.effectDiscard(
  Effect.gen(function* () {
    const delays = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const histogram = monitorEventLoopDelay({ resolution: resolutionMillis })
        histogram.enable()
        return histogram
      }),
      (histogram) => Effect.sync(() => histogram.disable())
    )
    const report = Effect.suspend(() => {
      // The probe measures the whole time between two of its ticks, so an idle loop shows its resolution.
      const millis = Math.max(0, delays.percentile(99) / 1e6 - resolutionMillis)
      delays.reset()
      return Metric.update(Telemetry.eventLoopDelay, millis / 1000)
    })
    yield* report.pipe(Effect.schedule(Schedule.spaced("10 seconds")), Effect.forkScoped)
  })
)

const cpuSeconds = () => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Measured when the metrics are read, so that it costs nothing otherwise. */
const layerProcess = Layer.effectDiscard(
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const none = { update: () => {}, modify: () => {} }
    const watched = (gauge: Metric.Gauge<number>, value: () => number) =>
      Effect.acquireRelease(
        Effect.sync(() => Metric.registerUnsafe(gauge, context, { ...none, get: () => ({ value: value() }) })),
        (series) => Effect.sync(() => series.remove())
      )
    yield* watched(Telemetry.processRss, () => process.memoryUsage.rss())
    yield* watched(Telemetry.processHeap, () => process.memoryUsage().heapUsed)
    yield* Metric.update(Telemetry.processStart, performance.timeOrigin / 1000)
    const cpu = { ...none, get: () => ({ count: cpuSeconds(), incremental: true }) }
    yield* Effect.acquireRelease(
      Effect.sync(() => Metric.registerUnsafe(Telemetry.processCpu, context, cpu)),
      (series) => Effect.sync(() => series.remove())
    )
  })
)

/** A counter that appears with its first event hides it from every rate, so they all begin at zero. */
const layerZeros = Layer.effectDiscard(
  Effect.forEach(Telemetry.seriesKnown(Object.values(Telemetry)), Metric.value, { discard: true })
)

export const layer = Layer.mergeAll(layerZeros, layerEventLoop, layerProcess)
