import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpBody, HttpClientRequest } from "effect/http"
import * as Server from "../../src/http/Server.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import * as StoreMemory from "../../src/services/store/memory/StoreMemory.ts"
import * as SecretsMemory from "../../src/services/secrets/SecretsMemory.ts"
import { Webhooks } from "../../src/actors/webhooks/Webhooks.ts"
import {
  accept,
  acme,
  at,
  documentId,
  newDocument,
  plenty,
  pendingCallbacks,
  settle,
  tried
} from "../conformance/storeFixtures.ts"
import { assertProblem, authenticatedServer, get, post, remove, send } from "./client.ts"
import { fakes } from "./fakes.ts"
import { wholeStore } from "../support/store.ts"

const webhooks = Webhooks.layerNoDeps.pipe(
  Layer.provideMerge(StoreMemory.layerMemory),
  Layer.provide([SecretsMemory.layerMemory, SecureRandom.layerWebCrypto])
)

/** The interface over a store that tests can reach. */
const server = Server.layer.pipe(
  Layer.provideMerge(Layer.fresh(webhooks)),
  Layer.provide(fakes),
  Layer.provideMerge(NodeHttpServer.layerTest)
)

const own = "/v1/webhook"
const url = "https://acme.example/ends?token=abc"
const asAcme = { "x-tenant-id": acme }

const put = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  send(HttpClientRequest.put(path, { body: HttpBody.jsonUnsafe(body), headers }))
const postNothing = (path: string, headers: Record<string, string> = {}) => post(path, HttpBody.empty, headers)

const owed = Effect.flatMap(pendingCallbacks(99_000, 9), ([first]) => Effect.fromNullishOr(first))

describe("A webhook", () => {
  it.effect("is made, changed and removed; its secret is told once", () =>
    Effect.gen(function* () {
      assertProblem(yield* get(own), 404, "WEBHOOK_NOT_FOUND")
      const made = yield* put(own, { url })
      assert.strictEqual(made.status, 200, made.text)
      assert.match(String(made.json.secret), /^whsec_[A-Za-z0-9+/]{43}=$/)
      const { secret: _, ...shown } = made.json
      assert.deepInclude(shown, { tenantId: "default", url })
      assert.deepStrictEqual((yield* get(own)).json, shown)
      const changed = yield* put(own, { url: null })
      assert.doesNotHaveAnyKeys(changed.json, ["secret", "url"])
      assert.strictEqual((yield* remove(own)).status, 204)
      assertProblem(yield* remove(own), 404, "WEBHOOK_NOT_FOUND")
      assertProblem(yield* postNothing(`${own}/secret`), 404, "WEBHOOK_NOT_FOUND")
    }).pipe(Effect.provide(server))
  )

  it.effect("gets a new secret, and the one before stays for a while", () =>
    Effect.gen(function* () {
      const made = yield* put(own, { url })
      const rotated = yield* postNothing(`${own}/secret`)
      assert.strictEqual(rotated.status, 200, rotated.text)
      assert.match(String(rotated.json.secret), /^whsec_/)
      assert.notStrictEqual(rotated.json.secret, made.json.secret)
      const { secrets } = (yield* get(own)).json
      assert.deepStrictEqual(secrets, [
        { createdAt: "1970-01-01T00:00:00.000Z" },
        { createdAt: "1970-01-01T00:00:00.000Z", expiresAt: "1970-01-02T00:00:00.000Z" }
      ])
    }).pipe(Effect.provide(server))
  )

  it.effect("tells that its endpoint is disabled and why, and is enabled by PUT", () =>
    Effect.gen(function* () {
      const documents = yield* Documents
      const store = yield* wholeStore
      yield* put(own, { url }, asAcme)
      yield* accept(1)
      yield* at(3_000, documents.cancel(acme, documentId(1)))
      yield* store.recordDelivery(yield* owed, tried(), { toleranceMillis: 0, reason: "it is gone" })
      assert.deepInclude((yield* get(own, asAcme)).json, {
        failingSince: "1970-01-01T00:00:05.000Z",
        disabledAt: "1970-01-01T00:00:05.000Z",
        disabledReason: "it is gone"
      })
      assertProblem(yield* postNothing(`/v1/documents/${documentId(1)}/deliveries`, asAcme), 409, "WEBHOOK_DISABLED")
      const again = yield* put(own, { url }, asAcme)
      assert.doesNotHaveAnyKeys(again.json, ["disabledAt", "disabledReason", "failingSince"])
    }).pipe(Effect.provide(server))
  )

  it.effect("has a public URL and nothing else", () =>
    Effect.gen(function* () {
      for (const body of [
        { url: "http://127.0.0.1/hook" },
        { url: "http://[::1]/hook" },
        { url: "ftp://acme.example/" },
        { url: "https://me:hunter2@acme.example/" },
        { url: 7 },
        { uri: url }
      ]) {
        const refused = yield* put(own, body)
        assertProblem(refused, 400, "INVALID_REQUEST")
        assert.notInclude(refused.text, "hunter2")
      }
    }).pipe(Effect.provide(server))
  )

  it.effect("is set by the administrator for any tenant", () =>
    Effect.gen(function* () {
      const path = "/v1/tenants/acme/webhook"
      assert.deepInclude((yield* put(path, { url })).json, { tenantId: "acme", url })
      assert.deepInclude((yield* get(path)).json, { tenantId: "acme", url })
      assert.strictEqual((yield* postNothing(`${path}/secret`)).status, 200)
      assertProblem(yield* get(own), 404, "WEBHOOK_NOT_FOUND")
      assert.strictEqual((yield* remove(path)).status, 204)
    }).pipe(Effect.provide(server))
  )

  it.effect("is a tenant's own business when tenants are authenticated", () =>
    Effect.gen(function* () {
      const other = "/v1/tenants/b/webhook"
      assertProblem(yield* get(other), 403, "FORBIDDEN")
      assertProblem(yield* put(other, { url }), 403, "FORBIDDEN")
      assertProblem(yield* remove(other), 403, "FORBIDDEN")
      assertProblem(yield* postNothing(`${other}/secret`), 403, "FORBIDDEN")
      assert.strictEqual((yield* put("/v1/tenants/a/webhook", { url })).status, 200)
      assert.deepInclude((yield* get(own)).json, { tenantId: "a" })
    }).pipe(Effect.provide(authenticatedServer))
  )
})

describe("Deliveries", () => {
  const path = `/v1/documents/${documentId(1)}/deliveries`

  it.effect("are shown to the tenant of the document alone, without what a URL may hide", () =>
    Effect.gen(function* () {
      const documents = yield* Documents
      const store = yield* wholeStore
      yield* accept(1, { callback: url })
      yield* at(3_000, documents.cancel(acme, documentId(1)))
      const failed = tried({ status: undefined, error: "no connection", nextAt: 9_000 })
      yield* store.recordDelivery(yield* owed, failed, undefined)
      const shown = yield* get(path, asAcme)
      assert.deepStrictEqual(shown.json, {
        deliveries: [
          {
            at: "1970-01-01T00:00:05.000Z",
            attempt: 1,
            endpoint: "https://example.org",
            error: "no connection",
            elapsedMillis: 12,
            nextAttemptAt: "1970-01-01T00:00:09.000Z"
          }
        ],
        nextAttemptAt: "1970-01-01T00:00:09.000Z"
      })
      assertProblem(yield* get(path), 404, "DOCUMENT_NOT_FOUND")
      assertProblem(yield* postNothing(path), 404, "DOCUMENT_NOT_FOUND")
    }).pipe(Effect.provide(server))
  )

  it.effect("are repeated on demand", () =>
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      yield* queue.accept(newDocument(1), plenty)
      assertProblem(yield* postNothing(path, asAcme), 409, "NOT_ENDED")
      yield* at(3_000, documents.cancel(acme, documentId(1)))
      assertProblem(yield* postNothing(path, asAcme), 409, "NO_ENDPOINT")
      yield* put(own, { url }, asAcme)
      const asked = yield* postNothing(path, asAcme)
      assert.strictEqual(asked.status, 202, asked.text)
      const now = DateTime.formatIso(yield* DateTime.now)
      assert.deepStrictEqual(asked.json, { deliveries: [], nextAttemptAt: now })
      yield* settle(yield* owed)
      assert.doesNotHaveAnyKeys((yield* get(path, asAcme)).json, ["nextAttemptAt"])
    }).pipe(Effect.provide(server))
  )
})
