import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Duration, Effect, Fiber, Layer, Redacted, Stream } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { SluiceClient, TenantId } from "../../src/client.ts"
import { linksOf } from "../../src/http/api/views/SubmitOutcome.ts"
import { alter, change, idOf, inspect } from "../http/fakes.ts"
import { pdf, testServer } from "../http/client.ts"
import { serverUrl } from "./harness.ts"

const acme = TenantId.make("acme")

/** A client of the fakes, through HTTP. */
const client = Layer.unwrap(Effect.map(serverUrl, (baseUrl) => SluiceClient.layer({ baseUrl, tenant: acme }))).pipe(
  Layer.provideMerge(testServer)
)

const pageOf = (number: number) => ({
  number,
  status: "ok" as const,
  width: 1,
  height: 1,
  rotation: 0,
  text: `page ${number}`,
  lines: "[]",
  error: undefined,
  elapsedMillis: 1
})

describe("The client", () => {
  it.effect("sends bytes as one document of its tenant, and finds it again", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const { id, name } = yield* sluice.ingest(pdf(), { name: "größe & co.pdf", priority: 7, force: true })
      assert.strictEqual(name, "größe & co.pdf")
      const { submissions } = yield* inspect
      assert.deepInclude(submissions[0], { tenant: acme })
      assert.deepInclude(submissions[0]?.options, { priority: 7, force: true, size: 64 })
      assert.strictEqual((yield* sluice.status(id)).name, name)
      assert.deepStrictEqual(
        (yield* sluice.list()).documents.map((each) => each.id),
        [id]
      )
      assert.strictEqual((yield* sluice.queue()).queue_size, 1)
      assert.strictEqual((yield* sluice.tenant()).tenantId, acme)
    }).pipe(Effect.provide(client))
  )

  it.effect("sends a stream, and fails as the stream does", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      yield* sluice.ingest(Stream.make(pdf(), pdf()), { name: "two.pdf" })
      const { submissions } = yield* inspect
      assert.strictEqual(
        submissions[0]?.chunks.reduce((sum, size) => sum + size, 0),
        128
      )

      const broken = Stream.concat(Stream.make(pdf()), Stream.fail("the disk broke" as const))
      assert.strictEqual(yield* Effect.flip(sluice.ingest(broken, { name: "broken.pdf" })), "the disk broke")
      assert.strictEqual((yield* inspect).submissions.length, 1)
    }).pipe(Effect.provide(client))
  )

  it.effect("fails with the problem that the server answers, whatever the endpoint", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const notPdf = yield* Effect.flip(sluice.ingest(new Uint8Array(9), { name: "no.pdf" }))
      assert.deepInclude(notPdf, { _tag: "Refused", status: 422, code: "NOT_PDF" })
      const unknown = yield* Effect.flip(sluice.status(idOf(77)))
      assert.deepInclude(unknown, { _tag: "Refused", status: 404, code: "DOCUMENT_NOT_FOUND" })
      yield* change({ storeWorks: false })
      const away = yield* Effect.flip(sluice.queue())
      assert.deepInclude(away, { _tag: "Refused", status: 503, code: "STORE_UNAVAILABLE", retryAfter: 5 })
      yield* change({ storeWorks: true, defect: true })
      assert.deepInclude(yield* Effect.flip(sluice.queue()), { _tag: "Refused", status: 500, code: "INTERNAL" })
    }).pipe(Effect.provide(client))
  )

  it.effect("reads pages through as many requests as that takes", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const { id } = yield* sluice.ingest(pdf(), { name: "long.pdf" })
      const pages = new Map([[id, Array.from({ length: 250 }, (_, index) => pageOf(index + 1))]])
      yield* change({ pages })
      const numbers = yield* Stream.runCollect(Stream.map(sluice.pages(id), ({ number }) => number))
      assert.deepStrictEqual(
        numbers,
        Array.from({ length: 250 }, (_, index) => index + 1)
      )
    }).pipe(Effect.provide(client))
  )

  it.effect("tells of a text whether it is the whole one", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const { id } = yield* sluice.ingest(pdf(), { name: "long.pdf" })
      yield* change({ pages: new Map([[id, [pageOf(1), pageOf(3)]]]) })
      yield* alter(id, { status: "partial", progress: { pages: 4, done: 2, failed: 0 } })
      const { text, ...told } = yield* sluice.text(id, { mark: "missing" })
      assert.deepStrictEqual(told, { complete: false, status: "partial", missing: "2,4" })
      const whole = (yield* Stream.runCollect(text)).join("")
      assert.strictEqual(whole.split("\f")[1], "[page 2 is missing: not read]")
      yield* alter(id, { status: "completed", progress: { pages: 1, done: 1, failed: 0 } })
      yield* change({ pages: new Map([[id, [pageOf(1)]]]) })
      assert.isTrue((yield* sluice.text(id)).complete)
      const unknown = yield* Effect.flip(sluice.text(idOf(77)))
      assert.deepInclude(unknown, { _tag: "Refused", status: 404, code: "DOCUMENT_NOT_FOUND" })
    }).pipe(Effect.provide(client))
  )

  it.effect("asks for renderings with its options, and tells what is missing of them", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const { id } = yield* sluice.ingest(pdf(), { name: "long.pdf" })
      yield* change({ pages: new Map([[id, [pageOf(1), pageOf(3)]]]) })
      yield* alter(id, { status: "partial", progress: { pages: 4, done: 2, failed: 0 } })
      const { text, ...told } = yield* sluice.render(id, {
        format: "markdown",
        from: 2,
        headers: "keep",
        hidden: "drop"
      })
      assert.deepStrictEqual(told, { complete: false, status: "partial", missing: "2,4", withoutLayout: "2" })
      assert.isAbove((yield* Stream.mkString(text)).length, 0)
      assert.strictEqual(yield* Stream.mkString((yield* sluice.render(id, { format: "json" })).text), "{}")
      const unknown = yield* Effect.flip(sluice.render(idOf(77), { format: "html" }))
      assert.deepInclude(unknown, { _tag: "Refused", status: 404, code: "DOCUMENT_NOT_FOUND" })
    }).pipe(Effect.provide(client))
  )

  it.effect("cancels what has not ended, and never removes what has", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const { id } = yield* sluice.ingest(pdf(), { name: "a.pdf" })
      assert.strictEqual((yield* sluice.cancel(id)).status, "cancelled")
      assert.strictEqual((yield* sluice.cancel(id)).status, "cancelled")
      assert.strictEqual((yield* sluice.status(id)).status, "cancelled")
      yield* alter(id, { status: "completed" })
      assert.strictEqual((yield* sluice.cancel(id)).status, "completed")
    }).pipe(Effect.provide(client))
  )

  it.effect("lists documents part by part", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      for (const name of ["a.pdf", "b.pdf", "c.pdf"]) yield* sluice.ingest(pdf(), { name, force: true })
      const first = yield* sluice.list({ limit: 2 })
      const second = yield* sluice.list({
        limit: 2,
        ...(first.nextCursor === undefined ? {} : { cursor: first.nextCursor })
      })
      assert.deepStrictEqual(
        [first, second].map(({ documents }) => documents.map(({ name }) => name)),
        [["c.pdf", "b.pdf"], ["a.pdf"]]
      )
      assert.isUndefined(second.nextCursor)
    }).pipe(Effect.provide(client))
  )

  it.effect("says that nobody listens", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const error = yield* Effect.flip(sluice.queue())
      assert.strictEqual(error._tag, "Unreachable")
      assert.include(error.message, "http://127.0.0.1:1 ")
    }).pipe(Effect.provide(SluiceClient.layer({ baseUrl: "http://127.0.0.1:1/below?token=s3cret" })))
  )

  it.effect("takes no address with credentials, nor one that is none, and does not tell it", () =>
    Effect.gen(function* () {
      const refused = (baseUrl: string | URL) =>
        Effect.flip(Effect.provide(SluiceClient, SluiceClient.layer({ baseUrl })))
      for (const [url, why] of [
        ["http://user:s3cret@127.0.0.1:1", "credentials"],
        [new URL("http://s3cret@127.0.0.1:1"), "credentials"],
        ["ftp://127.0.0.1/s3cret", "url"],
        ["s3cret", "url"]
      ] as const) {
        const error = yield* refused(url)
        assert.deepInclude(error, { _tag: "InvalidBaseUrl", why })
        assert.notInclude(JSON.stringify(error) + error.message, "s3cret")
      }
    })
  )
})

const id = idOf(1)
const document = (status: string) => ({
  id,
  tenantId: "acme",
  name: "a.pdf",
  priority: 5,
  pipeline: "text",
  status,
  attempt: 1,
  interruptions: 0,
  retries: 0,
  progress: { done: 0, failed: 0 },
  timings: { acceptedAt: DateTime.formatIso(DateTime.makeUnsafe(0)) },
  links: linksOf("")
})

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } })

/** A server that gives these answers, in this order, and notes the time of each request. */
const answering = (answers: ReadonlyArray<Response>) => {
  const times: Array<number> = []
  const headers: Array<Readonly<Record<string, string | undefined>>> = []
  const http = HttpClient.make((request) =>
    Effect.gen(function* () {
      times.push(yield* Clock.currentTimeMillis)
      headers.push(request.headers)
      return HttpClientResponse.fromWeb(request, answers[times.length - 1] ?? json(500, {}))
    })
  )
  const options = { baseUrl: "http://sluice.test", apiKey: Redacted.make("a key") }
  return {
    times,
    headers,
    layer: SluiceClient.layerNoDeps(options).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, http)))
  }
}

const busy = {
  type: "about:blank",
  status: 429,
  title: "",
  detail: "slower",
  code: "TENANT_RATE_LIMITED",
  retryAfter: 30
}

describe("Waiting for a document", () => {
  it.effect("looks ever more slowly, and waits as long as Retry-After tells", () => {
    const server = answering([
      json(200, document("queued")),
      json(429, busy, { "retry-after": "30" }),
      json(200, document("running")),
      json(200, document("completed"))
    ])
    return Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const waiting = yield* Effect.forkChild(sluice.waitFor(id, { longest: "2 seconds" }))
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* Fiber.join(waiting)).status, "completed")
      const gaps = server.times.slice(1).map((time, index) => time - (server.times[index] ?? 0))
      assert.deepStrictEqual(gaps[0], 100)
      assert.deepStrictEqual(gaps[1], 30_000)
      assert.isAtMost(gaps[2] ?? 0, Duration.toMillis("2 seconds"))
    }).pipe(Effect.provide(server.layer))
  })

  it.effect("gives up when the server stays busy", () => {
    const server = answering(Array.from({ length: 9 }, () => json(429, busy, { "retry-after": "30" })))
    return Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const waiting = yield* Effect.forkChild(Effect.flip(sluice.waitFor(id, { patience: 3 })))
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* Fiber.join(waiting), { code: "TENANT_RATE_LIMITED" })
      assert.strictEqual(server.times.length, 4)
    }).pipe(Effect.provide(server.layer))
  })
})

describe("Cancelling", () => {
  it.effect("is one request, between whose parts no document can end", () => {
    const server = answering([json(200, document("completed"))])
    return Effect.gen(function* () {
      const sluice = yield* SluiceClient
      assert.strictEqual((yield* sluice.cancel(id)).status, "completed")
      assert.strictEqual(server.times.length, 1)
    }).pipe(Effect.provide(server.layer))
  })
})

describe("A key", () => {
  it.effect("is sent as a bearer token, and an answer that no endpoint declares is a refusal all the same", () => {
    const server = answering([
      json(401, { ...busy, status: 401, code: "UNAUTHORIZED" }),
      new Response("no", { status: 502 })
    ])
    return Effect.gen(function* () {
      const sluice = yield* SluiceClient
      assert.deepInclude(yield* Effect.flip(sluice.status(id)), { status: 401, code: "UNAUTHORIZED" })
      assert.strictEqual(server.headers[0]?.["authorization"], "Bearer a key")
      assert.deepInclude(yield* Effect.flip(sluice.status(id)), { status: 502, code: "HTTP_502" })
    }).pipe(Effect.provide(server.layer))
  })
})
