import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Layer, Queue } from "effect"
import { TestClock } from "effect/testing"
import { LimitReached } from "../../src/actors/Ingestion.ts"
import * as NodeServer from "../../src/http/edge/NodeServer.ts"
import { change, Fake, inspect } from "./fakes.ts"
import { pdf, rawConnection, testServer } from "./client.ts"

const head = (...lines: ReadonlyArray<string>) =>
  ["POST /v1/documents HTTP/1.1", "host: localhost", ...lines, "", ""].join("\r\n")

const partHead = (name: string) =>
  `--b\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n%PDF-1.7\r\n`

const arrived = Fake.use(({ arrivals }) => Queue.take(arrivals))

/** Completes once the fake holds this many documents. */
const documents = (n: number) =>
  Effect.repeat(Effect.andThen(Effect.yieldNow, inspect), { until: (state) => state.documents.size === n })

describe("an upload", () => {
  for (const framing of ["content-length: 10737418240", "transfer-encoding: chunked"]) {
    it.effect(`that is refused early gets its answer while it is still sending (${framing})`, () =>
      Effect.gen(function* () {
        yield* change({ refuse: new LimitReached({ limit: "tenant_queue", allowed: 2, retryAfterSeconds: 7 }) })
        const connection = yield* rawConnection
        yield* connection.write(head("content-type: application/pdf", framing))
        // A chunk of 10 GiB: it never ends either.
        if (framing.startsWith("transfer")) yield* connection.write("280000000\r\n")
        yield* connection.flood
        const answer = yield* connection.answer
        assert.include(answer, "HTTP/1.1 429")
        assert.include(answer, "retry-after:")
        assert.include(answer, "TENANT_QUEUE_FULL")
      }).pipe(Effect.provide(testServer))
    )
  }

  it.effect("of a form whose first file is refused by a full queue is not read to its end", () =>
    Effect.gen(function* () {
      yield* change({ refuse: new LimitReached({ limit: "global_queue", allowed: 2, retryAfterSeconds: 7 }) })
      const connection = yield* rawConnection
      yield* connection.write(head("content-type: multipart/form-data; boundary=b", "content-length: 10737418240"))
      yield* connection.write(partHead("a.pdf"))
      yield* connection.flood
      const answer = yield* connection.answer
      assert.include(answer, "HTTP/1.1 429")
      assert.include(answer, "connection: close")
      assert.include(answer, '"truncated":true')
    }).pipe(Effect.provide(testServer))
  )

  for (const size of [1_000, 100_000]) {
    it.effect(`of ${size} bytes is taken although it offers to go on in another protocol`, () =>
      Effect.gen(function* () {
        const connection = yield* rawConnection
        const upgrade = ["connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAEAAEAAAAIAAAAB"]
        yield* connection.write(head("content-type: application/pdf", `content-length: ${size}`, ...upgrade))
        yield* connection.write(pdf(size))
        assert.include(yield* connection.arrived, "HTTP/1.1 202")
      }).pipe(Effect.provide(testServer))
    )
  }

  it.effect("is not asked to send its body when it is refused by its head", () =>
    Effect.gen(function* () {
      const connection = yield* rawConnection
      yield* connection.write(head("content-type: text/html", "content-length: 100", "expect: 100-continue"))
      const answer = yield* connection.arrived
      assert.include(answer, "HTTP/1.1 415")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that is cut half way leaves nothing", () =>
    Effect.gen(function* () {
      const connection = yield* rawConnection
      yield* connection.write(head("content-type: application/pdf", "content-length: 1000"))
      yield* connection.write(pdf(100))
      yield* arrived
      yield* connection.cut
      yield* connection.answer
      assert.deepStrictEqual((yield* inspect).submissions, [])
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of a form that is cut in its second file takes back the first", () =>
    Effect.gen(function* () {
      const connection = yield* rawConnection
      yield* connection.write(head("content-type: multipart/form-data; boundary=b", "content-length: 10000"))
      yield* connection.write(`${partHead("a.pdf")}${partHead("b.pdf")}`)
      yield* documents(1)
      yield* connection.cut
      yield* documents(0)
      assert.strictEqual((yield* inspect).submissions.length, 1)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that falls silent is ended after 30 seconds, and leaves nothing", () =>
    Effect.gen(function* () {
      const connection = yield* rawConnection
      yield* connection.write(head("content-type: application/pdf", "content-length: 1000"))
      yield* connection.write(pdf(100))
      yield* arrived
      yield* TestClock.adjust("29 seconds")
      yield* connection.write(new Uint8Array(10))
      yield* arrived
      yield* TestClock.adjust("29 seconds")
      yield* connection.write(new Uint8Array(10))
      yield* arrived
      yield* TestClock.adjust("31 seconds")
      const answer = yield* connection.answer
      assert.include(answer, "HTTP/1.1 408")
      assert.include(answer, "UPLOAD_STALLED")
      assert.deepStrictEqual((yield* inspect).submissions, [])
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of a form that falls silent takes back what was accepted", () =>
    Effect.gen(function* () {
      const connection = yield* rawConnection
      yield* connection.write(head("content-type: multipart/form-data; boundary=b", "content-length: 10000"))
      yield* connection.write(`${partHead("a.pdf")}${partHead("b.pdf")}`)
      yield* documents(1)
      yield* arrived
      yield* TestClock.adjust("31 seconds")
      const answer = yield* connection.answer
      assert.include(answer, "HTTP/1.1 408")
      assert.strictEqual((yield* inspect).documents.size, 0)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is not ended while the engine takes its time", () =>
    Effect.gen(function* () {
      const { gate } = yield* Fake
      yield* gate.close
      const connection = yield* rawConnection
      yield* connection.write(head("content-type: application/pdf", "content-length: 100", "connection: close"))
      yield* connection.write(pdf(100))
      const answer = yield* Effect.forkChild(connection.answer)
      yield* TestClock.adjust("10 minutes")
      yield* gate.open
      assert.include(yield* Fiber.join(answer), "HTTP/1.1 202")
    }).pipe(Effect.provide(testServer))
  )

  for (const framing of ["a known length", "chunks"]) {
    it.effect(`with ${framing} is followed by the next one on its connection, sent with its last byte`, () =>
      Effect.gen(function* () {
        const chunked = framing === "chunks"
        const [lengthHead, before, after] = chunked
          ? ["transfer-encoding: chunked", "64\r\n", "\r\n0\r\n\r\n"]
          : ["content-length: 100", "", ""]
        const connection = yield* rawConnection
        const body = Buffer.from(pdf(100))
        const rest = [body.subarray(60), after, head("content-type: application/pdf", lengthHead, "connection: close")]
        yield* connection.write(head("content-type: application/pdf", lengthHead) + before)
        yield* connection.write(body.subarray(0, 60))
        yield* arrived
        yield* connection.write(Buffer.concat([...rest, before, body, after].map((part) => Buffer.from(part))))
        const answer = yield* connection.answer
        assert.strictEqual(answer.split("HTTP/1.1 202").length - 1, 2)
        assert.deepStrictEqual(
          (yield* inspect).submissions.map(({ chunks }) => chunks.reduce((sum, size) => sum + size, 0)),
          [100, 100]
        )
      }).pipe(Effect.provide(testServer))
    )
  }
})

describe("a server that has no routes yet", () => {
  it.effect("says so, where node would never answer", () =>
    Effect.gen(function* () {
      const connection = yield* rawConnection
      yield* connection.write("GET /health/ready HTTP/1.1\r\nhost: localhost\r\n\r\n")
      const answer = yield* connection.answer
      assert.include(answer, "HTTP/1.1 503")
      assert.include(answer, "retry-after: 1")
      assert.include(answer, "NOT_SERVING")
    }).pipe(
      Effect.provide(
        NodeServer.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ PORT: "0" }))))
      )
    )
  )
})
