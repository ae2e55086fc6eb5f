import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Result } from "effect"
import { parsePrivateHosts } from "../../../src/domain/net/PrivateHosts.ts"
import { PrivateWebhooks } from "../../../src/services/config/OutboundPolicy.ts"
import { TestClock } from "effect/testing"
import { layer as sender } from "../../../src/layers/net/CallbackSender.ts"
import { CallbackSender } from "../../../src/services/CallbackSender.ts"
import { allowLoopback, scriptedNames, serve } from "./loopback.ts"

const send = (url: string) => CallbackSender.use((callbacks) => callbacks.send(url, "{}", {}))

describe("sending a callback", () => {
  it.effect("refuses an address that is not public, and what is no plain http(s) URL", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((_request, response) => response.end())
      const urls = [
        `http://127.0.0.1:${port}/`,
        "http://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "ftp://example.com/",
        "hook",
        "http://me:hunter2@example.com/"
      ]
      for (const url of urls) {
        const error = yield* Effect.flip(Effect.provide(send(url), sender))
        assert.strictEqual(error._tag, "CallbackRefused", url)
        assert.notInclude(JSON.stringify(error), "hunter2")
      }
    })
  )

  it.effect("looks the host up for every delivery, so that one which has turned inward is refused", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((_request, response) => response.end())
      const names = scriptedNames(["127.0.0.1"], ["10.0.0.1"])
      const app = sender.pipe(Layer.provide([allowLoopback(port), names.layer]))
      const url = `http://hooks.example:${port}/`
      const [first, second] = yield* Effect.all([send(url), Effect.flip(send(url))]).pipe(Effect.provide(app))
      assert.strictEqual(first.status, 200)
      assert.strictEqual(second._tag, "CallbackRefused")
      assert.strictEqual(names.asked.length, 2)
    })
  )

  it.effect("says the same of a name that leads inwards as of one that does not exist, and may try both again", () =>
    Effect.gen(function* () {
      const errors = yield* Effect.forEach([["10.0.0.1"], undefined], (answer) =>
        Effect.flip(send("http://hooks.corp.example/")).pipe(
          Effect.provide(
            sender.pipe(Layer.provide(answer === undefined ? scriptedNames().layer : scriptedNames(answer).layer))
          )
        )
      )
      assert.deepStrictEqual(errors[0], errors[1])
      assert.deepInclude(errors[0], { _tag: "CallbackRefused", mayChange: true })
    })
  )

  it.effect("reaches a receiver in a private network that the configuration allows", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((_request, response) => response.writeHead(204).end())
      const url = `http://127.0.0.1:${port}/`
      const allowed = (list: string) =>
        sender.pipe(Layer.provide(Layer.succeed(PrivateWebhooks, Result.getOrThrow(parsePrivateHosts(list)))))
      assert.strictEqual((yield* Effect.provide(send(url), allowed(`127.0.0.1:${port}`))).status, 204)
      const refused = yield* Effect.flip(Effect.provide(send(url), allowed("10.0.0.0/8")))
      assert.deepInclude(refused, { _tag: "CallbackRefused", mayChange: false })
    })
  )

  it.effect("answers with the status and follows no redirect", () =>
    Effect.gen(function* () {
      let calls = 0
      const { port } = yield* serve((request, response) => {
        calls++
        response.writeHead(Number(request.url?.slice(1)), { location: "/200", "retry-after": "7" }).end()
      })
      const app = sender.pipe(Layer.provide(allowLoopback(port)))
      for (const status of [200, 302, 307, 410, 429, 500]) {
        const answer = yield* Effect.provide(send(`http://127.0.0.1:${port}/${status}`), app)
        assert.deepStrictEqual(answer, { status, retryAfter: "7" })
      }
      assert.strictEqual(calls, 6)
    })
  )

  it.effect("does not wait for the body of the answer, nor for ever for the answer", () =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const { port } = yield* serve((request, response) => {
        if (request.url === "/endless") return response.write("x".repeat(100))
        return Deferred.doneUnsafe(reached, Effect.void)
      })
      const app = sender.pipe(Layer.provide(allowLoopback(port)))
      assert.strictEqual((yield* Effect.provide(send(`http://127.0.0.1:${port}/endless`), app)).status, 200)
      const waiting = yield* Effect.forkChild(Effect.provide(Effect.flip(send(`http://127.0.0.1:${port}/silent`)), app))
      yield* Deferred.await(reached)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "CallbackFailed")
    })
  )

  it.effect("takes no answer whose head is too long", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((_request, response) =>
        response.writeHead(200, { "x-long": "x".repeat(100_000) }).end()
      )
      const failed = yield* Effect.flip(send(`http://127.0.0.1:${port}/`)).pipe(
        Effect.provide(sender.pipe(Layer.provide(allowLoopback(port))))
      )
      assert.strictEqual(failed._tag, "CallbackFailed")
    })
  )
})
