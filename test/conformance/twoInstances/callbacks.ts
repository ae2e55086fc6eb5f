import { assert } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Layer, Queue } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { layer as outbox } from "../../../src/actors/webhooks/Outbox.ts"
import { RunnerId, TenantId } from "../../../src/domain/Ids.ts"
import { CallbackSender } from "../../../src/services/CallbackSender.ts"
import { layerMemory as secrets } from "../../../src/services/secrets/SecretsMemory.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../../src/services/store/Documents.ts"
import { WebhookStore } from "../../../src/services/store/WebhookStore.ts"
import { documentId, newDocument, plenty, tried } from "../storeFixtures.ts"
import type { Instance, Test } from "./fixtures.ts"

const tenantOf = (n: number) => TenantId.make(`tenant-${n % 5}`)
const webhooksOf = (instance: Instance) => Context.get(instance, WebhookStore)

/** Ends documents with callbacks of their own. */
const endDocuments = Effect.fnUntraced(function* (instance: Instance, count: number) {
  for (let n = 1; n <= count; n++) {
    const document = newDocument(n, { tenantId: tenantOf(n), callback: `https://host${n}.example/` })
    yield* Context.get(instance, DocumentQueue).accept(document, plenty)
    yield* Context.get(instance, Documents).cancel(tenantOf(n), documentId(n))
  }
})

/** The callbacks that a runner of the instance gets. */
const claimBy = (instance: Instance, name: string, limit = 9) =>
  webhooksOf(instance).claimCallbacks({
    runner: RunnerId.make(name),
    limit,
    perTenant: 2,
    lease: Duration.seconds(30)
  })

/** Starts an outbox over the instance; `send` makes each of its deliveries. */
const startOutbox = (instance: Instance, send: (url: string) => Effect.Effect<number>) =>
  Layer.build(
    Layer.fresh(outbox).pipe(
      Layer.provide(
        Layer.succeed(CallbackSender, {
          send: (url) => Effect.map(send(url), (status) => ({ status, retryAfter: undefined }))
        })
      ),
      Layer.provide([Layer.succeed(WebhookStore, webhooksOf(instance)), secrets, SecureRandom.layerWebCrypto])
    )
  )

/** Lets the disk answer, if it has. */
const diskTurn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** Lets time pass until the effect succeeds. */
const whileTimePasses = <A>(waiting: Effect.Effect<A>) =>
  Effect.raceFirst(waiting, Effect.forever(Effect.andThen(TestClock.adjust("1 second"), diskTurn)))

/** Waits, while no time passes, until every delivery is recorded. */
const untilNothingIsOwed = (instance: Instance) =>
  Effect.repeat(Effect.andThen(diskTurn, webhooksOf(instance).owed()), {
    until: ({ deliveries }) => deliveries === 0
  })

/** Callbacks that two processes deliver. */
export const callbacks = (test: Test) => {
  test("give a callback to one of them, and to the other when its lease has ended", (one, other) =>
    Effect.gen(function* () {
      yield* endDocuments(one, 1)
      const [first] = yield* claimBy(one, "one")
      const late = yield* Effect.fromNullishOr(first)
      assert.deepStrictEqual(yield* claimBy(other, "other"), [])
      yield* TestClock.adjust("30 seconds")
      const [second] = yield* claimBy(other, "other")
      const pending = yield* Effect.fromNullishOr(second)
      assert.strictEqual(pending.document.id, late.document.id)
      const failed = tried({ status: 503, error: "busy", nextAt: 1 })
      yield* webhooksOf(one).recordDelivery(late, failed, undefined)
      assert.deepStrictEqual(yield* claimBy(one, "one"), [])
      yield* webhooksOf(other).recordDelivery(pending, tried(), undefined)
      yield* webhooksOf(one).recordDelivery(late, failed, undefined)
      assert.deepInclude(yield* webhooksOf(one).owed(), { deliveries: 0 })
    }))

  test("lease no more of a tenant's callbacks than one of them alone", (one, other) =>
    Effect.gen(function* () {
      yield* endDocuments(one, 15)
      assert.lengthOf(yield* claimBy(one, "one", 5), 5)
      assert.lengthOf(yield* claimBy(other, "other", 9), 5)
      assert.lengthOf(yield* claimBy(one, "one", 9), 0)
    }))

  test("deliver each callback once", (one, other) =>
    Effect.gen(function* () {
      yield* endDocuments(one, 40)
      const sent = yield* Queue.unbounded<string>()
      const send = (url: string) => Effect.as(Effect.andThen(Queue.offer(sent, url), Effect.yieldNow), 200)
      yield* Effect.all([startOutbox(one, send), startOutbox(other, send)], { concurrency: 2 })
      assert.strictEqual(new Set(yield* Queue.takeN(sent, 40)).size, 40)
      yield* untilNothingIsOwed(one)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* Queue.size(sent), 0)
    }))

  test("deliver what the other was delivering when it died", (one, other) =>
    Effect.gen(function* () {
      yield* endDocuments(one, 1)
      yield* claimBy(one, "dead")
      const sent = yield* Queue.unbounded<string>()
      yield* startOutbox(other, (url) => Effect.as(Queue.offer(sent, url), 200))
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(yield* Queue.size(sent), 0)
      assert.strictEqual(yield* whileTimePasses(Queue.take(sent)), "https://host1.example/")
    }))

  test("deliver at once what the other was delivering when it stopped", (one, other) =>
    Effect.gen(function* () {
      yield* endDocuments(one, 1)
      const reached = yield* Deferred.make<void>()
      const hanging = startOutbox(one, () => Effect.andThen(Deferred.succeed(reached, undefined), Effect.never))
      yield* Effect.scoped(Effect.andThen(hanging, Deferred.await(reached)))
      const sent = yield* Queue.unbounded<string>()
      yield* startOutbox(other, (url) => Effect.as(Queue.offer(sent, url), 200))
      assert.strictEqual(yield* Queue.take(sent), "https://host1.example/")
    }))
}
