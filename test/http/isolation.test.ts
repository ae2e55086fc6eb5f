// Who may do what, over every endpoint that the interface declares: one that is added is covered, or fails here.
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted, Stream } from "effect"
import { HttpBody, HttpClient, HttpClientRequest, HttpMethod } from "effect/http"
import { TestClock } from "effect/testing"
import { TenantId } from "../../src/domain/Ids.ts"
import { Api } from "../../src/http/api/Api.ts"
import { TenantIdentification } from "../../src/http/auth/CurrentTenant.ts"
import { ApiKeys } from "../../src/services/apiKeys/ApiKeys.ts"
import { type Answered, answered, assertProblem, get, pdf, postForm, postJson, postPdf, testServer } from "./client.ts"
import { idOf, inspect } from "./fakes.ts"

const adminKey = "only-for-these-tests"
const configured = (env: Record<string, string>) =>
  testServer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
const guarded = configured({ ADMIN_KEY: adminKey })

const acme = TenantId.make("acme")
const globex = TenantId.make("globex")

/** In the names of what globex has, and in nothing else. */
const marker = "globex-alone"

/** What answers everybody. */
const open: ReadonlySet<string> = new Set(["health.live", "health.ready"])

const bodies: Readonly<Record<string, HttpBody.HttpBody>> = {
  "documents.upload": HttpBody.uint8Array(pdf(), "application/pdf"),
  "documents.retry": HttpBody.jsonUnsafe({ password: "a password" }),
  "ingest.ingest": HttpBody.jsonUnsafe({ pdf_ids: ["a.pdf"] }),
  "search.search": HttpBody.jsonUnsafe({ query: "sales" }),
  "tenants.change": HttpBody.jsonUnsafe({ paused: true }),
  "downstreams.change": HttpBody.jsonUnsafe({ concurrency: 2 }),
  "keys.create": HttpBody.jsonUnsafe({ name: "a key" }),
  "webhook.put": HttpBody.jsonUnsafe({}),
  "webhook.putOf": HttpBody.jsonUnsafe({})
}

/** What a tenant has at most one of, and acme has none. */
const nothingYet: ReadonlyArray<string> = ["webhook.find", "webhook.rotate", "webhook.remove"]

interface Endpoint {
  readonly name: string
  readonly method: HttpMethod.HttpMethod
  readonly path: string
  readonly params: ReadonlyArray<string>
  /** It is about the tenant that the request is of. */
  readonly ofTenant: boolean
}

const endpoints = Object.values(Api.groups).flatMap((group) =>
  Object.values(group.endpoints).map(({ identifier, method, middlewares, path, payload }): Endpoint => {
    const name = `${group.identifier}.${identifier}`
    assert.strictEqual(payload.size > 0, name in bodies, `${name}: a body for it belongs into this test`)
    assert.isTrue(HttpMethod.isHttpMethod(method), method)
    return {
      name,
      method: HttpMethod.isHttpMethod(method) ? method : "GET",
      path,
      params: [...path.matchAll(/:(\w+)/g)].map(([, param]) => param ?? ""),
      ofTenant: middlewares.has(TenantIdentification)
    }
  })
)
const closed = endpoints.filter(({ name }) => !open.has(name))

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

/** Of an answer without end, what comes first. */
const sendUntilAnswered = Effect.fnUntraced(function* (request: HttpClientRequest.HttpClientRequest) {
  const response = yield* HttpClient.execute(request)
  if (!response.headers["content-type"]?.startsWith("text/event-stream")) return yield* answered(response)
  const text = yield* response.stream.pipe(Stream.decodeText, Stream.take(1), Stream.mkString)
  const answer: Answered = { status: response.status, headers: response.headers, text, json: {} }
  return answer
})

/** Two tenants with a key each; globex has a document and a second key, which was revoked. */
const people = Effect.gen(function* () {
  const keys = yield* ApiKeys
  const issue = (tenant: TenantId, name: string) =>
    Effect.map(keys.create(tenant, name), ({ key, text }) => ({ id: key.id, text: Redacted.value(text) }))
  const mine = yield* issue(acme, "mine")
  const theirs = yield* issue(globex, marker)
  const revoked = yield* issue(globex, "old")
  yield* keys.revoke(globex, revoked.id)
  const uploaded = yield* postPdf(`/v1/documents?name=${marker}.pdf`, bearer(theirs.text))
  assert.strictEqual(uploaded.status, 202, uploaded.text)
  const document = idOf(1)

  /** The endpoint's request, about what is globex's. */
  const call = ({ method, name, params, path }: Endpoint, headers: Record<string, string>, query = "") => {
    const theirThings: Readonly<Record<string, string>> = {
      id: document,
      n: "1",
      tenant: globex,
      key: theirs.id,
      name: "ocr",
      stage: "ocr"
    }
    const url = params.reduce((filled, param) => {
      const value = theirThings[param]
      assert.isDefined(value, `${path}: a value for :${param} belongs into this test`)
      return filled.replace(`:${param}`, value ?? "")
    }, path)
    const body = bodies[name]
    const request = HttpClientRequest.make(method)(`${url}${query}`, { headers })
    return sendUntilAnswered(body === undefined ? request : HttpClientRequest.setBody(request, body))
  }
  return { mine: mine.text, theirs: theirs.text, revoked: revoked.text, document, call }
})

const assertRefused = (answer: Answered, code: string) => {
  assertProblem(answer, 401, code)
  assert.strictEqual(answer.headers["www-authenticate"], "Bearer")
  assert.strictEqual(answer.headers["cache-control"], "no-store")
}

const wrongInOneDigit = (key: string) => `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`

describe("A request without a key", () => {
  it.effect("gets nothing but the health of the service and its description", () =>
    Effect.gen(function* () {
      const { call } = yield* people
      const before = yield* inspect
      for (const endpoint of closed) assertRefused(yield* call(endpoint, {}), "AUTH_REQUIRED")
      for (const endpoint of closed) {
        assertRefused(yield* call(endpoint, { "x-tenant-id": "globex" }), "AUTH_REQUIRED")
        assertRefused(yield* call(endpoint, { authorization: "Basic Z2xvYmV4Og==" }), "AUTH_REQUIRED")
      }
      for (const path of ["/v1", "/v1/documents/", "/nowhere", "/docs/", "/health/live/x", "/dashboard/a/b"]) {
        assertRefused(yield* get(path), "AUTH_REQUIRED")
      }
      assert.deepStrictEqual(yield* inspect, before)
      for (const endpoint of endpoints.filter(({ name }) => open.has(name))) {
        assert.strictEqual((yield* call(endpoint, {})).status, 200)
      }
      for (const path of ["/", "/docs", "/openapi.json"]) assert.strictEqual((yield* get(path)).status, 200, path)
    }).pipe(Effect.provide(guarded))
  )
})

describe("A request with a key that is none", () => {
  it.effect("gets the same answer everywhere, whatever is wrong with the key", () =>
    Effect.gen(function* () {
      const { call, revoked, theirs } = yield* people
      const before = yield* inspect
      const refusals = new Set<string>()
      for (const headers of [
        bearer(wrongInOneDigit(theirs)),
        bearer(revoked),
        bearer("x"),
        bearer(`${adminKey}x`),
        { "x-api-key": theirs.slice(0, -1) }
      ]) {
        for (const endpoint of closed) {
          yield* TestClock.adjust("1 minute")
          const answer = yield* call(endpoint, headers)
          assertRefused(answer, "KEY_UNKNOWN")
          refusals.add(answer.text)
        }
      }
      assert.strictEqual(refusals.size, 1)
      assert.deepStrictEqual(yield* inspect, before)
    }).pipe(Effect.provide(guarded))
  )
})

describe("A request with the key of another tenant", () => {
  it.effect("finds nothing of it, and changes nothing", () =>
    Effect.gen(function* () {
      const { call, document, mine, theirs } = yield* people
      const globexSees = Effect.all([
        get(`/v1/documents/${document}`, bearer(theirs)),
        get("/v1/tenants/globex/keys", bearer(adminKey))
      ])
      const before = yield* globexSees
      for (const answer of before) assert.include(answer.text, marker)
      for (const endpoint of closed) {
        const answer = yield* call(endpoint, bearer(mine))
        assert.notInclude(answer.text, marker, endpoint.name)
        if (endpoint.params.includes("id")) assertProblem(answer, 404, "DOCUMENT_NOT_FOUND")
        else if (endpoint.params.includes("tenant")) assertProblem(answer, 403, "FORBIDDEN")
        else if (!endpoint.ofTenant) assertProblem(answer, 403, "FORBIDDEN")
        else if (answer.status === 404) assert.include(nothingYet, endpoint.name)
        else if (answer.status >= 400) assertProblem(answer, 403, "FORBIDDEN")
      }
      const texts = (answers: ReadonlyArray<Answered>) => answers.map(({ status, text }) => [status, text])
      assert.deepStrictEqual(texts(yield* globexSees), texts(before))
    }).pipe(Effect.provide(guarded))
  )

  it.effect("is refused when it claims to be of that tenant", () =>
    Effect.gen(function* () {
      const { call, mine } = yield* people
      const before = yield* inspect
      for (const endpoint of closed.filter(({ ofTenant }) => ofTenant)) {
        assertProblem(yield* call(endpoint, { ...bearer(mine), "x-tenant-id": "globex" }), 403, "TENANT_MISMATCH")
        assertProblem(yield* call(endpoint, bearer(mine), "?tenant_id=globex"), 403, "TENANT_MISMATCH")
        const both = { ...bearer(mine), "x-tenant-id": "acme" }
        assertProblem(yield* call(endpoint, both, "?tenant_id=globex"), 403, "TENANT_MISMATCH")
      }
      const json = { tenant_id: "globex", pdf_ids: ["a.pdf"] }
      assertProblem(yield* postJson("/pdf/ingest", json, bearer(mine)), 403, "TENANT_MISMATCH")
      const form = [
        ["tenant_id", "globex"],
        ["file", pdf(), "a.pdf"]
      ] as const
      assertProblem(yield* postForm(form, bearer(mine)), 403, "TENANT_MISMATCH")
      assert.deepStrictEqual(yield* inspect, before)
      assert.strictEqual(
        (yield* postForm(
          form.map((part) => (part[0] === "file" ? part : ["tenant_id", "acme"])),
          bearer(mine)
        )).status,
        202
      )
      assert.strictEqual((yield* inspect).submissions.at(-1)?.tenant, "acme")
    }).pipe(Effect.provide(guarded))
  )

  it.effect("does not show the whole engine", () =>
    Effect.gen(function* () {
      const { mine } = yield* people
      assertProblem(yield* get("/queue/status?scope=all", bearer(mine)), 403, "FORBIDDEN")
      assertProblem(yield* get("/v1/tenants", bearer(mine)), 403, "FORBIDDEN")
      assert.strictEqual((yield* get("/queue/status", bearer(mine))).status, 200)
    }).pipe(Effect.provide(guarded))
  )
})

describe("A request with the tenant's own key", () => {
  it.effect("is the tenant's, without a word about it or with the tenant's name", () =>
    Effect.gen(function* () {
      const { document, theirs } = yield* people
      for (const headers of [
        bearer(theirs),
        { authorization: `bEARER  ${theirs}` },
        { "x-api-key": theirs },
        { ...bearer(theirs), "x-tenant-id": "globex" }
      ]) {
        const seen = yield* get(`/v1/documents/${document}`, headers)
        assert.strictEqual(seen.status, 200, seen.text)
        assert.deepInclude((yield* get("/v1/tenant", headers)).json, { tenantId: "globex" })
      }
    }).pipe(Effect.provide(guarded))
  )
})

describe("A request with the administrator's key", () => {
  it.effect("is of the tenant that it names, and may see all", () =>
    Effect.gen(function* () {
      const { document } = yield* people
      const admin = bearer(adminKey)
      assert.deepInclude((yield* get("/v1/tenant", admin)).json, { tenantId: "default" })
      assert.deepInclude((yield* get("/v1/tenant", { ...admin, "x-tenant-id": "acme" })).json, { tenantId: "acme" })
      assert.strictEqual((yield* get(`/v1/documents/${document}`, { ...admin, "x-tenant-id": "globex" })).status, 200)
      assertProblem(yield* get(`/v1/documents/${document}`, admin), 404, "DOCUMENT_NOT_FOUND")
      for (const path of [
        "/queue/status?scope=all",
        "/v1/tenants/globex",
        "/v1/tenants",
        "/v1/workers",
        "/v1/runners",
        "/v1/downstreams"
      ]) {
        assert.strictEqual((yield* get(path, admin)).status, 200, path)
      }
    }).pipe(Effect.provide(guarded))
  )
})

describe("A server with AUTH=off", () => {
  for (const env of [{}, { AUTH: "off", ADMIN_KEY: adminKey }]) {
    it.effect(`believes every claim on the loopback (${JSON.stringify(Object.keys(env))})`, () =>
      Effect.gen(function* () {
        yield* postPdf(`/v1/documents?name=${marker}.pdf`, { "x-tenant-id": "globex" })
        const path = `/v1/documents/${idOf(1)}`
        assert.strictEqual((yield* get(path, { "x-tenant-id": "globex" })).status, 200)
        assert.strictEqual((yield* get(`${path}?tenant_id=globex`, bearer("whatever"))).status, 200)
        assertProblem(yield* get(path), 404, "DOCUMENT_NOT_FOUND")
        assert.strictEqual((yield* get("/queue/status?scope=all")).status, 200)
        assertProblem(yield* get("/nowhere"), 404, "ROUTE_NOT_FOUND")
      }).pipe(Effect.provide(configured(env)))
    )
  }
})
