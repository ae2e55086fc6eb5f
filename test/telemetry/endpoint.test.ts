import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import * as Server from "../../src/http/Server.ts"
import { assertProblem, authenticatedServer, get, testServer } from "../http/client.ts"
import { fakes } from "../http/fakes.ts"

const adminKey = "the-administrators-own"
const token = "only-for-the-scraper"
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

const serverWith = (environment: Record<string, string>) =>
  Server.layer.pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(environment))),
    Layer.provideMerge(fakes),
    Layer.provideMerge(NodeHttpServer.layerTest)
  )

describe("GET /metrics", () => {
  it.effect("answers everybody on a server that asks nobody, as Prometheus reads it", () =>
    Effect.gen(function* () {
      yield* get("/health/live")
      const answer = yield* get("/metrics")
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
      assert.include(answer.text, "# TYPE sluice_http_requests_total counter\n")
      assert.match(answer.text, /^sluice_http_requests_total\{method="GET",route="\/health\/live",status="2xx"\} \d+$/m)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is shown to no tenant", () =>
    Effect.gen(function* () {
      assertProblem(yield* get("/metrics"), 403, "FORBIDDEN")
    }).pipe(Effect.provide(authenticatedServer))
  )

  it.effect("is shown to the administrator, and to the holder of its token, who may do nothing else", () =>
    Effect.gen(function* () {
      assertProblem(yield* get("/metrics"), 401, "AUTH_REQUIRED")
      assertProblem(yield* get("/metrics", bearer("somebody-who-guesses")), 401, "KEY_UNKNOWN")
      assert.strictEqual((yield* get("/metrics", bearer(adminKey))).status, 200)
      assert.strictEqual((yield* get("/metrics?", bearer(token))).status, 200)
      assertProblem(yield* get("/queue/status", bearer(token)), 401, "KEY_UNKNOWN")
      assertProblem(yield* get("/metrics/x", bearer(token)), 401, "KEY_UNKNOWN")
    }).pipe(Effect.provide(serverWith({ ADMIN_KEY: adminKey, METRICS_TOKEN: token })))
  )

  it.effect("takes an empty token for none", () =>
    Effect.gen(function* () {
      assertProblem(yield* get("/metrics", { authorization: "Bearer " }), 401, "AUTH_REQUIRED")
      assert.strictEqual((yield* get("/metrics", bearer(adminKey))).status, 200)
    }).pipe(Effect.provide(serverWith({ ADMIN_KEY: adminKey, METRICS_TOKEN: "" })))
  )

  it.effect("does not start with a token that can be guessed, and does not say which it was", () =>
    Effect.gen(function* () {
      const layer = serverWith({ ADMIN_KEY: adminKey, METRICS_TOKEN: "guess-me" })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.include(error.message, "METRICS_TOKEN")
      assert.notInclude(error.message, "guess-me")
    })
  )
})
