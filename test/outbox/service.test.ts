import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Queue, Redacted } from "effect"
import { HttpBody, HttpClientRequest } from "effect/http"
import { HostNames } from "../../src/layers/net/AddressPolicy.ts"
import { get, postPdf, send } from "../http/client.ts"
import { manyPages } from "../support/pdf.ts"
import { acceptedId, service, serviceAt, temporaryFolder } from "../support/service.ts"
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

  it.live("does not start with a time to disable after that is none", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(Layer.build(service({ env: { WEBHOOK_DISABLE_AFTER: "soon" } })))
      assert.include(String(refused), "WEBHOOK_DISABLE_AFTER")
    })
  )
})
