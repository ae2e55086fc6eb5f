import { execFileSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Schema } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { format } from "effect/observability/PrometheusMetrics"
import { makeUsageGauges } from "../../src/actors/scheduling/UsageGauges.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { middleware } from "../../src/http/edge/RequestMetrics.ts"
import * as ProcessMetrics from "../../src/layers/observability/ProcessMetrics.ts"
import * as Telemetry from "../../src/observability/Telemetry.ts"

/** The tool of Prometheus, if this machine has it: it knows the format and the conventions for names. */
const promtool = (args: ReadonlyArray<string>, input: string) => {
  try {
    return execFileSync("promtool", args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] })
  } catch (error) {
    if (Schema.is(Schema.Struct({ code: Schema.Literal("ENOENT") }))(error)) return ""
    throw error
  }
}

const lines = (exposition: string, name: string) =>
  exposition.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))

/** Runs in a registry of its own, and answers with what Prometheus would get afterwards. */
const exposed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.andThen(effect, format()).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))

const answering = (method: string, path: string, status: number) =>
  middleware(Effect.succeed(HttpServerResponse.empty({ status }))).pipe(
    Effect.provideService(
      HttpServerRequest.HttpServerRequest,
      HttpServerRequest.fromWeb(new Request(`http://sluice${path}`, { method }))
    )
  )

describe("the metrics as Prometheus gets them", () => {
  it.effect("pass the checks of its own tool, and begin at zero", () =>
    Effect.gen(function* () {
      const exposition = yield* exposed(
        Effect.gen(function* () {
          yield* Layer.build(ProcessMetrics.layer)
          yield* Metric.update(Telemetry.shareReceived.series("acme"), 1)
          yield* Metric.update(Telemetry.shareEntitled.series("acme"), 1)
          yield* answering("GET", "/health/live", 200)
        })
      )
      assert.strictEqual(promtool(["check", "metrics"], exposition), "")
      assert.deepStrictEqual(lines(exposition, "sluice_documents_accepted_total"), [
        "sluice_documents_accepted_total 0"
      ])
      assert.include(exposition, 'sluice_documents_refused_total{reason="tenant_rate"} 0')
      assert.include(exposition, 'sluice_gate_wait_seconds_bucket{gate="page",le="+Inf"} 0')
      assert.include(exposition, "# HELP sluice_page_duration_seconds Worker time of one page.\n")
      assert.match(exposition, /^sluice_process_resident_memory_bytes [1-9]\d+$/m)
      assert.match(exposition, /^sluice_process_cpu_seconds_total \d/m)
    })
  )

  it.effect("count requests by route and kind of answer, and never by a stranger's path or method", () =>
    Effect.gen(function* () {
      const exposition = yield* exposed(
        Effect.all([
          answering("POST", "/v1/documents?name=x", 202),
          answering("POST", "/v1/documents", 429),
          answering("GET", "/v1/documents/019ab000-0000-7000-8000-000000000001", 200),
          answering("GET", "/wp-admin", 404),
          answering("PROPFIND", "/wp-admin", 404)
        ])
      )
      assert.deepStrictEqual(lines(exposition, "sluice_http_requests_total").toSorted(), [
        'sluice_http_requests_total{method="GET",route="/v1/documents/:id",status="2xx"} 1',
        'sluice_http_requests_total{method="GET",route="none",status="4xx"} 1',
        'sluice_http_requests_total{method="POST",route="/v1/documents",status="2xx"} 1',
        'sluice_http_requests_total{method="POST",route="/v1/documents",status="4xx"} 1',
        'sluice_http_requests_total{method="other",route="none",status="4xx"} 1'
      ])
      assert.include(
        lines(exposition, "sluice_http_request_duration_seconds_count"),
        'sluice_http_request_duration_seconds_count{method="POST",route="/v1/documents"} 2'
      )
      assert.deepStrictEqual(lines(exposition, "sluice_http_requests_in_flight"), ["sluice_http_requests_in_flight 0"])
    })
  )

  it.effect("show a bounded number of tenants however many come and go", () =>
    Effect.gen(function* () {
      const show = makeUsageGauges()
      const round = (first: number) => {
        const parts = Array.from({ length: 50 }, (_, index) => ({ entitled: 0.02, received: index / 1225 }))
        return show(new Map(parts.map((part, index) => [TenantId.make(`t${first + index}`), part])), 0.75)
      }
      const exposition = yield* exposed(Effect.andThen(round(0), Effect.andThen(round(100), round(200))))
      const shown = lines(exposition, "sluice_tenant_share_received_ratio")
      assert.lengthOf(shown, Telemetry.tenantsShown + 1)
      assert.isTrue(shown.some((line) => line.includes(`{tenant="t249"}`)))
      const parts = shown.map((line) => Number(line.split(" ").at(-1)))
      assert.approximately(
        parts.reduce((sum, part) => sum + part, 0),
        1,
        1e-9
      )
      assert.deepStrictEqual(lines(exposition, "sluice_fairness_ratio"), ["sluice_fairness_ratio 0.75"])
    })
  )

  it.effect("count a tenant called other among the others", () =>
    Effect.gen(function* () {
      const parts = new Map([
        [TenantId.make(Telemetry.otherTenants), { entitled: 0.5, received: 0.75 }],
        [TenantId.make("acme"), { entitled: 0.5, received: 0.25 }]
      ])
      const exposition = yield* exposed(makeUsageGauges()(parts, 1))
      assert.deepStrictEqual(lines(exposition, "sluice_tenant_share_received_ratio").toSorted(), [
        'sluice_tenant_share_received_ratio{tenant="acme"} 0.25',
        'sluice_tenant_share_received_ratio{tenant="other"} 0.75'
      ])
    })
  )
})
