import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer, Option, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpBody } from "effect/http"
import { TestClock } from "effect/testing"
import * as Engine from "../../src/actors/Engine.ts"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import { failure } from "../../src/domain/Failure.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import * as Server from "../../src/http/Server.ts"
import * as ApiKeysMemory from "../../src/services/apiKeys/ApiKeysMemory.ts"
import * as BlobStoreMemory from "../../src/services/BlobStoreMemory.ts"
import { IdempotencyStore } from "../../src/services/store/IdempotencyStore.ts"
import { layerMemory } from "../../src/services/store/memory/StoreMemory.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { Events } from "../../src/services/Events.ts"
import { makeScriptedEngine, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import * as SecretsMemory from "../../src/services/secrets/SecretsMemory.ts"
import { Sources } from "../../src/services/Sources.ts"
import { TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { until } from "../support/engine.ts"
import { type Answered, assertProblem, get, pdf, post, postForm, postJson, postPdf } from "./client.ts"

/** Page 2 can be read at the fourth time only: after three failures it is condemned. */
const script = {
  ...soundDocument(3, "10 millis"),
  page: (number: number, before: number) =>
    number === 2 && before < 3
      ? ({ _tag: "Failed", error: failure("PAGE_UNREADABLE", "damaged") } as const)
      : ({ _tag: "Page", takes: "10 millis" } as const)
}

/** The interface over the real actors, with everything below them in memory. */
const server = Layer.suspend(() =>
  Server.layer.pipe(
    Layer.provideMerge(Engine.layer),
    Layer.provideMerge(makeScriptedEngine(() => script).layer),
    Layer.provideMerge(layerMemory),
    Layer.provide([
      ApiKeysMemory.layerMemory,
      BlobStoreMemory.layerMemory,
      SecretsMemory.layerMemory,
      SecureRandom.layerWebCrypto,
      Events.layer(),
      Layer.succeed(Sources, {
        resolve: (text) => Effect.succeed({ _tag: "Url", url: text, name: text }),
        readFile: () => Stream.empty,
        fetch: () => Stream.make(pdf())
      })
    ]),
    Layer.provide(TenantRegistry.layer()),
    Layer.provide(EngineConfig.layer({ shutdownGrace: Duration.zero })),
    Layer.provideMerge(NodeHttpServer.layerTest)
  )
)

/** Makes the answer that is kept under the key so old: the background loops would run a day's time, were the clock moved. */
const keptFor = Effect.fnUntraced(function* (key: string, age: Duration.Input) {
  const answers = yield* IdempotencyStore
  const reserved = yield* answers.reserve(TenantId.make("default"), key, "1 minute")
  assert(reserved._tag === "Reserved" && Option.isSome(reserved.answer))
  const keptAt = (yield* Clock.currentTimeMillis) - Duration.toMillis(age)
  assert.isTrue(yield* answers.keep(reserved.lease, { ...reserved.answer.value, keptAt }))
})

const idOf = ({ json }: Answered, index = 0): unknown =>
  Array.isArray(json.documents) ? json.documents[index]?.id : undefined
const duplicateOf = ({ json }: Answered, index = 0): unknown =>
  Array.isArray(json.documents) ? json.documents[index]?.duplicateOf : undefined

const hasEnded = (answer: Answered) =>
  Effect.map(
    get(`/v1/documents/${idOf(answer)}`),
    ({ json }) => json.status === "partial" || json.status === "completed"
  )

const other = pdf(65)

describe("an upload of bytes that are there already", () => {
  it.effect("is answered with the existing document, unless a new one is forced", () =>
    Effect.gen(function* () {
      const first = yield* postPdf("/v1/documents?name=a.pdf")
      assert.isUndefined(duplicateOf(first))
      const second = yield* postPdf("/v1/documents?name=a.pdf")
      assert.deepStrictEqual([second.status, idOf(second), duplicateOf(second)], [202, idOf(first), idOf(first)])
      const form = yield* postForm([
        ["file", pdf(), "a.pdf"],
        ["file", other, "d.pdf"],
        ["file", other, "d.pdf"]
      ])
      assert.strictEqual(duplicateOf(form, 0), idOf(first))
      assert.isUndefined(duplicateOf(form, 1))
      assert.strictEqual(duplicateOf(form, 2), idOf(form, 1))
      for (const forced of [
        yield* postPdf("/v1/documents?force=true"),
        yield* postForm([
          ["force", "true"],
          ["file", pdf(), "c.pdf"]
        ])
      ]) {
        assert.strictEqual(forced.status, 202, forced.text)
        assert.isUndefined(duplicateOf(forced))
        assert.notStrictEqual(idOf(forced), idOf(first))
      }
      assertProblem(yield* postPdf("/v1/documents?force=maybe"), 400, "INVALID_REQUEST")
      assert.isUndefined(duplicateOf(yield* postPdf("/v1/documents", { "x-tenant-id": "acme" })))
      assert.isUndefined(duplicateOf(yield* postPdf("/v1/documents", { "x-pdf-password": "hunter2" })))
    }).pipe(Effect.provide(server))
  )
})

describe("a form that fails in the end", () => {
  it.effect("leaves nothing, also when it brought the same bytes twice, but what was there before", () =>
    Effect.gen(function* () {
      const before = yield* postPdf()
      const failed = yield* postForm([
        ["file", other, "a.pdf"],
        ["file", other, "b.pdf"],
        ["file", pdf(), "c.pdf"],
        ["priority", "3"]
      ])
      assertProblem(failed, 400, "FIELD_AFTER_FILE")
      const { json } = yield* get("/v1/documents")
      const left = Array.isArray(json.documents) ? json.documents.map(({ id }) => id) : []
      assert.deepStrictEqual(left, [idOf(before)])
    }).pipe(Effect.provide(server))
  )
})

describe("an idempotency key", () => {
  const keyed = (key: string) => ({ "idempotency-key": key })

  it.effect("gets the first answer again, for the same request only", () =>
    Effect.gen(function* () {
      const path = "/v1/documents?name=a.pdf&force=true"
      const first = yield* postPdf(path, keyed("k1"))
      yield* until(hasEnded(first))
      const again = yield* postPdf(path, keyed("k1"))
      assert.deepStrictEqual([again.status, again.text], [first.status, first.text])
      for (const different of [
        postPdf(path, keyed("k1"), other),
        postPdf(path, keyed("k1"), pdf(63)),
        postPdf("/v1/documents?name=b.pdf&force=true", keyed("k1")),
        postPdf(`${path}&priority=9`, keyed("k1")),
        postPdf(path, { ...keyed("k1"), "x-pdf-password": "hunter2" }),
        postJson("/pdf/ingest", { pdf_ids: ["https://example.org/a.pdf"] }, keyed("k1"))
      ]) {
        assertProblem(yield* different, 409, "IDEMPOTENCY_MISMATCH")
      }
      assert.notStrictEqual(idOf(yield* postPdf(path, { ...keyed("k1"), "x-tenant-id": "acme" })), idOf(first))
      const { json } = yield* get("/v1/documents")
      assert.strictEqual(Array.isArray(json.documents) && json.documents.length, 1)
    }).pipe(Effect.provide(server))
  )

  it.effect("covers forms, also with files that were refused", () =>
    Effect.gen(function* () {
      const parts = (last: Uint8Array) =>
        [
          ["tenant_id", "acme"],
          ["force", "true"],
          ["file", pdf(), "a.pdf"],
          ["file", new TextEncoder().encode("no PDF"), "b.pdf"],
          ["file", last, "c.pdf"]
        ] as const
      const first = yield* postForm(parts(other), keyed("k2"))
      assert.strictEqual(first.status, 202)
      assert.strictEqual((yield* postForm(parts(other), keyed("k2"))).text, first.text)
      assertProblem(yield* postForm(parts(pdf()), keyed("k2")), 409, "IDEMPOTENCY_MISMATCH")
      assertProblem(yield* postForm(parts(other).slice(0, 4), keyed("k2")), 409, "IDEMPOTENCY_MISMATCH")
      assertProblem(
        yield* postForm([...parts(other), ["file", other, "d.pdf"]], keyed("k2")),
        409,
        "IDEMPOTENCY_MISMATCH"
      )
    }).pipe(Effect.provide(server))
  )

  it.effect("covers ingestion by reference", () =>
    Effect.gen(function* () {
      const body = { tenant_id: "acme", pdf_ids: ["https://example.org/a.pdf"], priority: 3 }
      const first = yield* postJson("/pdf/ingest", body, keyed("k3"))
      assert.strictEqual(first.status, 202)
      assert.strictEqual((yield* postJson("/pdf/ingest", body, keyed("k3"))).text, first.text)
      const different = yield* postJson("/pdf/ingest", { ...body, priority: 4 }, keyed("k3"))
      assertProblem(different, 409, "IDEMPOTENCY_MISMATCH")
    }).pipe(Effect.provide(server))
  )

  it.effect("keeps no refusal, and nothing for longer than a day", () =>
    Effect.gen(function* () {
      assertProblem(yield* postPdf("/v1/documents", keyed("k4"), new Uint8Array(10)), 422, "NOT_PDF")
      const first = yield* postPdf("/v1/documents?force=true", keyed("k4"))
      assert.strictEqual(first.status, 202)
      yield* keptFor("k4", "23 hours")
      assert.strictEqual(idOf(yield* postPdf("/v1/documents?force=true", keyed("k4"))), idOf(first))
      yield* keptFor("k4", "24 hours")
      const later = yield* postPdf("/v1/documents?force=true", keyed("k4"), other)
      assert.strictEqual(later.status, 202)
      assert.notStrictEqual(idOf(later), idOf(first))
    }).pipe(Effect.provide(server))
  )

  it.effect("is refused while a request with it is under way", () =>
    Effect.gen(function* () {
      const ingestion = yield* Ingestion
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* ingestion.reserveKey(TenantId.make("default"), "k5")
          for (const answer of [
            yield* postPdf("/v1/documents", keyed("k5")),
            yield* postForm([["file", pdf(), "a.pdf"]], keyed("k5")),
            yield* postJson("/pdf/ingest", { pdf_ids: ["https://example.org/a.pdf"] }, keyed("k5"))
          ]) {
            assertProblem(answer, 409, "IDEMPOTENCY_IN_PROGRESS")
            assert.strictEqual(answer.headers["retry-after"], "5")
          }
          assert.strictEqual((yield* postPdf("/v1/documents?tenant_id=acme", keyed("k5"))).status, 202)
        })
      )
      assert.strictEqual((yield* postPdf("/v1/documents", keyed("k5"))).status, 202)
    }).pipe(Effect.provide(server))
  )

  it.effect("that is none is refused by name", () =>
    Effect.gen(function* () {
      for (const key of ["a b", "x".repeat(256)]) {
        const answer = yield* postPdf("/v1/documents", keyed(key))
        assertProblem(answer, 400, "INVALID_REQUEST")
        assert.include(String(answer.json.detail), "idempotency-key")
      }
    }).pipe(Effect.provide(server))
  )
})

describe("a retry", () => {
  it.effect("queues a partial document again, and is refused for any other", () =>
    Effect.gen(function* () {
      const first = yield* postPdf()
      const path = `/v1/documents/${idOf(first)}/retry`
      assertProblem(yield* post(path, HttpBody.empty), 409, "NOT_RETRYABLE")
      yield* until(hasEnded(first))
      const queued = yield* post(path, HttpBody.empty)
      assert.strictEqual(queued.status, 202, queued.text)
      assert.deepInclude(queued.json, { status: "queued", retries: 1, progress: { pages: 3, done: 2, failed: 0 } })
      yield* until(hasEnded(first))
      const { json } = yield* get(`/v1/documents/${idOf(first)}`)
      assert.deepInclude(json, { status: "completed", interruptions: 0, progress: { pages: 3, done: 3, failed: 0 } })
      assertProblem(yield* post(path, HttpBody.empty), 409, "NOT_RETRYABLE")
      assertProblem(yield* post(path, HttpBody.empty, { "x-tenant-id": "acme" }), 404, "DOCUMENT_NOT_FOUND")
      assertProblem(yield* post(`${path}?password=x`, HttpBody.empty), 400, "PASSWORD_IN_URL")
    }).pipe(Effect.provide(server))
  )

  it.effect("of a document that had a password needs it again", () =>
    Effect.gen(function* () {
      const first = yield* postPdf("/v1/documents", { "x-pdf-password": "hunter2" })
      yield* until(hasEnded(first))
      const path = `/v1/documents/${idOf(first)}/retry`
      const refused = yield* post(path, HttpBody.empty)
      assertProblem(refused, 409, "PASSWORD_REQUIRED")
      assert.include(String(refused.json.advice), `POST ${path}`)
      assert.strictEqual((yield* post(path, HttpBody.empty, { "x-pdf-password": "hunter2" })).status, 202)
    }).pipe(Effect.provide(server))
  )
})

describe("a tenant", () => {
  it.effect("is paused and resumed, alone", () =>
    Effect.gen(function* () {
      const paused = yield* post("/v1/tenant/pause", HttpBody.empty)
      assert.deepStrictEqual([paused.status, paused.json], [200, { tenantId: "default", paused: true }])
      const held = yield* postPdf()
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* get(`/v1/documents/${idOf(held)}`)).json.status, "queued")
      assert.deepInclude((yield* get("/queue/status")).json, { paused: true, queue_size: 1 })
      assert.deepInclude((yield* get("/queue/status?tenant_id=acme")).json, { paused: false })
      const resumed = yield* post("/v1/tenant/resume", HttpBody.empty)
      assert.deepStrictEqual(resumed.json, { tenantId: "default", paused: false })
      yield* until(hasEnded(held))
    }).pipe(Effect.provide(server))
  )
})
