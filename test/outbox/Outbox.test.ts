import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Deferred, Effect, Fiber, Layer, Queue, Ref } from "effect"
import { TestClock } from "effect/testing"
import { DocumentEndedBody, layer as outbox, retryDelayMillis } from "../../src/actors/Outbox.ts"
import { Document, type DocumentStatus } from "../../src/domain/Document.ts"
import { failure } from "../../src/domain/Failure.ts"
import { DocumentId, TenantId } from "../../src/domain/Ids.ts"
import { layer as sender } from "../../src/layers/CallbackSender.ts"
import { CallbackFailed, CallbackRefused, CallbackSender } from "../../src/services/CallbackSender.ts"
import { DocumentStore, type PendingCallback, StoreUnavailable } from "../../src/services/DocumentStore.ts"
import { allowLoopback, serve } from "../sources/loopback.ts"

const idOf = (n: number) => DocumentId.make(`019ab000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`)

const ended = (n: number, status: DocumentStatus = "completed") =>
  new Document({
    id: idOf(n),
    tenantId: TenantId.make("acme"),
    name: `${n}.pdf`,
    priority: 5,
    status,
    attempt: 1,
    progress: { pages: 3, done: 3, failed: 0 },
    timings: { acceptedAt: DateTime.makeUnsafe(1_000), finishedAt: DateTime.makeUnsafe(2_000) },
    ...(status === "failed" ? { failure: failure("CORRUPT", "no pages") } : {})
  })

interface Owed extends PendingCallback {
  readonly dueAt: number
}

/** A store that owes these callbacks, and tells each record. */
const makeStore = Effect.fnUntraced(function* (urls: ReadonlyArray<string>) {
  const owed = yield* Ref.make<ReadonlyArray<Owed>>(
    urls.map((url, n) => ({ document: ended(n + 1), url, deliveries: 0, dueAt: 0 }))
  )
  const records = yield* Queue.unbounded<{ readonly id: DocumentId; readonly nextAt: number | "settled" }>()
  const layer = Layer.mock(DocumentStore, {
    pendingCallbacks: (now, limit) =>
      Effect.map(Ref.get(owed), (all) => all.filter(({ dueAt }) => dueAt <= now).slice(0, limit)),
    recordCallback: ({ id }, outcome) =>
      Effect.gen(function* () {
        yield* Ref.update(owed, (all) =>
          all.flatMap((one) => {
            if (one.document.id !== id) return [one]
            return outcome.settled ? [] : [{ ...one, deliveries: one.deliveries + 1, dueAt: outcome.nextAt }]
          })
        )
        yield* Queue.offer(records, { id, nextAt: outcome.settled ? "settled" : outcome.nextAt })
      })
  })
  return { layer, records, owed }
})

type Answer = Effect.Effect<void, CallbackFailed | CallbackRefused>
const busy: Answer = new CallbackFailed({ detail: "status 503", unreachable: false })

/** A receiver that answers by script; every call is counted. */
const makeSender = (answer: (url: string, call: number) => Answer) => {
  const calls: Array<{
    readonly url: string
    readonly body: string
    readonly headers: Readonly<Record<string, string>>
  }> = []
  const layer = Layer.succeed(CallbackSender, {
    send: (url, body, headers) => Effect.suspend(() => answer(url, calls.push({ url, body, headers })))
  })
  return { calls, layer }
}

const start = (store: Layer.Layer<DocumentStore>, callbacks: Layer.Layer<CallbackSender>) =>
  Layer.build(Layer.provide(outbox, Layer.merge(store, callbacks)))

describe("the outbox", () => {
  it.effect("announces the end of a retried document under an id of its own", () =>
    Effect.gen(function* () {
      const store = yield* makeStore(["https://a.example/hook"])
      yield* Ref.update(store.owed, (all) =>
        all.map((one) => ({ ...one, document: new Document({ ...one.document, retries: 2 }) }))
      )
      const { calls, layer } = makeSender(() => Effect.void)
      yield* start(store.layer, layer)
      yield* Queue.take(store.records)
      assert.strictEqual(calls[0]?.headers["webhook-id"], `${idOf(1)}.2`)
    })
  )

  it.effect("delivers what is owed once, with the document's end in the body", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_500)
      const store = yield* makeStore(["https://a.example/hook"])
      const { calls, layer } = makeSender(() => Effect.void)
      yield* start(store.layer, layer)
      assert.deepStrictEqual(yield* Queue.take(store.records), { id: idOf(1), nextAt: "settled" })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(calls.length, 1)
      assert.deepStrictEqual(calls[0]?.headers, { "webhook-id": idOf(1), "webhook-timestamp": "1800000000" })
      assert.deepStrictEqual(JSON.parse(calls[0]?.body ?? ""), {
        event: "document.ended",
        id: idOf(1),
        tenantId: "acme",
        name: "1.pdf",
        status: "completed",
        progress: { pages: 3, done: 3, failed: 0 },
        timings: { acceptedAt: "1970-01-01T00:00:01.000Z", finishedAt: "1970-01-01T00:00:02.000Z" }
      })
    })
  )

  it.effect("tries again with growing delays and gives up after ten deliveries", () =>
    Effect.gen(function* () {
      const store = yield* makeStore(["https://a.example/hook"])
      const { calls, layer } = makeSender(() => busy)
      yield* start(store.layer, layer)
      const delays: Array<number | "settled"> = []
      while (delays.at(-1) !== "settled") {
        const { nextAt } = yield* Queue.take(store.records)
        const now = yield* Clock.currentTimeMillis
        delays.push(nextAt === "settled" ? nextAt : nextAt - now)
        if (nextAt !== "settled") yield* TestClock.adjust(nextAt - now)
      }
      assert.deepStrictEqual(delays, [...[10, 20, 40, 80, 160, 320, 640, 1280, 2560].map((s) => s * 1000), "settled"])
      assert.strictEqual(calls.length, 10)
      assert.strictEqual(retryDelayMillis(10), 3_600_000)
    })
  )

  it.effect("does not try again what was refused for good", () =>
    Effect.gen(function* () {
      const store = yield* makeStore(["https://a.example/hook"])
      const { calls, layer } = makeSender(() => new CallbackRefused({ detail: "status 410" }))
      yield* start(store.layer, layer)
      assert.strictEqual((yield* Queue.take(store.records)).nextAt, "settled")
      yield* TestClock.adjust("1 day")
      assert.strictEqual(calls.length, 1)
    })
  )

  it.effect("delivers eight at once and no more", () =>
    Effect.gen(function* () {
      const store = yield* makeStore(Array.from({ length: 20 }, (_, n) => `https://host${n}.example/`))
      const full = yield* Deferred.make<void>()
      const open = yield* Deferred.make<void>()
      let inFlight = 0
      let highest = 0
      const { layer } = makeSender(() =>
        Effect.gen(function* () {
          highest = Math.max(highest, ++inFlight)
          if (inFlight === 8) yield* Deferred.succeed(full, undefined)
          yield* Deferred.await(open)
          inFlight--
        })
      )
      yield* start(store.layer, layer)
      yield* Deferred.await(full)
      yield* Deferred.succeed(open, undefined)
      yield* Queue.takeN(store.records, 20)
      assert.strictEqual(highest, 8)
    })
  )

  it.effect("goes through more than one batch in a round", () =>
    Effect.gen(function* () {
      const store = yield* makeStore(Array.from({ length: 600 }, () => "https://a.example/"))
      const { calls, layer } = makeSender(() => Effect.void)
      yield* start(store.layer, layer)
      yield* Queue.takeN(store.records, 600)
      assert.strictEqual(calls.length, 600)
    })
  )

  it.effect("lets a host that does not answer hold up nobody else", () =>
    Effect.gen(function* () {
      const urls = [...Array.from({ length: 200 }, () => "https://dead.example/"), "https://well.example/"]
      const store = yield* makeStore(urls)
      const { calls, layer } = makeSender((url) =>
        url === "https://dead.example/"
          ? new CallbackFailed({ detail: "no connection", unreachable: true })
          : Effect.void
      )
      yield* start(store.layer, layer)
      const records = yield* Queue.takeN(store.records, urls.length)
      assert.strictEqual(records.filter(({ nextAt }) => nextAt === "settled").length, 1)
      assert.isAtMost(calls.filter(({ url }) => url === "https://dead.example/").length, 8)
    })
  )

  it.effect("goes on after the store or the sender broke", () =>
    Effect.gen(function* () {
      let rounds = 0
      const done = yield* Deferred.make<void>()
      const store = Layer.mock(DocumentStore, {
        pendingCallbacks: () =>
          Effect.suspend(() => {
            rounds++
            if (rounds === 1)
              return Effect.fail(new StoreUnavailable({ operation: "find callbacks owed", cause: "busy" }))
            if (rounds === 2) return Effect.die("a defect")
            return Effect.as(Deferred.succeed(done, undefined), [])
          })
      })
      yield* start(store, makeSender(() => Effect.void).layer)
      yield* TestClock.adjust("10 seconds")
      yield* Deferred.await(done)
    })
  )

  it.effect("stops with its scope, in the middle of a delivery", () =>
    Effect.gen(function* () {
      const store = yield* makeStore(["https://a.example/hook"])
      const reached = yield* Deferred.make<void>()
      const { layer } = makeSender(() => Effect.andThen(Deferred.succeed(reached, undefined), Effect.never))
      yield* Effect.scoped(Effect.andThen(start(store.layer, layer), Deferred.await(reached)))
      assert.strictEqual(yield* Queue.size(store.records), 0)
    })
  )

  it.effect("reaches a real receiver over HTTP", () =>
    Effect.gen(function* () {
      const received = yield* Deferred.make<{ readonly body: string; readonly id: unknown; readonly type: unknown }>()
      const { port } = yield* serve((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          response.writeHead(202).end()
          const body = Buffer.concat(chunks).toString()
          const { "webhook-id": id, "content-type": type } = request.headers
          Deferred.doneUnsafe(received, Effect.succeed({ body, id, type }))
        })
      })
      const store = yield* makeStore([`http://127.0.0.1:${port}/hook`])
      yield* start(store.layer, sender.pipe(Layer.provide(allowLoopback(port))))
      assert.strictEqual((yield* Queue.take(store.records)).nextAt, "settled")
      const { body, id, type } = yield* Deferred.await(received)
      assert.strictEqual(id, idOf(1))
      assert.strictEqual(type, "application/json")
      assert.sameMembers(
        Object.keys(JSON.parse(body)),
        Object.keys(DocumentEndedBody.fields).filter((key) => key !== "error")
      )
    })
  )
})

describe("sending a callback", () => {
  const send = (url: string) => CallbackSender.use((callbacks) => Effect.flip(callbacks.send(url, "{}", {})))

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
        const error = yield* Effect.provide(send(url), sender)
        assert.strictEqual(error._tag, "CallbackRefused", url)
        assert.notInclude(JSON.stringify(error), "hunter2")
      }
    })
  )

  it.effect("takes 4xx for a refusal, but not 408, 429, redirects and 5xx", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((request, response) =>
        response.writeHead(Number(request.url?.slice(1)), { location: "/200" }).end()
      )
      const expected = {
        400: "Refused",
        404: "Refused",
        410: "Refused",
        408: "Failed",
        429: "Failed",
        302: "Failed",
        500: "Failed"
      }
      for (const [status, tag] of Object.entries(expected)) {
        const error = yield* Effect.provide(
          send(`http://127.0.0.1:${port}/${status}`),
          sender.pipe(Layer.provide(allowLoopback(port)))
        )
        assert.strictEqual(error._tag, `Callback${tag}`, status)
      }
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
      yield* Effect.provide(
        CallbackSender.use((to) => to.send(`http://127.0.0.1:${port}/endless`, "{}", {})),
        app
      )
      const waiting = yield* Effect.forkChild(Effect.provide(send(`http://127.0.0.1:${port}/silent`), app))
      yield* Deferred.await(reached)
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* Fiber.join(waiting), { _tag: "CallbackFailed", unreachable: true })
    })
  )
})
