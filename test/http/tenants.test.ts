import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import * as Engine from "../../src/actors/Engine.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import * as Server from "../../src/http/Server.ts"
import * as ApiKeysMemory from "../../src/services/apiKeys/ApiKeysMemory.ts"
import * as BlobStoreMemory from "../../src/services/BlobStoreMemory.ts"
import { StoreUnavailable } from "../../src/services/store/StoreErrors.ts"
import { layerMemory } from "../../src/services/store/memory/StoreMemory.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { Events } from "../../src/services/Events.ts"
import { makeScriptedEngine, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import * as SecretsMemory from "../../src/services/secrets/SecretsMemory.ts"
import { Sources } from "../../src/services/Sources.ts"
import { TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { until } from "../support/engine.ts"
import { assertProblem, authenticatedServer, get, patchJson, pdf, postJson, postPdf, testServer } from "./client.ts"

/** The interface over the real actors, on a registry that works or not. */
const serverOver = (registry: Layer.Layer<TenantRegistry, never, EngineConfig>) =>
  Server.layer.pipe(
    Layer.provideMerge(Engine.layer),
    Layer.provideMerge(makeScriptedEngine(() => soundDocument(3, "20 seconds")).layer),
    Layer.provide([
      layerMemory,
      ApiKeysMemory.layerMemory,
      BlobStoreMemory.layerMemory,
      SecretsMemory.layerMemory,
      SecureRandom.layerWebCrypto,
      Events.layer(),
      Layer.succeed(Sources, {
        resolve: (text) => Effect.succeed({ _tag: "Url", url: text, name: text }),
        readFile: () => Stream.empty,
        fetch: () => Stream.empty
      })
    ]),
    Layer.provide(registry),
    Layer.provide(EngineConfig.layer({ shutdownGrace: Duration.zero, queueSize: 50, tenantDocuments: 1 })),
    Layer.provideMerge(NodeHttpServer.layerTest)
  )

const server = Layer.suspend(() => serverOver(TenantRegistry.layer({ [TenantId.make("acme")]: { weight: 2 } })))

const defaults = { documents: 1, weight: 1, backlog: 50, pages: 6, rate: null, burst: null, maxStoredBytes: null }
const acme = "/v1/tenants/acme"

describe("A tenant", () => {
  it.effect("is shown to itself, and by its id", () =>
    Effect.gen(function* () {
      const own = yield* get("/v1/tenant")
      assert.strictEqual(own.status, 200, own.text)
      assert.deepInclude(own.json, { tenantId: "default", paused: false, limits: defaults, backlog: 0, running: 0 })
      assert.deepInclude((yield* get("/v1/tenant", { "x-tenant-id": "acme" })).json, { tenantId: "acme" })
      const other = yield* get(acme)
      assert.deepInclude(other.json, { tenantId: "acme", limits: { ...defaults, weight: 2 } })
    }).pipe(Effect.provide(server))
  )

  it.effect("gets other limits at once, alone, and its defaults back for null", () =>
    Effect.gen(function* () {
      const change = { documents: 3, weight: 0.5, backlog: 7, pages: 1, rate: 2.5, burst: 4, maxStoredBytes: 5_000 }
      const changed = yield* patchJson(acme, change)
      assert.strictEqual(changed.status, 200, changed.text)
      assert.deepInclude(changed.json, { tenantId: "acme", paused: false, limits: change })
      assert.deepInclude((yield* get(acme)).json, { limits: change })
      assert.deepInclude((yield* get("/v1/tenant")).json, { limits: defaults })
      assert.deepInclude((yield* patchJson(acme, { weight: null, burst: null })).json, {
        limits: { ...change, weight: 2, burst: 25 }
      })
      assert.deepInclude((yield* patchJson(acme, { rate: null, documents: null })).json, {
        limits: { ...change, documents: 1, weight: 2, rate: null, burst: null }
      })
      assert.deepInclude((yield* patchJson(acme, {})).json, {
        limits: { ...defaults, weight: 2, backlog: 7, pages: 1, maxStoredBytes: 5_000 }
      })
    }).pipe(Effect.provide(server))
  )

  it.effect("starts more documents as soon as it may", () =>
    Effect.gen(function* () {
      const running = (count: number) =>
        Effect.map(get("/queue/status?tenant_id=acme"), ({ json }) => json.processing === count)
      for (const size of [64, 65]) {
        assert.strictEqual((yield* postPdf("/v1/documents?tenant_id=acme", {}, pdf(size))).status, 202)
      }
      yield* until(running(1))
      yield* TestClock.adjust("1 second")
      assert.isTrue(yield* running(1))
      assert.strictEqual((yield* patchJson(acme, { documents: 2 })).status, 200)
      yield* until(running(2))
    }).pipe(Effect.provide(server))
  )

  it.effect("is paused and resumed by a change, together with its limits or without", () =>
    Effect.gen(function* () {
      assert.deepInclude((yield* patchJson(acme, { paused: true, weight: 3 })).json, {
        paused: true,
        limits: { ...defaults, weight: 3 }
      })
      yield* postPdf("/v1/documents?tenant_id=acme")
      yield* TestClock.adjust("1 minute")
      const status = Effect.map(get("/queue/status?tenant_id=acme"), ({ json }) => json)
      assert.deepInclude(yield* status, { paused: true, processing: 0, queue_size: 1 })
      assert.deepInclude((yield* patchJson(acme, { weight: null })).json, { paused: true })
      assert.deepInclude((yield* patchJson(acme, { paused: false })).json, { paused: false })
      yield* until(Effect.map(status, ({ processing }) => processing === 1))
    }).pipe(Effect.provide(server))
  )

  it.effect("stays as it is when one field of a change is wrong, and each is told", () =>
    Effect.gen(function* () {
      const refused = yield* patchJson(acme, { documents: 0, weight: 1001, docs: 4, backlog: 3, paused: "yes" })
      assertProblem(refused, 400, "INVALID_REQUEST")
      const errors = Array.isArray(refused.json.errors) ? refused.json.errors : []
      assert.sameMembers(
        errors.map(({ field }) => field),
        ["payload.documents", "payload.weight", "payload.docs", "payload.paused"]
      )
      for (const body of [
        { rate: 0 },
        { rate: "fast" },
        { burst: 1.5 },
        { pages: 1001 },
        { weight: -1 },
        [],
        null,
        3
      ]) {
        assertProblem(yield* patchJson(acme, body), 400, "INVALID_REQUEST")
      }
      assert.deepInclude((yield* get(acme)).json, { paused: false, limits: { ...defaults, weight: 2 } })
    }).pipe(Effect.provide(server))
  )

  it.effect("is told which bound a weight missed", () =>
    Effect.gen(function* () {
      for (const [weight, bound] of [
        [0.0001, "0.001"],
        [1000.5, "1000"]
      ] as const) {
        const refused = yield* patchJson(acme, { weight })
        assertProblem(refused, 400, "INVALID_REQUEST")
        const errors = Array.isArray(refused.json.errors) ? refused.json.errors : []
        assert.deepStrictEqual(
          errors.map(({ field }) => field),
          ["payload.weight"]
        )
        assert.include(errors[0]?.message, bound)
      }
      for (const weight of [0.001, 1000]) {
        assert.deepInclude((yield* patchJson(acme, { weight })).json, { limits: { ...defaults, weight } })
      }
    }).pipe(Effect.provide(server))
  )

  it.effect("is refused what would take it beyond the bytes that it may have stored, and told what to do", () =>
    Effect.gen(function* () {
      const { limits } = (yield* patchJson(acme, { maxStoredBytes: 100 })).json
      assert.deepInclude(limits, { maxStoredBytes: 100 })
      const upload = postPdf("/v1/documents?force=true", { "x-tenant-id": "acme" }, pdf(64))
      assert.strictEqual((yield* upload).status, 202)
      const refused = yield* upload
      assertProblem(refused, 507, "TENANT_STORAGE_FULL")
      assert.deepInclude(refused.json, { limit: 100 })
      assert.match(String(refused.json["advice"]), /Remove documents/)
      assert.deepInclude((yield* get(acme)).json, { storedBytes: 64 })
      yield* patchJson(acme, { maxStoredBytes: null })
      assert.strictEqual((yield* upload).status, 202)
    }).pipe(Effect.provide(server))
  )

  it.effect("has a burst only with a rate, and keeps it while there is none", () =>
    Effect.gen(function* () {
      assert.deepInclude((yield* patchJson(acme, { burst: 30 })).json, { limits: { ...defaults, weight: 2 } })
      const limits = { ...defaults, weight: 2, rate: 5 }
      assert.deepInclude((yield* patchJson(acme, { rate: 5 })).json, { limits: { ...limits, burst: 30 } })
      assert.deepInclude((yield* patchJson(acme, { burst: null })).json, { limits: { ...limits, burst: 50 } })
    }).pipe(Effect.provide(server))
  )

  it.effect("that is paused has no wait that could be estimated", () =>
    Effect.gen(function* () {
      yield* patchJson(acme, { paused: true })
      assert.deepInclude((yield* get("/queue/status?tenant_id=acme")).json, { paused: true, estimated_wait_time: null })
      yield* patchJson(acme, { paused: false })
      assert.deepInclude((yield* get("/queue/status?tenant_id=acme")).json, { paused: false, estimated_wait_time: 0 })
    }).pipe(Effect.provide(server))
  )

  it.effect("with an id that cannot be is refused", () =>
    Effect.gen(function* () {
      for (const path of ["/v1/tenants/-a", `/v1/tenants/${"a".repeat(65)}`, "/v1/tenants/a%2Fb"]) {
        assertProblem(yield* get(path), 400, "INVALID_REQUEST")
        assertProblem(yield* patchJson(path, { weight: 2 }), 400, "INVALID_REQUEST")
      }
    }).pipe(Effect.provide(server))
  )

  it.effect("is told when its change could not be kept", () =>
    Effect.gen(function* () {
      const refused = yield* patchJson(acme, { weight: 2, paused: true })
      assertProblem(refused, 503, "STORE_UNAVAILABLE")
      assert.isDefined(refused.headers["retry-after"])
      assert.deepInclude((yield* get("/queue/status?tenant_id=acme")).json, { paused: false })
    }).pipe(
      Effect.provide(
        Layer.suspend(() =>
          serverOver(
            Layer.effect(
              TenantRegistry,
              Effect.map(TenantRegistry, (registry) => ({
                ...registry,
                update: () => Effect.fail(new StoreUnavailable({ operation: "change limits", cause: "disk on fire" }))
              }))
            ).pipe(Layer.provide(TenantRegistry.layer()))
          )
        )
      )
    )
  )
})

describe("The list of tenants", () => {
  it.effect("has what each may have, has, and gets, when that is asked for", () =>
    Effect.gen(function* () {
      for (const tenant of ["acme", "globex"]) {
        yield* postJson(`/v1/tenants/${tenant}/keys`, { name: "first" })
        assert.strictEqual((yield* postPdf(`/v1/documents?tenant_id=${tenant}`)).status, 202)
      }
      yield* patchJson("/v1/tenants/globex", { paused: true })
      const states = []
      for (const tenant of ["acme", "globex"]) states.push((yield* get(`/v1/tenants/${tenant}`)).json)
      assert.deepStrictEqual((yield* get("/v1/tenants?detail=state")).json, {
        tenants: states.map((state) => ({ tenantId: state.tenantId, keys: 1, state }))
      })
      const part = yield* get("/v1/tenants?detail=state&limit=1")
      assert.deepStrictEqual(part.json, {
        tenants: [{ tenantId: "acme", keys: 1, state: states[0] }],
        nextCursor: "acme"
      })
      assert.deepInclude((yield* get("/v1/tenants?limit=1")).json, { tenants: [{ tenantId: "acme", keys: 1 }] })
      assertProblem(yield* get("/v1/tenants?detail=limits"), 400, "INVALID_REQUEST")
    }).pipe(Effect.provide(server))
  )
})

describe("An authenticated tenant", () => {
  it.effect("sees itself and pauses itself, but neither others nor its own limits are its to change", () =>
    Effect.gen(function* () {
      assert.deepInclude((yield* get("/v1/tenant")).json, { tenantId: "a" })
      assert.deepInclude((yield* get("/v1/tenants/a")).json, { tenantId: "a" })
      assert.strictEqual((yield* patchJson("/v1/tenants/a", { paused: true })).status, 200)
      assertProblem(yield* patchJson("/v1/tenants/a", { weight: 1000 }), 403, "FORBIDDEN")
      assertProblem(yield* get("/v1/tenants/b"), 403, "FORBIDDEN")
      assertProblem(yield* patchJson("/v1/tenants/b", { weight: 2 }), 403, "FORBIDDEN")
      assertProblem(yield* patchJson("/v1/tenants/b", { paused: true }), 403, "FORBIDDEN")
    }).pipe(Effect.provide(authenticatedServer))
  )
})

describe("A page of another site", () => {
  it.effect("changes no limits", () =>
    Effect.gen(function* () {
      const forged = yield* patchJson(acme, { weight: 2 }, { "sec-fetch-site": "cross-site" })
      assertProblem(forged, 403, "CROSS_SITE")
    }).pipe(Effect.provide(testServer))
  )
})
