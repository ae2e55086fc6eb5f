import { Metric, Schema } from "effect"
import { FailureCode } from "../../src/domain/Failure.ts"
import * as Telemetry from "../../src/services/Telemetry.ts"

/** The metrics of the engine as rows of the table in docs/telemetry.md. */

type AnyMetric = Metric.Metric<never, unknown>

interface AnyLabelled {
  readonly label: string
  readonly values: ReadonlyArray<string>
  readonly of: (value: string) => AnyMetric
}

const isLabelled = (value: unknown): value is AnyLabelled =>
  typeof value === "object" && value !== null && "label" in value && "of" in value

const failureCodes: ReadonlySet<string> = new Set(FailureCode.literals)

const units = Schema.Record(Schema.String, Schema.String)

const row = (metric: AnyMetric, labels: string): string => {
  const attributes = Schema.decodeUnknownSync(units)(metric.attributes ?? {})
  const unit = attributes["time_unit"] ?? attributes["unit"] ?? "count"
  return `| \`${metric.id}\` | ${metric.type.toLowerCase()} | ${unit} | ${labels} | ${metric.description ?? ""} |`
}

const exported: ReadonlyArray<unknown> = Object.values(Telemetry)

export const metrics: ReadonlyArray<AnyMetric> = exported.flatMap((value) =>
  Metric.isMetric(value) ? [value] : isLabelled(value) ? value.values.map((label) => value.of(label)) : []
)

export const metricRows: ReadonlyArray<string> = exported
  .flatMap((value) => {
    if (Metric.isMetric(value)) return [row(value, "")]
    if (!isLabelled(value)) return []
    const own = value.values.filter((each) => !failureCodes.has(each))
    const more = own.length < value.values.length ? " or a failure code" : ""
    const label = `\`${value.label}\`: ${own.map((each) => `\`${each}\``).join(", ")}${more}`
    return value.values.slice(0, 1).map((each) => row(value.of(each), label))
  })
  .toSorted()

export const spanRows: ReadonlyArray<string> = Object.entries(Telemetry.spans)
  .map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  .toSorted()
