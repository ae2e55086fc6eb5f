import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Layer, Queue } from "effect"
import { TestClock } from "effect/testing"
import { maxAttempts } from "../../../src/actors/webhooks/DeliveryBackoff.ts"
import { failure } from "../../../src/domain/Failure.ts"
import { RunnerId, TenantId } from "../../../src/domain/Ids.ts"
import {
  type CallbackAnswer,
  CallbackFailed,
  CallbackRefused,
  CallbackSender
} from "../../../src/services/CallbackSender.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"
import { StoreUnavailable } from "../../../src/services/store/StoreErrors.ts"
import { acme, at, claim, documentId, globex, newDocument, openedPdf, plenty } from "../../conformance/storeFixtures.ts"
import { makeWorld } from "./world.ts"

type Answer = Effect.Effect<CallbackAnswer, CallbackFailed | CallbackRefused>
const answers = (status: number): Answer => Effect.succeed({ status, retryAfter: undefined })

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

const callback = "https://a.example/hook"

describe("the outbox", () => {
  it.effect("delivers what is owed once, with the document as it ended in the body", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_500)
      const { calls, layer } = makeSender(() => answers(204))
      const { next, start, store } = yield* makeWorld(layer)
      yield* store.accept(newDocument(1, { callback }), plenty)
      const { fence } = yield* Effect.provideService(claim(), DocumentQueue, store)
      yield* store.opened(fence, openedPdf)
      yield* at(1_800_000_000_000, store.finish(fence, { status: "failed", failure: failure("CORRUPT", "no pages") }))
      yield* start
      assert.deepInclude(yield* next, { id: documentId(1), status: 204, error: undefined, nextAt: undefined })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(calls.length, 1)
      assert.deepStrictEqual(calls[0]?.headers, { "webhook-id": documentId(1), "webhook-timestamp": "1800000000" })
      const { data, ...envelope } = JSON.parse(calls[0]?.body ?? "")
      assert.deepStrictEqual(envelope, { type: "document.failed", timestamp: "2027-01-15T08:00:00.000Z" })
      assert.deepInclude(data, {
        id: documentId(1),
        tenantId: acme,
        name: "1.pdf",
        status: "failed",
        progress: { pages: 3, done: 0, failed: 0 },
        error: { ...failure("CORRUPT", "no pages") }
      })
      assert.containsAllKeys(data, ["metadata", "timings", "size"])
      assert.doesNotHaveAnyKeys(data, ["outline", "failure", "waiting"])
    })
  )

  it.effect("announces the end of a retried document under an id of its own", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender(() => answers(200))
      const { next, start, store } = yield* makeWorld(layer)
      yield* store.accept(newDocument(1, { callback }), plenty)
      for (const _ of [1, 2]) {
        const { fence } = yield* Effect.provideService(claim(), DocumentQueue, store)
        yield* at(0, store.finish(fence, { status: "failed", failure: failure("CORRUPT", "no pages") }))
        yield* at(0, store.retry(acme, documentId(1), { sealedPassword: undefined, passwordKey: undefined }, plenty))
      }
      yield* at(0, store.cancel(acme, documentId(1)))
      yield* start
      yield* next
      assert.strictEqual(calls[0]?.headers["webhook-id"], `${documentId(1)}_2`)
    })
  )

  it.effect("tries again for about a day, with the same id, and then gives up", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender(() => answers(503))
      const { after, end, next, start, store } = yield* makeWorld(layer)
      yield* end(1, { callback })
      yield* start
      let record = yield* next
      while (record.nextAt !== undefined) record = yield* after(record)
      assert.strictEqual(calls.length, maxAttempts)
      assert.strictEqual(new Set(calls.map(({ headers }) => headers["webhook-id"])).size, 1)
      assert.strictEqual(new Set(calls.map(({ headers }) => headers["webhook-timestamp"])).size, maxAttempts)
      assert.strictEqual((yield* store.deliveries(acme, documentId(1))).deliveries.length, maxAttempts)
      assert.isTrue(record.at > 18 * 3_600_000 && record.at < 28 * 3_600_000)
    })
  )

  it.effect("does not try again what must not be dialled, or what is gone", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender((url) =>
        url === callback ? new CallbackRefused({ detail: "a.example is not a public host" }) : answers(410)
      )
      const { end, next, start } = yield* makeWorld(layer)
      yield* end(1, { callback })
      yield* end(2, { callback: "https://b.example/hook" })
      yield* start
      assert.deepInclude(yield* next, { status: undefined, error: "a.example is not a public host", nextAt: undefined })
      assert.deepInclude(yield* next, { status: 410, nextAt: undefined })
      yield* TestClock.adjust("1 day")
      assert.strictEqual(calls.length, 2)
    })
  )

  it.effect("tries a name again that led to no public address: the next time it may", () =>
    Effect.gen(function* () {
      const detail = "a.example is not a public host, or there is no such name"
      let found = false
      const { calls, layer } = makeSender(() =>
        found ? answers(204) : new CallbackRefused({ detail, mayChange: true })
      )
      const { after, end, next, start } = yield* makeWorld(layer)
      yield* end(1, { callback })
      yield* start
      const first = yield* next
      assert.deepInclude(first, { status: undefined, error: detail })
      assert.isDefined(first.nextAt)
      found = true
      assert.deepInclude(yield* after(first), { status: 204, nextAt: undefined })
      assert.strictEqual(calls.length, 2)
    })
  )

  it.effect("delivers two of a tenant at once, however many it is owed, and those of others beside them", () =>
    Effect.gen(function* () {
      const open = yield* Deferred.make<void>()
      let highest = 0
      let inFlight = 0
      const { layer } = makeSender((url) =>
        url === "https://well.example/"
          ? answers(200)
          : Effect.gen(function* () {
              highest = Math.max(highest, ++inFlight)
              yield* Deferred.await(open)
              inFlight--
              return { status: 200, retryAfter: undefined }
            })
      )
      const { end, next, records, start } = yield* makeWorld(layer)
      yield* Effect.forEach(Array.from({ length: 300 }), (_, n) =>
        end(n + 1, { callback: `https://slow${n}.example/` })
      )
      yield* end(301, { callback: "https://well.example/", tenantId: globex })
      yield* start
      assert.strictEqual((yield* next).endpoint, "https://well.example")
      yield* Deferred.succeed(open, undefined)
      yield* Queue.takeN(records, 300)
      assert.strictEqual(highest, 2)
    })
  )

  it.effect(
    "does not hold one tenant's silent host against another tenant, and counts what was not sent as tried",
    () =>
      Effect.gen(function* () {
        const { calls, layer } = makeSender(() => new CallbackFailed({ detail: "no connection" }))
        const { end, records, start, store } = yield* makeWorld(layer)
        yield* Effect.forEach(Array.from({ length: 9 }), (_, n) => end(n + 1, { callback }))
        yield* end(10, { callback, tenantId: globex })
        yield* start
        const all = yield* Queue.takeN(records, 10)
        assert.strictEqual(all.find(({ id }) => id === documentId(10))?.error, "no connection")
        const unsent = all.filter(({ error }) => error?.startsWith("not tried") === true)
        assert.strictEqual(unsent.length, 10 - calls.length)
        const logs = yield* Effect.forEach(all, ({ id }) => store.deliveries(id === documentId(10) ? globex : acme, id))
        assert.isTrue(logs.every(({ deliveries: [first], nextAt }) => first?.attempt === 1 && nextAt !== undefined))
      })
  )

  it.effect("notes a delivery that breaks as a failed one, and goes on with the others", () =>
    Effect.gen(function* () {
      const { layer } = makeSender((url) => (url === callback ? Effect.die("a defect") : answers(200)))
      const { end, records, start } = yield* makeWorld(layer)
      yield* end(1, { callback })
      yield* end(2, { callback: "https://well.example/" })
      yield* start
      const all = yield* Queue.takeN(records, 2)
      const broken = all.find(({ id }) => id === documentId(1))
      assert.strictEqual(broken?.error, "the engine could not deliver it")
      assert.isDefined(broken?.nextAt)
      assert.isUndefined(all.find(({ id }) => id === documentId(2))?.nextAt)
    })
  )

  it.effect("delivers eight at once and no more", () =>
    Effect.gen(function* () {
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
          return { status: 200, retryAfter: undefined }
        })
      )
      const { end, records, start } = yield* makeWorld(layer)
      yield* Effect.forEach(Array.from({ length: 20 }), (_, n) =>
        end(n + 1, { callback: `https://host${n}.example/`, tenantId: TenantId.make(`tenant-${n % 5}`) })
      )
      yield* start
      yield* Deferred.await(full)
      yield* Deferred.succeed(open, undefined)
      yield* Queue.takeN(records, 20)
      assert.strictEqual(highest, 8)
    })
  )

  it.effect("goes on with other tenants while receivers of one take their time", () =>
    Effect.gen(function* () {
      const waiting = yield* Queue.unbounded<string>()
      const { layer } = makeSender((url) =>
        url.startsWith("https://slow") ? Effect.andThen(Queue.offer(waiting, url), Effect.never) : answers(200)
      )
      const { end, next, start } = yield* makeWorld(layer)
      yield* Effect.forEach(Array.from({ length: 9 }), (_, n) => end(n + 1, { callback: `https://slow${n}.example/` }))
      yield* start
      yield* Queue.takeN(waiting, 2)
      for (const number of [11, 12, 13]) {
        yield* end(number, { callback: "https://well.example/", tenantId: globex })
        yield* TestClock.adjust("2 seconds")
        assert.deepInclude(yield* next, { id: documentId(number), status: 200 })
      }
      assert.strictEqual(yield* Queue.size(waiting), 0)
    })
  )

  it.effect("goes on with a tenant's second lane while the first takes its time", () =>
    Effect.gen(function* () {
      const { layer } = makeSender((url) => (url.startsWith("https://slow") ? Effect.never : answers(200)))
      const { end, records, start } = yield* makeWorld(layer)
      yield* end(1, { callback: "https://slow.example/" })
      yield* Effect.forEach(Array.from({ length: 300 }), (_, n) => end(n + 2, { callback: "https://well.example/" }))
      yield* start
      const all = yield* Queue.takeN(records, 300)
      assert.deepStrictEqual(
        all.map(({ id }) => id),
        Array.from({ length: 300 }, (_, n) => documentId(n + 2))
      )
    })
  )

  it.effect("takes turns between tenants, whatever each is owed", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender(() => answers(200))
      const { end, records, start } = yield* makeWorld(layer)
      const tenants = Array.from({ length: 80 }, (_, n) => TenantId.make(`t${String(n).padStart(2, "0")}`))
      yield* Effect.forEach(tenants, (tenantId, n) =>
        Effect.forEach([0, 1, 2], (round) =>
          end(n * 3 + round + 1, { callback: `https://${tenantId}.example/`, tenantId })
        )
      )
      yield* start
      yield* Queue.takeN(records, 240)
      const rounds = [0, 80, 160].map((from) => new Set(calls.slice(from, from + 80).map(({ url }) => url)).size)
      assert.deepStrictEqual(rounds, [80, 80, 80])
    })
  )

  it.effect("delivers each callback once, however many outboxes share the store", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender(() => Effect.as(Effect.yieldNow, { status: 200, retryAfter: undefined }))
      const { end, records, start } = yield* makeWorld(layer)
      yield* Effect.forEach(Array.from({ length: 200 }), (_, n) =>
        end(n + 1, { callback: `https://host${n}.example/`, tenantId: TenantId.make(`tenant-${n % 7}`) })
      )
      yield* Effect.all([start, start, start], { concurrency: 3 })
      yield* Queue.takeN(records, 200)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(calls.length, 200)
      assert.strictEqual(new Set(calls.map(({ url }) => url)).size, 200)
    })
  )

  it.effect("delivers what another outbox had begun when its lease has ended, and no sooner", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender((_, call) => (call === 1 ? Effect.never : answers(200)))
      const { end, next, start, store } = yield* makeWorld(layer)
      yield* end(1, { callback })
      // A runner that dies neither records what it has claimed nor releases it.
      const dead = { runner: RunnerId.make("dead"), limit: 1, perTenant: 2, lease: Duration.minutes(1) }
      assert.strictEqual((yield* store.claimCallbacks(dead)).length, 1)
      yield* start
      yield* TestClock.adjust("58 seconds")
      assert.strictEqual(calls.length, 0)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(calls.length, 1)
      // The first try hangs and counts as one without an answer before the lease of this runner has ended.
      yield* TestClock.adjust("30 seconds")
      assert.deepInclude(yield* next, { error: "no answer within 30s" })
      yield* TestClock.adjust("20 seconds")
      assert.deepInclude(yield* next, { status: 200 })
      assert.strictEqual(calls.length, 2)
    })
  )

  it.effect("releases what it was delivering when it stops, so that the next one delivers it at once", () =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const { calls, layer } = makeSender((_, call) =>
        call === 1 ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : answers(200)
      )
      const { end, next, start } = yield* makeWorld(layer)
      yield* end(1, { callback })
      yield* Effect.scoped(Effect.andThen(start, Deferred.await(reached)))
      yield* start
      assert.deepInclude(yield* next, { status: 200 })
      assert.strictEqual(calls.length, 2)
    })
  )

  it.effect("does not send again and again what cannot be recorded", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender(() => answers(200))
      const { end, start } = yield* makeWorld(layer, {
        store: () => ({
          recordDelivery: () => Effect.fail(new StoreUnavailable({ operation: "record a delivery", cause: "full" }))
        })
      })
      yield* end(1, { callback })
      yield* start
      yield* TestClock.adjust("5 minutes")
      assert.isAtLeast(calls.length, 4)
      assert.isAtMost(calls.length, 6)
    })
  )

  it.effect("goes through more than one batch in a round", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender(() => answers(200))
      const { end, records, start } = yield* makeWorld(layer)
      yield* Effect.forEach(Array.from({ length: 600 }), (_, n) => end(n + 1, { callback }))
      yield* start
      yield* Queue.takeN(records, 600)
      assert.strictEqual(calls.length, 600)
    })
  )

  it.effect("lets a host that does not answer hold up nobody else", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender((url) =>
        url === "https://dead.example/" ? new CallbackFailed({ detail: "no connection" }) : answers(200)
      )
      const { end, records, start } = yield* makeWorld(layer)
      yield* Effect.forEach(Array.from({ length: 200 }), (_, n) => end(n + 1, { callback: "https://dead.example/" }))
      yield* end(201, { callback: "https://well.example/" })
      yield* start
      const all = yield* Queue.takeN(records, 201)
      assert.strictEqual(all.filter(({ nextAt }) => nextAt === undefined).length, 1)
      assert.isAtMost(calls.filter(({ url }) => url === "https://dead.example/").length, 8)
    })
  )

  it.effect("lets a tenant whose hosts all hang hold up no other tenant", () =>
    Effect.gen(function* () {
      const { calls, layer } = makeSender((url) =>
        url.startsWith("https://dead") ? new CallbackFailed({ detail: "no answer" }) : answers(200)
      )
      const { end, records, start } = yield* makeWorld(layer)
      yield* Effect.forEach(Array.from({ length: 100 }), (_, n) =>
        end(n + 1, { callback: `https://dead${n}.example/` })
      )
      yield* end(101, { callback: "https://well.example/", tenantId: globex })
      yield* start
      const all = yield* Queue.takeN(records, 101)
      assert.deepStrictEqual(
        all.filter(({ nextAt }) => nextAt === undefined).map(({ endpoint }) => endpoint),
        ["https://well.example"]
      )
      assert.isAtMost(calls.filter(({ url }) => url.startsWith("https://dead")).length, 12)
      assert.isTrue(all.some(({ error }) => error?.startsWith("not tried") === true))
    })
  )

  it.effect("goes on after the store or the sender broke", () =>
    Effect.gen(function* () {
      let rounds = 0
      const done = yield* Deferred.make<void>()
      const { start } = yield* makeWorld(makeSender(() => answers(200)).layer, {
        store: () => ({
          claimCallbacks: () =>
            Effect.suspend(() => {
              rounds++
              if (rounds === 1)
                return Effect.fail(new StoreUnavailable({ operation: "claim callbacks", cause: "busy" }))
              if (rounds === 2) return Effect.die("a defect")
              return Effect.as(Deferred.succeed(done, undefined), [])
            })
        })
      })
      yield* start
      yield* TestClock.adjust("10 seconds")
      yield* Deferred.await(done)
    })
  )

  it.effect("stops with its scope, in the middle of a delivery", () =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const { layer } = makeSender(() => Effect.andThen(Deferred.succeed(reached, undefined), Effect.never))
      const { end, records, start } = yield* makeWorld(layer)
      yield* end(1, { callback })
      yield* Effect.scoped(Effect.andThen(start, Deferred.await(reached)))
      assert.strictEqual(yield* Queue.size(records), 0)
    })
  )
})
