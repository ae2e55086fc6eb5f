/** How the metrics of the engine are made: see `Telemetry.ts`, which lists them. */
import { Duration, Metric } from "effect"

/** One metric with one label. */
export interface Labelled<Value extends string, M> {
  readonly label: string
  readonly values: ReadonlyArray<Value>
  /** The series of this value. */
  readonly of: (value: Value) => M
}

export const labelled = <const Value extends string, M>(
  label: string,
  values: ReadonlyArray<Value>,
  make: (attributes: Record<string, string>) => M
): Labelled<Value, M> => {
  const build = (value: Value) => make({ [label]: value })
  const series = new Map(values.map((value) => [value, build(value)]))
  return { label, values, of: (value) => series.get(value) ?? build(value) }
}

/** One metric whose label values are not listed here but are bounded; `labels` says by what. */
export interface Described<Values extends ReadonlyArray<string>, M> {
  readonly labels: Readonly<Record<string, string>>
  /** The series of these values, in the order of the labels. */
  readonly series: (...values: Values) => M
}

export const described = <Values extends ReadonlyArray<string>, M>(
  labels: Readonly<Record<string, string>>,
  make: (attributes: Record<string, string>) => M
): Described<Values, M> => {
  const names = Object.keys(labels)
  return {
    labels,
    series: (...values) => make(Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""])))
  }
}

/** Seconds from a millisecond to half an hour: from a checkpoint to a long wait at a gate. */
const durations = Metric.boundariesFromIterable([
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800
])
export const sizes = Metric.boundariesFromIterable([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])

export const counter = (id: string, description: string) => (attributes?: Record<string, string>) =>
  Metric.counter(id, { description, attributes, incremental: true })
export const gauge = (id: string, description: string, unit?: string) => (attributes?: Record<string, string>) =>
  Metric.gauge(id, { description, attributes: unit === undefined ? attributes : { ...attributes, unit } })
export const timer = (id: string, description: string) => (attributes?: Record<string, string>) =>
  Metric.mapInput(
    Metric.histogram(id, { description, attributes: { ...attributes, unit: "seconds" }, boundaries: durations }),
    (duration: Duration.Duration) => Duration.toSeconds(duration)
  )

type AnyMetric = Metric.Metric<never, unknown>

const isLabelled = (value: unknown): value is Labelled<string, AnyMetric> =>
  typeof value === "object" && value !== null && "values" in value && "of" in value

/** The metrics among these values, one for each value of their label. The series of `Described` are not known beforehand. */
export const seriesKnown = (exports: ReadonlyArray<unknown>): ReadonlyArray<AnyMetric> =>
  exports.flatMap((each) =>
    Metric.isMetric(each) ? [each] : isLabelled(each) ? each.values.map((value) => each.of(value)) : []
  )
