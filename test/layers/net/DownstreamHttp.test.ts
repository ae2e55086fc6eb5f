import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import * as DownstreamHttp from "../../../src/layers/net/DownstreamHttp.ts"
import { DownstreamHttp as Http } from "../../../src/services/downstreams/DownstreamHttp.ts"
import { DownstreamsConfig } from "../../../src/services/downstreams/DownstreamsConfig.ts"
import { decodeDownstreams, type DownstreamsWritten } from "../../../src/services/downstreams/DownstreamSettings.ts"

/** A server on a free port of the loopback, which ends with the test. */
const serve = (answer: (request: IncomingMessage, body: string, response: ServerResponse) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer((request, response) => {
          let body = ""
          request.setEncoding("utf8")
          request.on("data", (part: string) => (body += part))
          request.on("end", () => answer(request, body, response))
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    ),
    (server) => {
      const address = server.address()
      return typeof address === "object" && address !== null ? address.port : 0
    }
  )

const layerOf = (written: DownstreamsWritten, env: Record<string, string> = {}) =>
  DownstreamHttp.layer.pipe(
    Layer.provide(Layer.effect(DownstreamsConfig, Effect.orDie(decodeDownstreams(written)))),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
  )

const send = (path: string, body = "") =>
  Http.use((http) => http.send("ocr", { path, body, headers: { "content-type": "text/plain" } }))

describe("An exchange over HTTP with a downstream", () => {
  it.live("sends the body with the secrets of the environment to the path below the URL", () =>
    Effect.gen(function* () {
      const port = yield* serve((request, body, response) => {
        const { authorization, "x-plain": plain } = request.headers
        response
          .setHeader("x-told", "yes")
          .end(JSON.stringify([request.method, request.url, authorization, plain, body]))
      })
      const settings = {
        url: `http://127.0.0.1:${port}/base/`,
        headers: { Authorization: { env: "OCR_KEY", prefix: "Bearer " }, "X-Plain": "1" }
      }
      const answer = yield* send("/read?dpi=200&back=/a?b", "a page").pipe(
        Effect.provide(layerOf({ ocr: settings }, { OCR_KEY: "hunter2" }))
      )
      assert.strictEqual(answer.headers["x-told"], "yes")
      assert.deepStrictEqual(JSON.parse(new TextDecoder().decode(answer.body)), [
        "POST",
        "/base/read?dpi=200&back=/a?b",
        "Bearer hunter2",
        "1",
        "a page"
      ])
    })
  )

  it.live("tells refusals, an unavailable far side and failures of the page apart", () =>
    Effect.gen(function* () {
      const port = yield* serve((request, _, response) => {
        const [, status = "200", retryAfter] = request.url?.split("/") ?? []
        if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter)
        response.writeHead(Number(status)).end("why")
      })
      const failureOf = (path: string) => Effect.flip(send(path))
      yield* Effect.gen(function* () {
        assert.deepInclude(yield* failureOf("/429/7"), { _tag: "FarSideRefused", status: 429, retryAfterMillis: 7_000 })
        assert.deepInclude(yield* failureOf("/503"), { _tag: "FarSideRefused", status: 503 })
        assert.deepInclude(yield* failureOf("/500"), { _tag: "FarSideUnavailable" })
        assert.deepInclude(yield* failureOf("/401"), { _tag: "FarSideUnavailable", permanent: true })
        assert.deepInclude(yield* failureOf("/422"), { _tag: "DownstreamRejected", status: 422, excerpt: "why" })
        assert.deepInclude(yield* failureOf("/302"), { _tag: "DownstreamRejected", status: 302 })
        assert.strictEqual((yield* send("/202")).status, 202)
      }).pipe(Effect.provide(layerOf({ ocr: { url: `http://127.0.0.1:${port}` } })))
    })
  )

  it.live("does not repeat a secret that the far side sends back", () =>
    Effect.gen(function* () {
      const port = yield* serve((request, _, response) => {
        const key = request.headers["authorization"] ?? ""
        response.writeHead(400).end(`the header was ${key}, and the key ${key.slice("Bearer ".length)} is no good`)
      })
      const layer = layerOf(
        {
          ocr: { url: `http://127.0.0.1:${port}`, headers: { authorization: { env: "OCR_KEY", prefix: "Bearer " } } }
        },
        { OCR_KEY: "sk-very-secret" }
      )
      assert.deepInclude(yield* Effect.flip(Effect.provide(send("/"), layer)), {
        _tag: "DownstreamRejected",
        excerpt: "the header was Bearer [secret], and the key [secret] is no good"
      })
    })
  )

  it.live("takes no more of an answer than it may, and waits no longer for its begin", () =>
    Effect.gen(function* () {
      const port = yield* serve((request, _, response) => {
        if (request.url !== "/never") response.end(Buffer.alloc(100_000))
      })
      const url = `http://127.0.0.1:${port}`
      const layer = layerOf({ ocr: { url, maxAnswerBytes: 1_000, timeout: { firstByte: "50ms" } } })
      assert.deepInclude(yield* Effect.flip(Effect.provide(send("/never"), layer)), { _tag: "FarSideTimeout" })
      const roomy = layerOf({ ocr: { url, maxAnswerBytes: 1_000 } })
      assert.deepInclude(yield* Effect.flip(Effect.provide(send("/large"), roomy)), { _tag: "DownstreamRejected" })
    })
  )

  it.live("dials a private host only if the settings let it, and no address of credentials", () =>
    Effect.gen(function* () {
      const port = yield* serve((_, __, response) => response.end("ok"))
      const refused = (settings: DownstreamsWritten[string]) =>
        Effect.flip(Effect.provide(send("/"), layerOf({ ocr: settings })))
      const url = `http://127.0.0.1:${port}`
      assert.deepInclude(yield* refused({ url, network: "public" }), { _tag: "FarSideUnavailable", permanent: true })
      assert.deepInclude(yield* refused({}), { _tag: "FarSideUnavailable", permanent: true })
      yield* Effect.provide(send("/"), layerOf({ ocr: { url } }))
    })
  )

  it.effect("is not built without the secrets that its settings name", () =>
    Effect.gen(function* () {
      const layer = layerOf({ ocr: { url: "http://ocr", headers: { Authorization: { env: "OCR_KEY" } } } })
      const failure = yield* Effect.flip(Layer.build(layer))
      assert.include(
        String(failure),
        "downstreams.ocr.headers.Authorization: the environment variable OCR_KEY is not set"
      )
      assert.isFalse(Redacted.isRedacted(failure))
    })
  )
})
