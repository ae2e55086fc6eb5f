import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import { Array, ConfigProvider, Effect, Layer, Logger, Metric, Schema, Tracer } from "effect"
import { layerLogs, layerOpenTelemetry } from "../../src/layers/observability/Telemetry.ts"
import * as Telemetry from "../../src/observability/Telemetry.ts"
import { spansIn } from "../support/otlp.ts"
import { otlpReceiver, type Received } from "../support/otlpReceiver.ts"

const program = Effect.gen(function* () {
  yield* Metric.update(Telemetry.documentsAccepted, 1)
  yield* Effect.logInfo("a line for the collector")
}).pipe(Effect.withSpan("Ingestion.submit"))

/** Runs the program under the layer and closes it, which sends what is buffered. */
const runWith = (environment: Record<string, string>) =>
  program.pipe(
    Effect.provide(layerOpenTelemetry.pipe(Layer.provideMerge(Logger.layer([])))),
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(environment)))
  )

const at = (received: ReadonlyArray<Received>, path: string) =>
  received.filter((request) => request.path === path).map((request) => request.body)

describe("export over OTLP", () => {
  it.live("sends spans, metrics and logs to the endpoint before the layer is gone", () =>
    Effect.gen(function* () {
      const { url, received } = yield* otlpReceiver
      yield* runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`, OTEL_RESOURCE_ATTRIBUTES: "service.name=my-sluice" })
      const requests = yield* received
      assert.include(at(requests, "/v1/traces").join(), "Ingestion.submit")
      assert.include(at(requests, "/v1/metrics").join(), "sluice_documents_accepted_total")
      assert.include(at(requests, "/v1/logs").join(), "a line for the collector")
      for (const request of requests) {
        assert.include(request.body, "my-sluice")
        assert.strictEqual(request.headers["content-type"], "application/x-protobuf")
      }
    })
  )

  it.live("calls the service sluice when nothing else is said", () =>
    Effect.gen(function* () {
      const { url, received } = yield* otlpReceiver
      yield* runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SERVICE_NAME: "" })
      assert.match(at(yield* received, "/v1/traces").join(), /service\.name.{0,8}sluice/s)
    })
  )

  it.live("sends a signal to its own endpoint and leaves out the ones that are not wanted", () =>
    Effect.gen(function* () {
      const { url, received } = yield* otlpReceiver
      yield* runWith({
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/elsewhere`,
        OTEL_LOGS_EXPORTER: "none",
        OTEL_METRICS_EXPORTER: "prometheus"
      })
      const paths = Array.dedupe((yield* received).map((request) => request.path))
      assert.deepStrictEqual(paths, ["/elsewhere"])
    })
  )

  it.live("keeps the traces that the sampler names, and those that a caller has decided for", () =>
    Effect.gen(function* () {
      const { received, url } = yield* otlpReceiver
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.stubEnv("OTEL_TRACES_SAMPLER", "parentbased_always_off")),
        () => Effect.sync(() => vi.unstubAllEnvs())
      )
      const callers = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" }
      const submitted = (name: string, sampled: boolean) =>
        Effect.withSpan(Effect.void, name, { parent: Tracer.externalSpan({ ...callers, sampled }) })
      const submissions = Effect.all([
        Effect.withSpan(Effect.void, "nobody decided"),
        submitted("the caller said no", false),
        submitted("the caller said yes", true)
      ])
      yield* submissions.pipe(
        Effect.provide(layerOpenTelemetry),
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url })))
      )
      const spans = (yield* received).flatMap(({ bytes }) => spansIn(bytes))
      assert.deepStrictEqual(
        spans.map(({ name, traceId }) => [name, traceId]),
        [["the caller said yes", callers.traceId]]
      )
    })
  )

  it.live("does nothing in the steps of a fiber between its spans", () =>
    Effect.gen(function* () {
      const { received, url } = yield* otlpReceiver
      const environment = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url }
      yield* Effect.gen(function* () {
        assert.isUndefined((yield* Effect.tracer).context)
        yield* Effect.withSpan(Effect.withSpan(Effect.void, "inner"), "outer")
      }).pipe(
        Effect.provide(layerOpenTelemetry),
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(environment)))
      )
      const [inner, outer] = (yield* received).flatMap(({ bytes }) => spansIn(bytes))
      assert.deepStrictEqual([inner?.name, inner?.parentId], ["inner", outer?.spanId])
    })
  )

  it.live("sends nothing when the SDK is disabled", () =>
    Effect.gen(function* () {
      const { url, received } = yield* otlpReceiver
      yield* runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SDK_DISABLED: "TRUE" })
      assert.deepStrictEqual(yield* received, [])
    })
  )

  it.live("lets the program go on and end when the collector cannot be reached", () =>
    Effect.gen(function* () {
      const gone = yield* Effect.scoped(Effect.map(otlpReceiver, ({ url }) => url))
      yield* runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: gone })
    })
  )

  it("loads no OpenTelemetry package without an endpoint, and does with one", () => {
    assert.deepStrictEqual(loadedPackages({}), [])
    assert.include(loadedPackages({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:9" }), "sdk-trace-base")
  })

  it.live("refuses a log level that does not exist, by its name", () =>
    Effect.gen(function* () {
      const environment = ConfigProvider.layer(ConfigProvider.fromUnknown({ LOG_LEVEL: "loud" }))
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layerLogs.pipe(Layer.provide(environment)))))
      assert.include(error.message, "LOG_LEVEL")
    })
  )
})

/** The OpenTelemetry packages a process has loaded once the layer is built. */
const loadedPackages = (environment: Record<string, string>): ReadonlyArray<string> => {
  const script = `
    import { registerHooks } from "node:module"
    const loaded = new Set()
    registerHooks({
      load(url, context, next) {
        const found = /node_modules\\/@opentelemetry\\/([^/]+)/.exec(url)
        if (found) loaded.add(found[1])
        return next(url, context)
      }
    })
    const { Effect, Layer } = await import("effect")
    const { layer } = await import(${JSON.stringify(fileURLToPath(new URL("../../src/layers/observability/Telemetry.ts", import.meta.url)))})
    await Effect.runPromise(Effect.scoped(Layer.build(layer)))
    process.stdout.write(JSON.stringify([...loaded]))
  `
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: environment,
    encoding: "utf8"
  })
  return Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Schema.String)))(output)
}
