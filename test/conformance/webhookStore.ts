import { assert } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { RunnerId, TenantId } from "../../src/domain/Ids.ts"
import { deliveriesKept } from "../../src/domain/webhook/Webhook.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { WebhookStore } from "../../src/services/store/WebhookStore.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import {
  accept,
  acme,
  at,
  claim,
  documentId,
  globex,
  numberOf,
  openedPdf,
  pendingCallbacks,
  settle,
  type Test,
  tried
} from "./storeFixtures.ts"

const callback = "https://example.org/hook"
const endpoint = "https://acme.example/ends"

const put = (url: string | undefined = endpoint, moment = 2_000) =>
  WebhookStore.use((store) => at(moment, store.putWebhook(acme, { url, sealedSecret: `sealed at ${moment}` })))

const rotate = (sealedSecret: string, moment: number) =>
  WebhookStore.use((store) => at(moment, store.rotateSecret(acme, { sealedSecret, overlap: Duration.seconds(6) })))

const cancel = (number: number, moment = 3_000) =>
  Documents.use((documents) => at(moment, documents.cancel(acme, documentId(number))))

/** The first that is owed, which has to be there. */
const owed = Effect.flatMap(pendingCallbacks(99_000, 9), ([first]) => Effect.fromNullishOr(first))

const redeliver = (tenant: TenantId, number: number, at: number) =>
  Effect.andThen(
    TestClock.setTime(at),
    WebhookStore.use((store) => store.redeliver(tenant, documentId(number)))
  )

const found = WebhookStore.use((store) => Effect.flatMap(store.findWebhook(acme), Effect.fromOption))

/** Webhooks of tenants, what is owed to them and to callbacks of documents, and the log of deliveries. */
export const webhooks = (test: Test) => {
  test(
    "owes a callback from the moment a document ends until it is settled",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const store = yield* WebhookStore
      yield* accept(1, { callback })
      yield* accept(2, { callback })
      yield* accept(3)
      const first = yield* claim()
      yield* queue.opened(first.fence, openedPdf)
      assert.deepStrictEqual(yield* pendingCallbacks(99_000, 10), [])
      const completed = yield* at(3_000, queue.finish(first.fence, { status: "completed" }))
      yield* cancel(2, 4_000)
      yield* cancel(3, 4_000)
      assert.deepStrictEqual(yield* pendingCallbacks(2_999, 10), [])
      assert.strictEqual((yield* pendingCallbacks(4_000, 1)).length, 1)
      const [one, two, ...others] = yield* pendingCallbacks(4_000, 10)
      assert.deepStrictEqual({ ...one?.document }, { ...completed })
      assert.deepInclude(one, { callback, webhook: undefined, deliveries: 0, dueAt: 3_000 })
      assert.strictEqual(two?.document.id, documentId(2))
      assert.deepStrictEqual(others, [])
      if (one === undefined) return
      yield* store.recordDelivery(one, tried({ status: 503, error: "busy", nextAt: 8_000 }), undefined)
      yield* settle(two)
      assert.deepStrictEqual(yield* pendingCallbacks(7_999, 10), [])
      const [again] = yield* pendingCallbacks(8_000, 10)
      assert.deepInclude(again, { deliveries: 1, dueAt: 8_000 })
      yield* settle(again)
      assert.deepStrictEqual(yield* pendingCallbacks(99_000, 10), [])
    })
  )

  test(
    "counts what is owed, of a tenant and of all, and tells when the oldest of these documents ended",
    Effect.gen(function* () {
      const documents = yield* Documents
      const store = yield* WebhookStore
      const nothing = { deliveries: 0, since: undefined }
      assert.deepStrictEqual([yield* store.owed(), yield* store.owed(acme)], [nothing, nothing])
      yield* accept(1, { callback })
      yield* accept(2, { callback })
      yield* accept(3, { callback, tenantId: globex })
      yield* accept(4)
      yield* cancel(2, 3_000)
      yield* cancel(1, 4_000)
      yield* cancel(4, 1_000)
      yield* at(2_000, documents.cancel(globex, documentId(3)))
      assert.deepStrictEqual(yield* store.owed(acme), { deliveries: 2, since: 3_000 })
      assert.deepStrictEqual(yield* store.owed(), { deliveries: 3, since: 2_000 })
      const [first] = yield* pendingCallbacks(99_000, 9)
      const pending = yield* Effect.fromNullishOr(first)
      yield* store.recordDelivery(pending, tried({ status: 503, error: "busy", nextAt: 8_000 }), undefined)
      assert.deepStrictEqual(yield* store.owed(acme), { deliveries: 2, since: 3_000 })
      yield* documents.remove(acme, documentId(1))
      yield* settle(yield* owed)
      yield* settle(yield* owed)
      assert.deepStrictEqual([yield* store.owed(), yield* store.owed(acme)], [nothing, nothing])
    })
  )

  test(
    "owes ends to the endpoint that the tenant had, enabled, when its document ended, and to no other tenant's",
    Effect.gen(function* () {
      const documents = yield* Documents
      yield* accept(1)
      yield* accept(2)
      yield* accept(3, { tenantId: globex })
      yield* cancel(1)
      yield* put()
      yield* cancel(2)
      yield* at(3_000, documents.cancel(globex, documentId(3)))
      const pending = yield* pendingCallbacks(99_000, 9)
      assert.deepStrictEqual(
        pending.map(({ document, webhook }) => [document.id, webhook?.url]),
        [[documentId(2), endpoint]]
      )
    })
  )

  test(
    "takes turns between tenants, from one on, and goes round",
    Effect.gen(function* () {
      const documents = yield* Documents
      const store = yield* WebhookStore
      for (const number of [1, 2, 3, 4]) yield* accept(number, { callback })
      for (const number of [5, 6]) yield* accept(number, { callback, tenantId: globex })
      for (const number of [1, 2, 3, 4]) yield* cancel(number, 3_000 + number)
      for (const number of [5, 6]) yield* at(3_000 + number, documents.cancel(globex, documentId(number)))
      const owedTo = (limit: number, after?: TenantId) =>
        Effect.map(pendingCallbacks(4_000, limit, after), (all) => all.map(({ document }) => numberOf(document.id)))
      assert.deepStrictEqual(yield* owedTo(9), [1, 5, 2, 6, 3, 4])
      assert.deepStrictEqual(yield* owedTo(3), [1, 5, 2])
      assert.deepStrictEqual(yield* owedTo(9, acme), [5, 1, 6, 2, 3, 4])
      assert.deepStrictEqual(yield* owedTo(2, TenantId.make("aaaa")), [1, 5])
      assert.deepStrictEqual(yield* owedTo(3, globex), [1, 5, 2])
      assert.deepStrictEqual(yield* owedTo(1, TenantId.make("zzzz")), [1])
      assert.deepStrictEqual(yield* owedTo(0, globex), [])
      const [first] = yield* pendingCallbacks(4_000, 1)
      if (first === undefined) return
      yield* store.recordDelivery(first, tried({ nextAt: 8_000 }), undefined)
      assert.deepStrictEqual(yield* owedTo(9), [2, 5, 3, 6, 4])
      const again = (yield* pendingCallbacks(8_000, 9)).find(({ document }) => document.id === first.document.id)
      assert.deepInclude(again, { deliveries: 1, dueAt: 8_000 })
    })
  )

  test(
    "owes nothing to a tenant that has a secret and no endpoint, nor to an endpoint that is disabled",
    Effect.gen(function* () {
      const store = yield* WebhookStore
      yield* Effect.forEach([1, 2, 3], (number) => accept(number))
      yield* put()
      yield* cancel(1)
      assert.isTrue(yield* store.recordDelivery(yield* owed, tried(), { toleranceMillis: 0, reason: "gone" }))
      yield* cancel(2)
      yield* at(3_000, store.putWebhook(acme, { url: undefined, sealedSecret: "" }))
      yield* cancel(3)
      assert.deepStrictEqual(yield* pendingCallbacks(99_000, 9), [])
    })
  )

  test(
    "keeps the secret when the URL changes, and two secrets when it is rotated, the newest first",
    Effect.gen(function* () {
      const store = yield* WebhookStore
      assert.isTrue(Option.isNone(yield* store.findWebhook(acme)))
      assert.isTrue(Option.isNone(yield* rotate("b", 1_000)))
      const made = yield* put()
      assert.deepStrictEqual(made, {
        created: true,
        webhook: {
          url: endpoint,
          secrets: [{ sealed: "sealed at 2000", createdAt: 2_000, expiresAt: undefined }],
          createdAt: 2_000,
          changedAt: 2_000,
          failingSince: undefined,
          disabled: undefined
        }
      })
      const changed = yield* put("https://acme.example/other", 2_500)
      assert.isFalse(changed.created)
      assert.deepInclude(changed.webhook, { secrets: made.webhook.secrets, createdAt: 2_000, changedAt: 2_500 })
      yield* rotate("b", 3_000)
      yield* rotate("c", 4_000)
      const webhook = yield* found
      assert.deepStrictEqual(webhook.secrets, [
        { sealed: "c", createdAt: 4_000, expiresAt: undefined },
        { sealed: "b", createdAt: 3_000, expiresAt: 10_000 }
      ])
      assert.strictEqual(webhook.url, "https://acme.example/other")
      assert.isTrue(yield* store.removeWebhook(acme))
      assert.isFalse(yield* store.removeWebhook(acme))
      assert.isTrue(Option.isNone(yield* store.findWebhook(acme)))
    })
  )

  test(
    "disables an endpoint that has failed for long enough without a success in between, once, and enables it when it is set",
    Effect.gen(function* () {
      const store = yield* WebhookStore
      yield* accept(1)
      yield* put()
      yield* cancel(1)
      const health = { toleranceMillis: 1_000, reason: "it always fails" }
      const fail = Effect.fnUntraced(function* (at: number) {
        return yield* store.recordDelivery(yield* owed, tried({ at, status: 500, error: "no", nextAt: at }), health)
      })
      assert.isFalse(yield* fail(5_000))
      assert.strictEqual((yield* found).failingSince, 5_000)
      assert.isFalse(yield* store.recordDelivery(yield* owed, tried({ at: 5_500, nextAt: 5_500 }), "works"))
      assert.strictEqual((yield* found).failingSince, undefined)
      assert.isFalse(yield* fail(6_000))
      assert.isFalse(yield* fail(6_999))
      assert.isTrue(yield* fail(7_000))
      assert.isFalse(yield* fail(7_001))
      assert.deepInclude(yield* found, { failingSince: 6_000, disabled: { at: 7_000, reason: health.reason } })
      yield* put(endpoint, 8_000)
      assert.deepInclude(yield* found, { failingSince: undefined, disabled: undefined })
    })
  )

  test(
    "learns nothing of an endpoint from a delivery to the one before",
    Effect.gen(function* () {
      const store = yield* WebhookStore
      yield* accept(1)
      yield* put()
      yield* cancel(1)
      const before = yield* owed
      yield* put("https://acme.example/other", 2_000)
      assert.isFalse(yield* store.recordDelivery(before, tried(), { toleranceMillis: 0, reason: "gone" }))
      assert.deepInclude(yield* found, { failingSince: undefined, disabled: undefined })
    })
  )

  test(
    "logs each try, latest first, and keeps the last ones of them, for the document's own tenant",
    Effect.gen(function* () {
      const documents = yield* Documents
      const store = yield* WebhookStore
      yield* accept(1, { callback })
      yield* accept(2)
      yield* cancel(1)
      assert.deepStrictEqual(yield* store.deliveries(acme, documentId(1)), { deliveries: [], nextAt: 3_000 })
      const failed = tried({ status: undefined, error: "no connection", nextAt: 6_000 })
      yield* store.recordDelivery(yield* owed, failed, undefined)
      yield* store.recordDelivery(yield* owed, tried({ at: 6_000 }), undefined)
      assert.deepStrictEqual(yield* store.deliveries(acme, documentId(1)), {
        deliveries: [
          { ...tried({ at: 6_000 }), attempt: 2 },
          { ...failed, attempt: 1 }
        ],
        nextAt: undefined
      })
      assert.deepStrictEqual(yield* store.deliveries(acme, documentId(2)), { deliveries: [], nextAt: undefined })
      const hidden = yield* Effect.flip(store.deliveries(globex, documentId(1)))
      assert.strictEqual(hidden._tag, "DocumentNotFound")

      yield* redeliver(acme, 1, 7_000)
      for (let at = 1; at <= deliveriesKept; at++) {
        yield* store.recordDelivery(yield* owed, tried({ at, nextAt: 8_000 + at }), undefined)
      }
      const { deliveries } = yield* store.deliveries(acme, documentId(1))
      assert.strictEqual(deliveries.length, deliveriesKept)
      assert.deepInclude(deliveries.at(-1), { at: 1, attempt: 1 })
      yield* documents.remove(acme, documentId(1))
      const gone = yield* Effect.flip(store.deliveries(acme, documentId(1)))
      assert.strictEqual(gone._tag, "DocumentNotFound")
    })
  )

  test(
    "owes an end again when it is asked to, which no record of a try under way settles",
    Effect.gen(function* () {
      yield* accept(1, { callback })
      yield* cancel(1)
      const underWay = yield* owed
      yield* redeliver(acme, 1, 3_000)
      yield* settle(underWay)
      const again = yield* owed
      assert.deepInclude(again, { callback, deliveries: 0 })
      yield* settle(again)
      assert.deepStrictEqual(yield* pendingCallbacks(99_000, 9), [])
      yield* redeliver(acme, 1, 9_000)
      assert.deepStrictEqual(yield* pendingCallbacks(8_999, 9), [])
      assert.deepInclude(yield* owed, { callback, deliveries: 0, dueAt: 9_000 })
    })
  )

  test(
    "refuses to deliver what has not ended, or what has nowhere to go",
    Effect.gen(function* () {
      const store = yield* WebhookStore
      yield* accept(1, { callback })
      yield* accept(2)
      const refused = (number: number, tenant = acme) => Effect.flip(redeliver(tenant, number, 9_000))
      assert.deepInclude(yield* refused(1), { _tag: "NotDeliverable", why: "status" })
      yield* cancel(1)
      yield* cancel(2)
      assert.deepInclude(yield* refused(2), { _tag: "NotDeliverable", why: "endpoint" })
      assert.strictEqual((yield* refused(1, globex))._tag, "DocumentNotFound")
      yield* put()
      yield* redeliver(acme, 2, 9_000)
      const [first] = yield* pendingCallbacks(3_000, 9)
      yield* settle(first)
      yield* store.recordDelivery(yield* owed, tried({ at: 9_000 }), { toleranceMillis: 0, reason: "gone" })
      assert.deepInclude(yield* refused(2), { _tag: "NotDeliverable", why: "disabled" })
      yield* redeliver(acme, 1, 9_000)
    })
  )

  test(
    "gives a callback to one runner at a time, until it is recorded or its lease has ended",
    Effect.gen(function* () {
      const store = yield* WebhookStore
      yield* accept(1, { callback })
      yield* cancel(1)
      yield* TestClock.setTime(10_000)
      const lease = Duration.seconds(30)
      const claimAs = (name: string) =>
        store.claimCallbacks({ runner: RunnerId.make(name), limit: 9, perTenant: 9, lease })
      const [first] = yield* claimAs("one")
      assert.deepInclude(first, { callback, claim: 1 })
      assert.deepStrictEqual([yield* claimAs("two"), yield* claimAs("one")], [[], []])
      assert.deepInclude(yield* store.owed(acme), { deliveries: 1 })
      yield* TestClock.setTime(39_999)
      assert.deepStrictEqual(yield* claimAs("two"), [])
      yield* TestClock.setTime(40_000)
      const [second] = yield* claimAs("two")
      assert.deepInclude(second, { callback, claim: 2, dueAt: 3_000 })

      // The first runner is late: its try is logged and decides nothing.
      const late = yield* Effect.fromNullishOr(first)
      yield* store.recordDelivery(late, tried({ at: 41_000, status: 503, error: "busy", nextAt: 50_000 }), undefined)
      assert.deepInclude(yield* store.deliveries(acme, documentId(1)), { nextAt: 3_000 })
      assert.deepStrictEqual(yield* claimAs("one"), [])
      yield* settle(second)
      assert.deepInclude(yield* store.owed(acme), { deliveries: 0 })
      yield* store.recordDelivery(late, tried({ at: 42_000, status: 503, error: "busy", nextAt: 50_000 }), undefined)
      const { deliveries, nextAt } = yield* store.deliveries(acme, documentId(1))
      assert.deepStrictEqual([deliveries.length, nextAt], [3, undefined])
      yield* TestClock.setTime(99_000)
      assert.deepStrictEqual(yield* claimAs("one"), [])
    })
  )

  test(
    "settles a try whose lease has ended, if no other was begun since",
    Effect.gen(function* () {
      const store = yield* WebhookStore
      yield* accept(1, { callback })
      yield* cancel(1)
      const pending = yield* owed
      yield* TestClock.adjust("1 hour")
      yield* settle(pending)
      assert.deepInclude(yield* store.owed(acme), { deliveries: 0 })
    })
  )

  test(
    "leases so many callbacks of a tenant at a time, whichever runner has them, and those of a runner end with it",
    Effect.gen(function* () {
      const store = yield* WebhookStore
      for (const number of [1, 2, 3, 4]) yield* accept(number, { callback })
      yield* accept(5, { callback, tenantId: globex })
      for (const number of [1, 2, 3, 4]) yield* cancel(number)
      yield* at(
        3_000,
        Documents.use((documents) => documents.cancel(globex, documentId(5)))
      )
      yield* TestClock.setTime(10_000)
      const lease = Duration.seconds(30)
      const [one, two] = [RunnerId.make("one"), RunnerId.make("two")]
      const numbersClaimed = (runner: RunnerId, limit: number, perTenant: number) =>
        Effect.map(store.claimCallbacks({ runner, limit, perTenant, lease }), (all) =>
          all.map(({ document }) => numberOf(document.id))
        )
      assert.deepStrictEqual(yield* numbersClaimed(one, 1, 2), [1])
      // A tenant without places does not hide the one behind it.
      assert.deepStrictEqual(yield* numbersClaimed(two, 1, 1), [5])
      assert.deepStrictEqual(yield* numbersClaimed(two, 9, 2), [2])
      assert.deepStrictEqual(yield* numbersClaimed(one, 9, 2), [])
      yield* store.releaseCallbacks(one)
      assert.deepStrictEqual(yield* numbersClaimed(one, 9, 3), [1, 3])
      yield* store.releaseCallbacks()
      assert.deepStrictEqual(yield* numbersClaimed(one, 9, 9), [1, 5, 2, 3, 4])
    })
  )

  test(
    "delivers an end again only when the try that is under way was recorded",
    Effect.gen(function* () {
      const store = yield* WebhookStore
      yield* accept(1, { callback })
      yield* cancel(1)
      yield* TestClock.setTime(10_000)
      const claims = { runner: RunnerId.make("one"), limit: 9, perTenant: 9, lease: Duration.seconds(30) }
      const [underWay] = yield* store.claimCallbacks(claims)
      yield* redeliver(acme, 1, 11_000)
      assert.deepStrictEqual(yield* store.claimCallbacks(claims), [])
      yield* settle(underWay)
      const [again] = yield* store.claimCallbacks(claims)
      assert.deepInclude(again, { deliveries: 0, dueAt: 11_000 })
    })
  )
}
