import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer, Option, Queue, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { signaturesOf } from "../../../src/domain/webhook/WebhookSignature.ts"
import { layer as sender } from "../../../src/layers/net/CallbackSender.ts"
import { StoreUnavailable } from "../../../src/services/store/StoreErrors.ts"
import { secretOverlap } from "../../../src/actors/webhooks/Webhooks.ts"
import { acme, documentId, globex } from "../../conformance/storeFixtures.ts"
import { allowLoopback } from "../../layers/net/loopback.ts"
import { expectedSignature, makeReceiver, makeWorld, type WorldOptions } from "./world.ts"

type Answer = Parameters<typeof makeReceiver>[0]

/** An outbox and a receiver on the loopback that answers so. */
const makeBoth = Effect.fnUntraced(function* (answer: Answer, options: WorldOptions = {}) {
  const receiver = yield* makeReceiver(answer)
  const world = yield* makeWorld(sender.pipe(Layer.provide(allowLoopback(receiver.port))), options)
  return { ...receiver, ...world }
})

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end()

/** The secret of a webhook that was just made. */
const fresh = ({ secret }: { readonly secret: Redacted.Redacted | undefined }) => Effect.fromNullishOr(secret)

describe("the signature", () => {
  it("is that of the specification's example", () => {
    const signature = signaturesOf([Redacted.make("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestamp: 1_614_265_330,
      body: '{"test": 2432232314}'
    })
    assert.strictEqual(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  })
})

describe("a webhook", () => {
  it.effect("is told of every document of its tenant that names no callback, signed", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_000)
      const { end, next, received, start, url, webhooks } = yield* makeBoth(status(204))
      const secret = yield* fresh(yield* webhooks.put(acme, url))
      assert.match(Redacted.value(secret), /^whsec_[A-Za-z0-9+/]{43}=$/)
      yield* end(1)
      yield* end(2, { tenantId: globex })
      yield* start
      assert.deepInclude(yield* next, { id: documentId(1), status: 204, nextAt: undefined })
      yield* TestClock.adjust("1 minute")
      const [message, ...others] = received
      assert.deepStrictEqual(others, [])
      if (message === undefined) return
      assert.strictEqual(message.path, "/hook?token=hunter2")
      assert.strictEqual(message.headers["webhook-id"], documentId(1))
      assert.strictEqual(message.headers["webhook-timestamp"], "1800000000")
      assert.strictEqual(message.headers["content-type"], "application/json")
      assert.strictEqual(message.headers["webhook-signature"], expectedSignature(message, secret))
      assert.deepInclude(JSON.parse(message.body), { type: "document.cancelled" })
    })
  )

  it.effect("signs callbacks of its tenant's documents, too, which come first", () =>
    Effect.gen(function* () {
      const { end, next, received, start, url, webhooks } = yield* makeBoth(status(200))
      const secret = yield* fresh(yield* webhooks.put(acme, "http://127.0.0.1:1/never"))
      yield* end(1, { callback: url })
      yield* end(2, { callback: url, tenantId: globex })
      yield* start
      yield* Effect.all([next, next])
      const signatures = received.map((message) => [
        message.headers["webhook-signature"],
        expectedSignature(message, secret)
      ])
      assert.strictEqual(signatures.length, 2)
      const signed = signatures.filter(([signature]) => signature !== undefined)
      assert.strictEqual(signed.length, 1)
      assert.strictEqual(signed[0]?.[0], signed[0]?.[1])
    })
  )

  it.effect("signs with both secrets while they are changed over, then with the new one alone", () =>
    Effect.gen(function* () {
      const { end, next, received, start, url, webhooks } = yield* makeBoth(status(200))
      const first = yield* fresh(yield* webhooks.put(acme, url))
      assert.strictEqual((yield* webhooks.put(acme, url)).secret, undefined)
      const { secret: second } = yield* webhooks.rotate(acme)
      yield* end(1)
      yield* start
      yield* next
      yield* TestClock.adjust(secretOverlap)
      yield* end(2)
      yield* TestClock.adjust("2 seconds")
      yield* next
      const [during, after] = received
      if (during === undefined || after === undefined) return assert.fail("two messages were expected")
      assert.strictEqual(
        during.headers["webhook-signature"],
        `${expectedSignature(during, second)} ${expectedSignature(during, first)}`
      )
      assert.strictEqual(after.headers["webhook-signature"], expectedSignature(after, second))
    })
  )

  it.effect("keeps its secrets sealed", () =>
    Effect.gen(function* () {
      const { store, url, webhooks } = yield* makeBoth(status(200))
      const secret = yield* fresh(yield* webhooks.put(acme, url))
      const kept = yield* store.findWebhook(acme)
      assert.isTrue(Option.isSome(kept))
      assert.notInclude(JSON.stringify(kept), Redacted.value(secret).slice(6))
    })
  )
})

describe("a delivery", () => {
  it.effect(
    "that fails is repeated until the receiver comes back, and all of it is in the log without the URL's secrets",
    () =>
      Effect.gen(function* () {
        const { after, end, next, port, received, start, store, url, webhooks } = yield* makeBoth((response, _, call) =>
          call === 1
            ? response.destroy()
            : response.writeHead(call === 2 ? 503 : 200, call === 2 ? { "retry-after": "120" } : {}).end()
        )
        yield* webhooks.put(acme, url)
        yield* end(1)
        yield* start
        const broken = yield* next
        assert.strictEqual(broken.status, undefined)
        const busy = yield* after(broken)
        const waited = (busy.nextAt ?? 0) - busy.at
        assert.isTrue(waited >= 120_000 && waited <= 120_000 + busy.elapsedMillis)
        assert.strictEqual((yield* webhooks.find(acme)).failingSince, broken.at)
        const delivered = yield* after(busy)
        assert.strictEqual(delivered.nextAt, undefined)
        assert.strictEqual((yield* webhooks.find(acme)).failingSince, undefined)
        assert.strictEqual(new Set(received.map(({ headers }) => headers["webhook-id"])).size, 1)

        const log = yield* webhooks.deliveries(acme, documentId(1))
        assert.deepStrictEqual(
          log.deliveries.map(({ attempt, endpoint, error, status }) => ({ attempt, endpoint, error, status })),
          [
            { attempt: 3, endpoint: `http://127.0.0.1:${port}`, error: undefined, status: 200 },
            {
              attempt: 2,
              endpoint: `http://127.0.0.1:${port}`,
              error: "the endpoint answered with status 503",
              status: 503
            },
            { attempt: 1, endpoint: `http://127.0.0.1:${port}`, error: broken.error, status: undefined }
          ]
        )
        assert.notInclude(JSON.stringify(log), "hunter2")
        assert.strictEqual(log.nextAt, undefined)
        assert.deepInclude(yield* store.owed(), { deliveries: 0 })
      })
  )

  it.effect("to a receiver that hangs is given up after ten seconds, and tried again", () =>
    Effect.gen(function* () {
      const { arrivals, end, next, start, url, webhooks } = yield* makeBoth(() => {})
      yield* webhooks.put(acme, url)
      yield* end(1)
      yield* start
      yield* Queue.take(arrivals)
      yield* TestClock.adjust("10 seconds")
      const record = yield* next
      assert.deepInclude(record, {
        status: undefined,
        error: "127.0.0.1 did not answer in time",
        elapsedMillis: 10_000
      })
      assert.isAbove(record.nextAt ?? 0, 10_000)
    })
  )

  it.effect("does not follow a redirect inward", () =>
    Effect.gen(function* () {
      const inner = yield* makeReceiver(status(200))
      const { end, next, start, url, webhooks } = yield* makeBoth(status(307, { location: inner.url }))
      yield* webhooks.put(acme, url)
      yield* end(1)
      yield* start
      const record = yield* next
      assert.strictEqual(record.status, 307)
      assert.isDefined(record.nextAt)
      assert.strictEqual(inner.received.length, 0)
    })
  )

  it.effect("to an address that is not public is not made, whatever the tenant says", () =>
    Effect.gen(function* () {
      const inner = yield* makeReceiver(status(200))
      const { end, next, start, webhooks } = yield* makeBoth(status(200))
      yield* webhooks.put(acme, inner.url)
      yield* end(1)
      yield* start
      assert.deepInclude(yield* next, { status: undefined, error: "127.0.0.1 is not a public host", nextAt: undefined })
      assert.strictEqual(inner.received.length, 0)
    })
  )

  it.effect("is repeated when the process ends between it and its record, under the same id", () =>
    Effect.gen(function* () {
      let broken = true
      const crash = new StoreUnavailable({ operation: "record a delivery", cause: "the process ends" })
      const { arrivals, end, next, received, start, url, webhooks } = yield* makeBoth(status(200), {
        store: ({ recordDelivery }) => ({
          recordDelivery: (pending, delivery, health) =>
            Effect.suspend(() => (broken ? Effect.fail(crash) : recordDelivery(pending, delivery, health)))
        })
      })
      yield* webhooks.put(acme, url)
      yield* end(1)
      yield* Effect.scoped(Effect.andThen(start, Queue.take(arrivals)))
      broken = false
      yield* start
      assert.deepInclude(yield* next, { id: documentId(1), status: 200, nextAt: undefined })
      assert.strictEqual(received.length, 2)
      assert.strictEqual(received[0]?.headers["webhook-id"], received[1]?.headers["webhook-id"])
      assert.strictEqual(received[0]?.body, received[1]?.body)
    })
  )

  it.effect("is repeated by hand, under the same id and with all retries", () =>
    Effect.gen(function* () {
      const { end, next, received, start, url, webhooks } = yield* makeBoth(status(500))
      yield* webhooks.put(acme, url)
      yield* end(1)
      yield* start
      const first = yield* next
      yield* TestClock.adjust("2 seconds")
      const now = yield* Clock.currentTimeMillis
      assert.strictEqual((yield* webhooks.redeliver(acme, documentId(1))).nextAt, now)
      yield* TestClock.adjust("2 seconds")
      const again = yield* next
      assert.isBelow(again.at, first.nextAt ?? 0)
      const { deliveries } = yield* webhooks.deliveries(acme, documentId(1))
      assert.deepStrictEqual(
        deliveries.map(({ attempt }) => attempt),
        [1, 1]
      )
      assert.strictEqual(received[0]?.headers["webhook-id"], received[1]?.headers["webhook-id"])
    })
  )

  it.effect("is not made unsigned when its secret cannot be opened", () =>
    Effect.gen(function* () {
      const { end, next, received, start, store, url } = yield* makeBoth(status(200))
      yield* store.putWebhook(acme, { url, sealedSecret: "v1.of another key" })
      yield* end(1)
      yield* start
      const record = yield* next
      assert.include(record.error, "cannot be opened")
      assert.isDefined(record.nextAt)
      assert.strictEqual(received.length, 0)
    })
  )
})

describe("an endpoint", () => {
  it.effect("that is gone is disabled at once, until it is set again", () =>
    Effect.gen(function* () {
      let gone = true
      const { end, next, received, start, url, webhooks } = yield* makeBoth((response) =>
        response.writeHead(gone ? 410 : 200).end()
      )
      yield* webhooks.put(acme, url)
      yield* end(1)
      yield* start
      const record = yield* next
      assert.deepInclude(record, { status: 410, nextAt: undefined })
      const { disabled } = yield* webhooks.find(acme)
      assert.deepInclude(disabled, { at: record.at })
      assert.include(disabled?.reason, "410")
      yield* end(2)
      yield* TestClock.adjust("1 day")
      assert.strictEqual(received.length, 1)
      assert.deepInclude(yield* Effect.flip(webhooks.redeliver(acme, documentId(2))), { why: "disabled" })

      gone = false
      const { webhook } = yield* webhooks.put(acme, url)
      assert.strictEqual(webhook.disabled, undefined)
      yield* webhooks.redeliver(acme, documentId(2))
      yield* TestClock.adjust("2 seconds")
      assert.deepInclude(yield* next, { id: documentId(2), status: 200 })
    })
  )

  it.effect("that has failed for as long as it may is disabled, and what is still owed to it says so", () =>
    Effect.gen(function* () {
      const { after, end, next, received, start, url, webhooks } = yield* makeBoth(status(500), {
        disableAfter: Duration.hours(2)
      })
      yield* webhooks.put(acme, url)
      yield* end(1)
      yield* start
      const first = yield* next
      let record = first
      while ((yield* webhooks.find(acme)).disabled === undefined) record = yield* after(record)
      assert.isAtLeast(record.at - first.at, Duration.toMillis("2 hours"))
      const { disabled, failingSince } = yield* webhooks.find(acme)
      assert.strictEqual(failingSince, first.at)
      assert.include(disabled?.reason, "2h")
      assert.include(disabled?.reason, "500")
      const calls = received.length
      const last = yield* after(record)
      assert.deepInclude(last, { status: undefined, endpoint: "", nextAt: undefined })
      assert.include(last.error, "disabled")
      assert.strictEqual(received.length, calls)
    })
  )

  it.effect("that was removed gets nothing more", () =>
    Effect.gen(function* () {
      const { after, end, next, received, start, url, webhooks } = yield* makeBoth(status(500))
      yield* webhooks.put(acme, url)
      yield* end(1)
      yield* start
      const record = yield* next
      yield* webhooks.remove(acme)
      assert.include((yield* after(record)).error, "no endpoint any more")
      assert.strictEqual(received.length, 1)
      assert.strictEqual((yield* Effect.flip(webhooks.remove(acme)))._tag, "WebhookNotFound")
    })
  )
})
