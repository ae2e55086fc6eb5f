import { Metric, Schema } from "effect"
import { FailureCode } from "../../src/domain/Failure.ts"
import * as Telemetry from "../../src/observability/Telemetry.ts"

/** The metrics of the engine as rows of the table in docs/telemetry.md. */

type AnyMetric = Metric.Metric<never, unknown>

interface AnyLabelled {
  readonly label: string
  readonly values: ReadonlyArray<string>
  readonly of: (value: string) => AnyMetric
}

interface AnyDescribed {
  readonly labels: Readonly<Record<string, string>>
  readonly series: () => AnyMetric
}

const isLabelled = (value: unknown): value is AnyLabelled =>
  typeof value === "object" && value !== null && "label" in value && "of" in value

const isDescribed = (value: unknown): value is AnyDescribed =>
  typeof value === "object" && value !== null && "labels" in value && "series" in value

const failureCodes: ReadonlySet<string> = new Set(FailureCode.literals)

const units = Schema.Record(Schema.String, Schema.String)

const row = (metric: AnyMetric, labels: string): string => {
  const attributes = Schema.decodeUnknownSync(units)(metric.attributes ?? {})
  const unit = attributes["time_unit"] ?? attributes["unit"] ?? "count"
  return `| \`${metric.id}\` | ${metric.type.toLowerCase()} | ${unit} | ${labels} | ${metric.description ?? ""} |`
}

const exported: ReadonlyArray<unknown> = Object.values(Telemetry)

const described = exported.flatMap((value) => (isDescribed(value) ? [value] : []))

export const metrics: ReadonlyArray<AnyMetric> = [
  ...Telemetry.seriesKnown(exported),
  ...described.map(({ series }) => series())
]

export const metricRows: ReadonlyArray<string> = exported
  .flatMap((value) => {
    if (Metric.isMetric(value)) return [row(value, "")]
    if (isDescribed(value)) {
      const labels = Object.entries(value.labels).map(([name, meaning]) => `\`${name}\`: ${meaning}`)
      return [row(value.series(), labels.join("; "))]
    }
    if (!isLabelled(value)) return []
    const own = value.values.filter((each) => !failureCodes.has(each))
    const more = own.length < value.values.length ? " or a failure code" : ""
    const label = `\`${value.label}\`: ${own.map((each) => `\`${each}\``).join(", ")}${more}`
    return value.values.slice(0, 1).map((each) => row(value.of(each), label))
  })
  .toSorted()

/** The names under which Prometheus keeps these metrics. */
export const prometheusNames: ReadonlySet<string> = new Set(
  metrics.flatMap(({ id, type }) =>
    type === "Histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => `${id}${suffix}`) : [id]
  )
)

export const spanRows: ReadonlyArray<string> = Object.entries(Telemetry.spans)
  .map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  .toSorted()
