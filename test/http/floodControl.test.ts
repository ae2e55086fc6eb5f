import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Layer } from "effect"
import { FetchHttpClient, HttpServer } from "effect/http"
import { TestClock } from "effect/testing"
import { LimitReached } from "../../src/actors/Ingestion.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { CurrentTenant } from "../../src/http/auth/CurrentTenant.ts"
import { LoadShedding, type RequestHead } from "../../src/http/edge/LoadShedding.ts"
import * as NodeServer from "../../src/http/edge/NodeServer.ts"
import * as Server from "../../src/http/Server.ts"
import { assertProblem, get, postPdf } from "./client.ts"
import { change, fakes } from "./fakes.ts"

const flooder = TenantId.make("flooder")
const full = { code: "TENANT_QUEUE_FULL", message: "the queue is full", limit: 1, retryAfter: 7 }
const headOf = (tenant: string, more: Record<string, string> = {}): RequestHead => ({
  method: "POST",
  url: "/v1/documents?name=a.pdf",
  headers: { "x-tenant-id": tenant, ...more }
})

const refuse = Effect.fnUntraced(function* ({
  error = full,
  explicit = true,
  request = headOf("flooder"),
  tenant = flooder
} = {}) {
  const flood = yield* LoadShedding
  const current = { id: tenant, explicit, authenticated: false, admin: true }
  return yield* flood.refused(request, tenant, error).pipe(Effect.provideService(CurrentTenant, current))
})

/** Refuses at once as often as is possible, and then in a fiber that waits. */
const floodFrom = Effect.fnUntraced(function* (options?: Parameters<typeof refuse>[0]) {
  for (let times = 0; times < 20; times++) yield* refuse(options)
  return yield* Effect.forkChild(refuse(options), { startImmediately: true })
})

/** The answer to a request that is refused by its head, after its pause. */
const answerTo = Effect.fnUntraced(function* (request: RequestHead) {
  const { shed } = yield* LoadShedding
  const answering = yield* Effect.forkChild(shed(request) ?? Effect.undefined, { startImmediately: true })
  yield* TestClock.adjust("250 millis")
  return yield* Fiber.join(answering)
})

describe("flood control", () => {
  it.effect("slows down a tenant that keeps sending, and nobody else", () =>
    Effect.gen(function* () {
      const slowed = yield* floodFrom()
      yield* refuse({ tenant: TenantId.make("other"), request: headOf("other") })
      yield* TestClock.adjust("249 millis")
      assert.isUndefined(slowed.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(slowed.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      yield* refuse()
    }).pipe(Effect.provide(LoadShedding.layer))
  )

  it.effect("knows the sender of too many by the head of its requests, for a second", () =>
    Effect.gen(function* () {
      const { shed } = yield* LoadShedding
      assert.isUndefined(shed(headOf("flooder")))
      yield* floodFrom()
      const response = yield* answerTo({ ...headOf("flooder"), url: "/v1/documents?name=another.pdf" })
      assert.strictEqual(response?.status, 429)
      assert.strictEqual(response?.headers["retry-after"], "7")
      yield* TestClock.adjust("750 millis")
      assert.isUndefined(shed(headOf("flooder")))
    }).pipe(Effect.provide(LoadShedding.layer))
  )

  it.effect("lets one request through each second, and all when it was accepted", () =>
    Effect.gen(function* () {
      const { accepted, shed } = yield* LoadShedding
      yield* floodFrom()
      yield* TestClock.adjust("1 second")
      assert.isUndefined(shed(headOf("flooder")))
      assert.isDefined(shed(headOf("flooder")))
      // What it is told from now on is what the one was told.
      yield* Effect.forkChild(refuse({ error: { ...full, retryAfter: 9 } }), { startImmediately: true })
      assert.strictEqual((yield* answerTo(headOf("flooder")))?.headers["retry-after"], "9")
      yield* accepted(headOf("other"))
      assert.isDefined(shed(headOf("flooder")))
      yield* accepted(headOf("flooder"))
      assert.isUndefined(shed(headOf("flooder")))
    }).pipe(Effect.provide(LoadShedding.layer))
  )

  it.effect("forgets a sender that stopped", () =>
    Effect.gen(function* () {
      const { shed } = yield* LoadShedding
      yield* floodFrom()
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(shed(headOf("flooder")))
      assert.isUndefined(shed(headOf("flooder")))
      // At once.
      yield* refuse()
    }).pipe(Effect.provide(LoadShedding.layer))
  )

  it.effect("takes nobody else for the sender", () =>
    Effect.gen(function* () {
      const { shed } = yield* LoadShedding
      yield* floodFrom()
      assert.isUndefined(shed(headOf("other")))
      assert.isUndefined(shed({ ...headOf("flooder"), url: "/v1/tenant" }))
      assert.isUndefined(shed({ ...headOf("flooder"), method: "GET" }))
      assert.isUndefined(shed(headOf("flooder", { authorization: "Bearer other" })))
      // It may have a right to the answer that it was given before.
      assert.isUndefined(shed(headOf("flooder", { "idempotency-key": "a" })))
      const [path, name] = ["/v1/documents?tenant_id=", { method: "POST", headers: {} }]
      assert.isDefined(shed({ ...name, url: `${path}flooder` }))
      assert.isUndefined(shed({ ...name, url: `${path}other` }))
    }).pipe(Effect.provide(LoadShedding.layer))
  )

  it.effect("knows nobody whose next request might be another's, or smaller", () =>
    Effect.gen(function* () {
      const { shed } = yield* LoadShedding
      yield* floodFrom({ explicit: false })
      yield* TestClock.adjust("1 second")
      yield* floodFrom({ error: { ...full, code: "TENANT_BYTES_IN_FLIGHT" } })
      assert.isUndefined(shed(headOf("flooder")))
    }).pipe(Effect.provide(LoadShedding.layer))
  )
})

const served = HttpServer.layerTestClient.pipe(
  Layer.provide(FetchHttpClient.layer),
  Layer.provideMerge(Server.layer),
  Layer.provideMerge(fakes),
  Layer.provideMerge(NodeServer.layer),
  Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ PORT: "0" })))
)

/** The answer to an upload that did not get as far as its route, which tells of each document. */
const refusedByHead = (headers: Record<string, string>) =>
  Effect.repeat(postPdf("/v1/documents", headers), { until: ({ json }) => !("documents" in json) })

const refusalsCounted = Effect.map(get("/metrics"), ({ text }) =>
  Number(/^sluice_documents_refused_total\{reason="tenant_queue"\} (\d+)$/m.exec(text)?.[1] ?? 0)
)

describe("a flood", () => {
  it.live("is refused before its route, and counted; nobody else is, and not the sender's other requests", () =>
    Effect.gen(function* () {
      const before = yield* refusalsCounted
      yield* change({ refuse: new LimitReached({ limit: "tenant_queue", allowed: 2, retryAfterSeconds: 7 }) })
      const { headers, ...answer } = yield* refusedByHead({ "x-tenant-id": "flooder", "x-request-id": "mine" })
      assertProblem({ headers, ...answer }, 429, "TENANT_QUEUE_FULL")
      assert.deepInclude(answer.json, {
        limit: 2,
        retryAfter: 7,
        advice: "Try again after the time in Retry-After."
      })
      assert.deepInclude(headers, { "retry-after": "7", "x-request-id": "mine", "cache-control": "no-store" })
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
      yield* change({ refuse: undefined })
      assert.strictEqual((yield* get("/v1/tenant", { "x-tenant-id": "flooder" })).status, 200)
      assert.strictEqual((yield* postPdf("/v1/documents", { "x-tenant-id": "other" })).status, 202)
      // The fake engine counts none.
      assert.strictEqual(yield* refusalsCounted, before + 1)
    }).pipe(Effect.provide(served))
  )
})
