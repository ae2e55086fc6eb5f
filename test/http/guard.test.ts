import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { HttpBody, HttpClientRequest } from "effect/http"
import {
  assertProblem,
  authenticatedServer,
  get,
  post,
  postPdf,
  rawConnection,
  remove,
  send,
  testServer
} from "./client.ts"
import { inspect } from "./fakes.ts"

const configured = (env: Record<string, string>) =>
  testServer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env))))

/** All of the answer to a request with these header lines, which no client of its own adds to. */
const answerTo = Effect.fnUntraced(function* (request: string, ...headers: ReadonlyArray<string>) {
  const connection = yield* rawConnection
  yield* connection.write([request, ...headers, "connection: close", "", ""].join("\r\n"))
  return yield* connection.answer
}, Effect.scoped)

const isAnswered = Effect.fnUntraced(function* (host: string) {
  assert.match(yield* answerTo("GET /v1/documents HTTP/1.1", `host: ${host}`), /^HTTP\/1.1 200 /, host)
})

const isRefused = Effect.fnUntraced(function* (request: string, ...headers: ReadonlyArray<string>) {
  const answer = yield* answerTo(request, ...headers)
  assert.match(answer, /^HTTP\/1.1 403 /, headers.join())
  for (const text of ['"code":"HOST_REFUSED"', "ALLOWED_HOSTS"]) assert.include(answer, text)
})

describe("the Host of a request", () => {
  it.effect("is a name of this machine, with any port", () =>
    Effect.gen(function* () {
      for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:3000", "127.9.9.9", "[::1]", "[::1]:80"]) {
        yield* isAnswered(host)
      }
      for (const host of [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:127.0.0.1",
        "evil.example@localhost",
        "192.168.0.1",
        "[::2]",
        ""
      ]) {
        yield* isRefused("GET /v1/documents HTTP/1.1", `host: ${host}`)
      }
      for (const path of ["/nowhere", "/docs", "/health/live"]) {
        yield* isRefused(`GET ${path} HTTP/1.1`, "host: evil.example")
      }
      yield* isRefused("GET /v1/documents HTTP/1.0")
      yield* isRefused("POST /v1/tenant/pause HTTP/1.1", "host: evil.example", "content-length: 0")
    }).pipe(Effect.provide(configured({})))
  )

  it.effect("is also a name that the configuration allows", () =>
    Effect.gen(function* () {
      for (const host of ["pdf.example", "PDF.example:8443", "other.example", "127.0.0.1"]) yield* isAnswered(host)
      yield* isRefused("GET /v1/documents HTTP/1.1", "host: a.pdf.example")
    }).pipe(Effect.provide(configured({ ALLOWED_HOSTS: "pdf.example, Other.example" })))
  )

  it.effect("is of no concern where tenants are authenticated", () =>
    isAnswered("pdf.example").pipe(Effect.provide(authenticatedServer))
  )
})

describe("a server that believes every claim", () => {
  it.effect("does not start with a setting that only one with keys reads, if that is wrong", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(configured({ TRUSTED_PROXIES: "foo" }))))
      assert.include(error.message, "TRUSTED_PROXIES")
    })
  )
})

describe("a request that a page makes a browser send", () => {
  it.effect("changes something only if the page is of this very origin", () =>
    Effect.gen(function* () {
      for (const site of ["cross-site", "same-site", "anything"]) {
        const headers = { "sec-fetch-site": site, origin: "http://localhost:9999" }
        assertProblem(yield* postPdf("/v1/documents", headers), 403, "CROSS_SITE")
        assertProblem(yield* post("/v1/tenant/pause", HttpBody.empty, headers), 403, "CROSS_SITE")
        assertProblem(yield* remove("/v1/documents/x", headers), 403, "CROSS_SITE")
        assert.strictEqual((yield* get("/v1/documents", headers)).status, 200)
      }
      assert.deepStrictEqual((yield* inspect).submissions, [])
      for (const site of ["same-origin", "none"]) {
        assert.strictEqual((yield* postPdf("/v1/documents", { "sec-fetch-site": site })).status, 202)
      }
    }).pipe(Effect.provide(testServer))
  )
})

describe("a request with an Origin, of a browser that does not tell its site", () => {
  const statusOf = Effect.fnUntraced(function* (host: string, ...headers: ReadonlyArray<string>) {
    const answer = yield* answerTo("POST /v1/tenant/pause HTTP/1.1", `host: ${host}`, "content-length: 0", ...headers)
    const status = Number(answer.split(" ", 2)[1])
    if (status === 403) assert.include(answer, '"code":"CROSS_SITE"')
    return status
  })

  it.effect("changes something only if that is the host that it is sent to", () =>
    Effect.gen(function* () {
      for (const [host, origin] of [
        ["127.0.0.1:3000", "http://127.0.0.1:3000"],
        ["LOCALHOST:3000", "http://localhost:3000"],
        ["[::1]:3000", "http://[::1]:3000"],
        ["localhost", "http://localhost"],
        ["pdf.example", "https://pdf.example"],
        ["pdf.example:443", "https://pdf.example"]
      ] as const) {
        assert.strictEqual(yield* statusOf(host, `origin: ${origin}`), 200, origin)
      }
      for (const origin of [
        "http://evil.example",
        "http://127.0.0.1:9999",
        "http://localhost:3000",
        "http://127.0.0.1:3000.evil.example",
        "null",
        "file://",
        "127.0.0.1:3000",
        ""
      ]) {
        assert.strictEqual(yield* statusOf("127.0.0.1:3000", `origin: ${origin}`), 403, origin)
        assert.strictEqual(yield* statusOf("127.0.0.1:3000", `origin: ${origin}`, "sec-fetch-site: none"), 403, origin)
      }
      // A proxy that sends on a Host of its own.
      const behind = ["origin: https://pdf.example", "sec-fetch-site: same-origin"]
      assert.strictEqual(yield* statusOf("127.0.0.1:3000", ...behind), 200)
      assert.strictEqual(yield* statusOf("127.0.0.1:3000"), 200)
    }).pipe(Effect.provide(configured({ ALLOWED_HOSTS: "pdf.example" })))
  )
})

describe("a request with a method that its path does not have", () => {
  it.effect("learns which it has", () =>
    Effect.gen(function* () {
      for (const [method, path, allow] of [
        ["PUT", "/v1/documents", "GET, HEAD, POST"],
        ["PATCH", "/v1/documents/x", "DELETE, GET, HEAD"],
        ["GET", "/pdf/ingest", "POST"],
        ["DELETE", "/queue/status?scope=all", "GET, HEAD"]
      ] as const) {
        const answer = yield* send(HttpClientRequest.make(method)(path))
        assertProblem(answer, 405, "METHOD_NOT_ALLOWED")
        assert.strictEqual(answer.headers.allow, allow)
      }
    }).pipe(Effect.provide(testServer))
  )
})
