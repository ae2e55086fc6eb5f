import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Queue, Redacted } from "effect"
import { HttpBody, HttpClientRequest } from "effect/http"
import { HostNames } from "../../../src/layers/net/AddressPolicy.ts"
import { get, postJson, postPdf, send } from "../../http/client.ts"
import { serve } from "../../layers/net/loopback.ts"
import { manyPages } from "../../support/pdf.ts"
import { acceptedId, finished, service, serviceAt, temporaryFolder } from "../../support/service.ts"
import { expectedSignature, makeReceiver } from "./world.ts"

/** Every name leads to the loopback. */
const names = Layer.succeed(HostNames, { resolve: () => Effect.succeed(["127.0.0.1"]) })

const setWebhook = (url: string) => send(HttpClientRequest.put("/v1/webhook", { body: HttpBody.jsonUnsafe({ url }) }))

describe("the service", () => {
  it.live("tells a tenant's endpoint of a document, also when it was restarted between the two", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver((response) => response.writeHead(204).end())
      const folder = yield* temporaryFolder
      const running = () => serviceAt(folder, { ports: [receiver.port] }).pipe(Layer.provide(names))
      const secret = yield* Effect.gen(function* () {
        const made = yield* setWebhook(`http://hooks.example:${receiver.port}/ends?token=hunter2`)
        assert.strictEqual(made.status, 200, made.text)
        return Redacted.make(String(made.json["secret"]))
      }).pipe(Effect.provide(running()))

      yield* Effect.gen(function* () {
        const id = yield* acceptedId(yield* postPdf("/v1/documents?name=told.pdf", {}, manyPages(2)))
        const message = yield* Queue.take(receiver.arrivals)
        assert.strictEqual(message.headers["webhook-id"], id)
        assert.strictEqual(message.headers["host"], `hooks.example:${receiver.port}`)
        assert.strictEqual(message.headers["webhook-signature"], expectedSignature(message, secret))
        const { data, type } = JSON.parse(message.body)
        assert.strictEqual(type, "document.completed")
        const shown = yield* get(`/v1/documents/${id}`)
        const { links: _, outline: __, trace: ___, ...view } = shown.json
        assert.deepStrictEqual(data, view)
        const log = yield* get(`/v1/documents/${id}/deliveries`).pipe(
          Effect.repeat({ until: ({ json }) => json["nextAttemptAt"] === undefined })
        )
        assert.include(log.text, `http://hooks.example:${receiver.port}`)
        assert.include(log.text, "204")
        assert.notInclude(log.text, "hunter2")
      }).pipe(Effect.provide(running()))
    })
  )

  it.live("tells a receiver on the loopback that the configuration allows, and refuses it at once without", () =>
    Effect.gen(function* () {
      const receiver = yield* makeReceiver((response) => response.writeHead(204).end())
      const url = `http://127.0.0.1:${receiver.port}/ends`
      const upload = `/v1/documents?callback=${encodeURIComponent(url)}`
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* setWebhook(url)).status, 200)
        yield* acceptedId(yield* postPdf(upload, {}, manyPages(1)))
        const message = yield* Queue.take(receiver.arrivals)
        assert.strictEqual(JSON.parse(message.body).type, "document.completed")
      }).pipe(
        Effect.provide(service({ env: { ALLOW_PRIVATE_WEBHOOKS: `minio.internal, 127.0.0.1:${receiver.port}` } }))
      )
      yield* Effect.gen(function* () {
        for (const refused of [yield* setWebhook(url), yield* postPdf(upload, {}, manyPages(1))]) {
          assert.strictEqual(refused.status, 400, refused.text)
          assert.deepInclude(refused.json, { code: "INVALID_REQUEST" })
          assert.include(String(refused.json["advice"]), "ALLOW_PRIVATE_WEBHOOKS")
        }
        // What sources may name is a list of its own.
      }).pipe(Effect.provide(service({ env: { ALLOW_PRIVATE_SOURCES: "127.0.0.0/8" } })))
    })
  )

  it.live("reads from a server on the loopback that the configuration allows, and from none without", () =>
    Effect.gen(function* () {
      const files = yield* serve((_request, response) => response.end(manyPages(1)))
      const read = (env: Record<string, string>) =>
        Effect.gen(function* () {
          const source = { pdf_ids: [`http://localhost:${files.port}/a.pdf`] }
          return yield* finished(yield* acceptedId(yield* postJson("/pdf/ingest", source)))
        }).pipe(Effect.provide(service({ env })))
      assert.strictEqual((yield* read({ ALLOW_PRIVATE_SOURCES: "localhost" })).status, "completed")
      const refused = yield* read({ ALLOW_PRIVATE_WEBHOOKS: "localhost" })
      assert.deepInclude(refused.error, { code: "SOURCE_REFUSED", message: "localhost is not a public host" })
    })
  )

  it.live("does not start with a list of private hosts that is none", () =>
    Effect.gen(function* () {
      for (const name of ["ALLOW_PRIVATE_SOURCES", "ALLOW_PRIVATE_WEBHOOKS"]) {
        const refused = yield* Effect.flip(Layer.build(service({ env: { [name]: "10.0.0.1/8" } })))
        assert.include(String(refused), name)
        assert.include(String(refused), "10.0.0.1/8")
      }
    })
  )

  it.live("does not start with a time to disable after that is none", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(Layer.build(service({ env: { WEBHOOK_DISABLE_AFTER: "soon" } })))
      assert.include(String(refused), "WEBHOOK_DISABLE_AFTER")
    })
  )
})
