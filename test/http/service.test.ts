import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Logger, References, Tracer } from "effect"
import { HttpServer } from "effect/http"
import { HttpConfig } from "../../src/http/edge/HttpConfig.ts"
import * as NodeServer from "../../src/http/edge/NodeServer.ts"
import * as Server from "../../src/http/Server.ts"
import { StoreUnavailable } from "../../src/services/store/StoreErrors.ts"
import { change, fakes, idOf } from "./fakes.ts"
import { assertProblem, authenticatedServer, get, pdf, postForm, postJson, postPdf, testServer } from "./client.ts"

describe("the queue", () => {
  it.effect("is shown for the tenant, and for all tenants on request", () =>
    Effect.gen(function* () {
      yield* postPdf("/v1/documents?tenant_id=a")
      yield* postPdf("/v1/documents?tenant_id=b")
      const status = {
        queue_size: 1,
        max_queue_size: 7,
        processing: 0,
        max_processing: 3,
        max_concurrent: 4,
        total_processed: 11,
        total_failed: 2,
        paused: false,
        estimated_wait_time: 12.5
      }
      assert.deepStrictEqual((yield* get("/queue/status?tenant_id=a")).json, status)
      assert.deepStrictEqual((yield* get("/queue/status?scope=all")).json, { ...status, queue_size: 2 })
      assertProblem(yield* get("/queue/status?scope=some"), 400, "INVALID_REQUEST")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of all tenants is not shown to an authenticated one", () =>
    Effect.gen(function* () {
      assertProblem(yield* get("/queue/status?scope=all"), 403, "FORBIDDEN")
      assert.strictEqual((yield* get("/queue/status")).status, 200)
    }).pipe(Effect.provide(authenticatedServer))
  )
})

describe("the health of the service", () => {
  it.effect("is live and ready", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* get("/health/live"), { status: 200, text: '{"status":"live"}' })
      assert.deepInclude(yield* get("/health/ready"), { status: 200, text: '{"status":"ready"}' })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is not ready without workers or without a store, but live", () =>
    Effect.gen(function* () {
      yield* change({ workers: 0, storeWorks: false })
      const answer = yield* get("/health/ready")
      assertProblem(answer, 503, "NOT_READY")
      assert.deepInclude(answer.json, { reasons: ["no page worker is alive", "the document store does not answer"] })
      assert.strictEqual((yield* get("/health/live")).status, 200)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is not ready while no worker can be had, and says why", () =>
    Effect.gen(function* () {
      yield* change({ workers: 0, unavailable: "it did not become ready in time" })
      const answer = yield* get("/health/ready")
      assertProblem(answer, 503, "NOT_READY")
      assert.deepInclude(answer.json, { reasons: ["no page worker can be had: it did not become ready in time"] })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is not ready once no more work is accepted", () =>
    Effect.gen(function* () {
      yield* change({ accepting: false })
      const answer = yield* get("/health/ready")
      assertProblem(answer, 503, "NOT_READY")
      assert.deepInclude(answer.json, { reasons: ["no more work is accepted"] })
    }).pipe(Effect.provide(testServer))
  )
})

describe("the description of the interface", () => {
  it.effect("lists every path and describes every error as a problem", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/openapi.json")
      const paths = json.paths
      assert.deepStrictEqual(Object.keys(Object(paths)).toSorted(), [
        "/health/live",
        "/health/ready",
        "/metrics",
        "/pdf/ingest",
        "/queue/status",
        "/v1/documents",

        "/v1/documents/retry",
        "/v1/documents/{id}",
        "/v1/documents/{id}/artifacts",
        "/v1/documents/{id}/artifacts/{stage}",
        "/v1/documents/{id}/cancel",
        "/v1/documents/{id}/chunks",
        "/v1/documents/{id}/chunks.ndjson",
        "/v1/documents/{id}/deliveries",
        "/v1/documents/{id}/events",
        "/v1/documents/{id}/html",
        "/v1/documents/{id}/json",
        "/v1/documents/{id}/markdown",
        "/v1/documents/{id}/pages",
        "/v1/documents/{id}/pages.ndjson",
        "/v1/documents/{id}/pages/{n}",
        "/v1/documents/{id}/pages/{n}/artifacts/{stage}",
        "/v1/documents/{id}/pages/{n}/image",
        "/v1/documents/{id}/pages/{n}/thumbnail",
        "/v1/documents/{id}/retry",
        "/v1/documents/{id}/text",
        "/v1/downstreams",
        "/v1/downstreams/{name}",
        "/v1/events",
        "/v1/pipelines",
        "/v1/runners",
        "/v1/search",
        "/v1/tenant",
        "/v1/tenant/pause",
        "/v1/tenant/resume",
        "/v1/tenants",
        "/v1/tenants/{tenant}",
        "/v1/tenants/{tenant}/keys",
        "/v1/tenants/{tenant}/keys/{key}",
        "/v1/tenants/{tenant}/webhook",
        "/v1/tenants/{tenant}/webhook/secret",
        "/v1/usage",
        "/v1/webhook",
        "/v1/webhook/secret",
        "/v1/workers"
      ])
      for (const operations of Object.values(Object(paths))) {
        for (const { responses } of Object.values<{ readonly responses: object }>(Object(operations))) {
          for (const [status, { content }] of Object.entries<{ readonly content: object }>(Object(responses))) {
            if (Number(status) >= 400) assert.deepStrictEqual(Object.keys(content), ["application/problem+json"])
          }
        }
      }
      const upload = JSON.stringify(Object(paths)["/v1/documents"].post)
      for (const text of [
        "multipart/form-data",
        "application/pdf",
        "x-pdf-password",
        "Retry-After",
        '"429"',
        '"503"'
      ]) {
        assert.include(upload, text)
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("gives every operation a name of its own, and every schema", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/openapi.json")
      const names = Object.values<object>(Object(json.paths)).flatMap((operations) =>
        Object.values<{ readonly operationId: string }>(Object(operations)).map(({ operationId }) => operationId)
      )
      assert.deepStrictEqual(names, [...new Set(names)])
      assert.includeMembers(names, ["tenants.own", "tenants.find", "tenants.change", "tenants.pause", "tenants.resume"])
      const schemas = Object.keys(Object(Object(json.components).schemas))
      assert.includeMembers(schemas, ["TenantState", "TenantChange", "TenantPause"])
      assert.deepStrictEqual(
        schemas.filter((name) => /\d$/.test(name)),
        []
      )
    }).pipe(Effect.provide(testServer))
  )

  it.effect("tells what every figure of the queue means", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/openapi.json")
      const status = Object(json.paths)["/queue/status"].get.responses["200"].content["application/json"].schema
      for (const [name, field] of Object.entries<{ readonly description?: string }>(Object(status.properties))) {
        assert.isString(field.description, name)
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is a page that loads nothing from elsewhere", () =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* get("/docs")
      assert.strictEqual(status, 200)
      assert.include(text, "/v1/documents")
      assert.notMatch(text, /<(script|link)[^>]+(src|href)=/)
      assert.include(headers["content-security-policy"] ?? "", "default-src 'none'")
      assert.deepInclude((yield* get("/")).json, { docs: "/docs" })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is where an unknown route points to", () =>
    Effect.gen(function* () {
      assertProblem(yield* get("/v2/documents"), 404, "ROUTE_NOT_FOUND")
    }).pipe(Effect.provide(testServer))
  )
})

/** The server with every log line and every span kept. */
const observed = (env: Record<string, string> = {}) => {
  const lines: Array<string> = []
  const spans: Array<Tracer.Span> = []
  const logger = Logger.map(Logger.formatJson, (line) => void lines.push(line))
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const server = testServer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        ConfigProvider.layer(ConfigProvider.fromEnv({ env })),
        Logger.layer([logger]),
        Layer.succeed(References.MinimumLogLevel)("Trace"),
        Layer.succeed(Tracer.Tracer)(tracer)
      )
    )
  )
  return { lines, server, spans }
}

const shown = (spans: ReadonlyArray<Tracer.Span>) =>
  spans.map((span) => JSON.stringify([span.name, [...span.attributes]])).join("\n")

describe("logs and spans", () => {
  it.effect("never hold a password or a credential", () => {
    const { lines, server, spans } = observed()
    return Effect.gen(function* () {
      const headers = { "x-pdf-password": "hunter2", authorization: "Bearer hunter2", cookie: "a=hunter2" }
      yield* postPdf("/v1/documents", headers)
      yield* postPdf("/v1/documents?password=hunter2")
      yield* postPdf("/v1/documents?priority=100&callback=https://example.com/?t=hunter2", headers)
      yield* postForm([
        ["password", "hunter2"],
        ["file", pdf(), "a.pdf"]
      ])
      yield* postForm([
        ["password", "hunter2".repeat(1000)],
        ["file", pdf(), "a.pdf"]
      ])
      yield* change({ defect: true })
      yield* get("/v1/documents", headers)
      assert.isNotEmpty(lines)
      assert.isNotEmpty(spans)
      assert.notInclude(lines.join("\n"), "hunter2")
      const ours = spans.filter(({ kind }) => kind === "server")
      assert.notInclude(shown(ours), "hunter2")
    }).pipe(Effect.provide(server))
  })

  it.effect("never hold an API key, not even one that was just made or is refused", () => {
    const adminKey = "hunter2-hunter2-hunter2"
    const { lines, server, spans } = observed({ ADMIN_KEY: adminKey })
    return Effect.gen(function* () {
      const admin = { authorization: `Bearer ${adminKey}` }
      const made = yield* postJson("/v1/tenants/acme/keys", { name: "a key" }, admin)
      assert.strictEqual(made.status, 201, made.text)
      const key = String(made.json.key)
      yield* postPdf("/v1/documents", { authorization: `Bearer ${key}` })
      yield* postPdf("/v1/documents?priority=100", { "x-api-key": key })
      yield* get("/v1/documents", { "x-api-key": `${key}0` })
      yield* get(`/v1/documents?api_key=${key}`, admin)
      yield* get("/v1/documents", { authorization: `Basic ${key}` })
      yield* get(`/v1/tenants/acme/keys`, admin)
      yield* change({ defect: true })
      yield* get("/v1/documents", { authorization: `Bearer ${key}` })
      const ours = spans.filter(({ kind }) => kind !== "client")
      for (const told of [lines.join("\n"), shown(ours)]) {
        assert.include(told, String(made.json.id))
        for (const secret of [key, key.slice(-64), "hunter2"]) assert.notInclude(told, secret)
      }
      assert.isTrue(lines.some((line) => line.includes("an unknown API key was refused")))
    }).pipe(Effect.provide(server))
  })

  it.effect("name the route, the tenant and the document", () => {
    const { lines, server, spans } = observed()
    return Effect.gen(function* () {
      yield* postPdf("/v1/documents?tenant_id=acme", { "x-request-id": "my-id" })
      yield* get(`/v1/documents/${idOf(1)}/pages?tenant_id=acme`)
      yield* get("/nowhere/at/all")
      yield* get("/health/live")
      const ours = spans.filter(({ kind }) => kind === "server")
      assert.deepStrictEqual(
        ours.map(({ name }) => name),
        ["POST /v1/documents", "GET /v1/documents/:id/pages", "GET"]
      )
      assert.deepStrictEqual(
        ["tenant.id", "document.id"].map((key) => ours[1]?.attributes.get(key)),
        ["acme", idOf(1)]
      )
      const access = lines.find((line) => line.includes("answered")) ?? ""
      for (const text of ['"my-id"', '"/v1/documents"', '"http.status":202', '"INFO"']) assert.include(access, text)
    }).pipe(Effect.provide(server))
  })

  it.effect("tell that readiness has changed once, and not with every probe", () => {
    const { lines, server } = observed()
    return Effect.gen(function* () {
      yield* change({ workers: 0 })
      for (let probe = 0; probe < 3; probe++) assert.strictEqual((yield* get("/health/ready")).status, 503)
      yield* change({ workers: 1 })
      for (let probe = 0; probe < 3; probe++) assert.strictEqual((yield* get("/health/ready")).status, 200)
      const told = lines.filter((line) => line.includes("ready") && !line.includes('"DEBUG"'))
      assert.lengthOf(told, 2)
      assert.include(told[0], "not ready: no page worker is alive")
      assert.include(told[1], "ready again")
    }).pipe(Effect.provide(server))
  })

  it.effect("name no tenant but the one that the body names", () => {
    const { lines, server, spans } = observed()
    return Effect.gen(function* () {
      yield* change({ refuse: new StoreUnavailable({ operation: "accept", cause: "busy" }) })
      yield* postJson("/pdf/ingest", { tenant_id: "acme", pdf_ids: ["a"] })
      yield* postForm([
        ["tenant_id", "acme"],
        ["file", pdf(), "a.pdf"]
      ])
      const told = lines.filter((line) => line.includes("submission failed"))
      assert.strictEqual(told.length, 2)
      for (const line of told) assert.include(line, '"tenant.id":"acme"')
      assert.notInclude(lines.join("\n"), '"tenant.id":"default"')
      const ours = spans.filter(({ kind }) => kind === "server")
      assert.deepStrictEqual(
        ours.map(({ attributes }) => attributes.get("tenant.id")),
        ["acme", "acme"]
      )
    }).pipe(Effect.provide(server))
  })

  it.effect("tell of a defect once, under the request's id, of which the answer tells nothing else", () => {
    const { lines, server } = observed()
    return Effect.gen(function* () {
      yield* change({ defect: true })
      const answer = yield* get("/v1/documents", { "x-request-id": "my-id" })
      assertProblem(answer, 500, "INTERNAL")
      assert.notInclude(answer.text, "secret")
      assert.strictEqual(answer.headers["x-request-id"], "my-id")
      const told = lines.filter((line) => line.includes("a defect with a secret inside"))
      assert.strictEqual(told.length, 1)
      assert.include(told[0] ?? "", "my-id")
    }).pipe(Effect.provide(server))
  })

  it.effect("take no request id that is not fit for them", () => {
    const { lines, server } = observed()
    return Effect.gen(function* () {
      const answer = yield* get("/health/live", { "x-request-id": "a b;c" })
      assert.match(answer.headers["x-request-id"] ?? "", /^[a-z0-9]+-1$/)
      assert.notInclude(lines.join("\n"), "a b;c")
    }).pipe(Effect.provide(server))
  })
})

describe("the server", () => {
  const configured = (env: Record<string, string>) =>
    HttpConfig.pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env))))

  it.effect("listens on the loopback unless told otherwise, and on nothing else", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* configured({}), {
        host: "127.0.0.1",
        port: 3000,
        reusePort: "off",
        allowedHosts: []
      })
      assert.deepStrictEqual(yield* configured({ HOST: "::1", PORT: "8080" }), {
        host: "::1",
        port: 8080,
        reusePort: "off",
        allowedHosts: []
      })
      for (const HOST of ["0.0.0.0", "::", "192.168.0.1", "example.com", "127.0.0.1.example.com"]) {
        const error = yield* Effect.flip(configured({ HOST }))
        assert.include(error.message, "HOST=127.0.0.1")
      }
      assert.include((yield* Effect.flip(configured({ PORT: "http" }))).message, "PORT")
      assert.deepStrictEqual((yield* configured({ ALLOWED_HOSTS: "a.example, B.example" })).allowedHosts, [
        "a.example",
        "b.example"
      ])
      for (const ALLOWED_HOSTS of ["https://a.example", "a.example:80", "*", "a,,b"]) {
        assert.include((yield* Effect.flip(configured({ ALLOWED_HOSTS }))).message, "ALLOWED_HOSTS")
      }
    })
  )

  it.effect("answers where it is configured to listen", () =>
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const port = "port" in address ? address.port : 0
      const url = `http://127.0.0.1:${port}/health/live`
      const status = yield* Effect.promise(() => fetch(url, { headers: { connection: "close" } }).then((r) => r.status))
      assert.strictEqual(status, 200)
    }).pipe(
      Effect.provide(
        Server.layer.pipe(
          Layer.provide(fakes),
          Layer.provideMerge(NodeServer.layer),
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ PORT: "0" })))
        )
      )
    )
  )
})
