/**
 * Export of logs, traces and metrics. Everything is switched by the standard variables: LOG_LEVEL for the logs on the console,
 * OTEL_* for export. Without an endpoint no OpenTelemetry package is loaded.
 */
import { isatty } from "node:tty"
import { Config, Effect, Layer, Logger, LogLevel, Option, References, Schema, Tracer } from "effect"
import * as ProcessMetrics from "./ProcessMetrics.ts"

const stdout = 1

const levelOf = (text: string) => LogLevel.values.find((level) => level.toLowerCase() === text.toLowerCase())

/** `LOG_LEVEL`. */
export const LogLevelConfig = Config.schema(
  Schema.String.check(
    Schema.makeFilter((text: string) => levelOf(text) !== undefined || `one of ${LogLevel.values.join(", ")}`)
  ),
  "LOG_LEVEL"
).pipe(
  Config.map((text) => levelOf(text) ?? "Info"),
  Config.withDefault("Info")
)

/** `LOG_FORMAT`: for people when stdout is a terminal, otherwise one JSON object per line. */
export const LogFormatConfig = Config.Literals(["pretty", "json"], "LOG_FORMAT").pipe(
  Config.withDefault(isatty(stdout) ? "pretty" : "json")
)

export const layerLogs = Layer.unwrap(
  Effect.gen(function* () {
    const level = yield* LogLevelConfig
    const format = yield* LogFormatConfig
    return Layer.merge(
      Logger.layer([format === "pretty" ? Logger.consolePretty() : Logger.consoleJson]),
      Layer.succeed(References.MinimumLogLevel, level)
    )
  })
)

/** Where a signal is exported to; undefined if it is not exported. */
const destination = Effect.fnUntraced(function* (signal: "traces" | "metrics" | "logs") {
  const name = signal.toUpperCase()
  const exporters = yield* text(`OTEL_${name}_EXPORTER`)
  if (Option.isSome(exporters) && !exporters.value.split(",").some((each) => each.trim() === "otlp")) {
    return Option.none<string>()
  }
  const own = yield* text(`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`)
  if (Option.isSome(own)) return own
  const base = yield* text("OTEL_EXPORTER_OTLP_ENDPOINT")
  return Option.map(base, (url) => `${url.replace(/\/+$/, "")}/v1/${signal}`)
})

/** The standard treats an empty variable as one that is not set. */
const text = (name: string) =>
  Effect.map(
    Config.option(Config.String(name)),
    Option.filter((value) => value !== "")
  )

const millis = (name: string, fallback: number) =>
  Config.schema(Schema.NumberFromString.check(Schema.isGreaterThan(0)), name).pipe(Config.withDefault(fallback))

const destinations = Effect.gen(function* () {
  const disabled = yield* text("OTEL_SDK_DISABLED")
  if (Option.exists(disabled, (value) => value.toLowerCase() === "true")) return Option.none()
  const [traces, metrics, logs] = yield* Effect.all([
    destination("traces"),
    destination("metrics"),
    destination("logs")
  ])
  const found = { traces, metrics, logs }
  return Object.values(found).some(Option.isSome) ? Option.some(found) : Option.none()
})

/** What is exported, where to and how often; undefined if nothing is exported. */
export const exportSettings = Effect.gen(function* () {
  const found = yield* destinations
  if (Option.isNone(found)) return undefined
  const interval = yield* millis("OTEL_METRIC_EXPORT_INTERVAL", 60_000)
  const timeout = yield* millis("OTEL_METRIC_EXPORT_TIMEOUT", 30_000)
  return { ...found.value, interval, timeout }
})

/** `OTEL_SERVICE_NAME` and `service.name` in `OTEL_RESOURCE_ATTRIBUTES` override our own name. */
const ownName = Effect.gen(function* () {
  const name = yield* text("OTEL_SERVICE_NAME")
  const attributes = yield* text("OTEL_RESOURCE_ATTRIBUTES")
  const named = Option.isSome(name) || Option.exists(attributes, (value) => /(^|,)\s*service\.name=/.test(value))
  return named ? {} : { resource: { serviceName: "sluice" } }
})

const modules = Effect.promise(() =>
  Promise.all([
    import("@effect/opentelemetry/NodeSdk"),
    import("@opentelemetry/sdk-trace-base"),
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/sdk-logs"),
    import("@opentelemetry/exporter-trace-otlp-proto"),
    import("@opentelemetry/exporter-metrics-otlp-proto"),
    import("@opentelemetry/exporter-logs-otlp-proto")
  ])
)

/**
 * The SDK's tracer would also make each span the active one of OpenTelemetry, in every step of a fiber. That would cost more
 * than all spans together, and only instrumentation of foreign libraries could use it, of which there is none.
 */
const layerSpansAlone = Layer.effect(
  Tracer.Tracer,
  Effect.map(Effect.tracer, (tracer) => Tracer.make({ span: (options) => tracer.span(options) }))
)

/** Without an export no spans are made. */
const layerNoTraces = Layer.succeed(References.TracerEnabled, false)

/**
 * Exports over OTLP (HTTP, protobuf) to where OTEL_EXPORTER_OTLP_ENDPOINT says. The switches are read here; sampler,
 * headers, timeouts and batch sizes are read by the SDK itself. What is buffered is sent when the layer's scope closes.
 */
export const layerOpenTelemetry = Layer.unwrap(
  Effect.gen(function* () {
    const settings = yield* exportSettings
    if (settings === undefined) return layerNoTraces
    const { interval, logs, metrics, timeout, traces } = settings
    const temporality = yield* text("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")
    const resource = yield* ownName
    const [NodeSdk, sdkTraces, sdkMetrics, sdkLogs, otlpTraces, otlpMetrics, otlpLogs] = yield* modules
    const layer = NodeSdk.layer(() => ({
      ...resource,
      spanProcessor: Option.toArray(traces).map(
        (url) => new sdkTraces.BatchSpanProcessor(new otlpTraces.OTLPTraceExporter({ url }))
      ),
      metricReader: Option.toArray(metrics).map(
        (url) =>
          new sdkMetrics.PeriodicExportingMetricReader({
            exporter: new otlpMetrics.OTLPMetricExporter({ url }),
            exportIntervalMillis: interval,
            exportTimeoutMillis: Math.min(timeout, interval)
          })
      ),
      metricTemporality: Option.contains(temporality, "delta") ? "delta" : "cumulative",
      logRecordProcessor: Option.toArray(logs).map(
        (url) => new sdkLogs.BatchLogRecordProcessor({ exporter: new otlpLogs.OTLPLogExporter({ url }) })
      )
    }))
    const own = Option.isNone(traces) ? layerNoTraces : layerSpansAlone
    return Layer.provideMerge(own, Layer.orDie(layer))
  })
)

/** The telemetry of a server. Exported logs are in addition to those on the console. */
export const layer = Layer.merge(layerOpenTelemetry, ProcessMetrics.layer).pipe(Layer.provideMerge(layerLogs))
