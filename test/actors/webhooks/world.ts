import { Clock, Context, type Duration, Effect, Layer, Queue, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { createHmac } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { DisableAfter } from "../../../src/actors/webhooks/Delivery.ts"
import { layer as outbox } from "../../../src/actors/webhooks/Outbox.ts"
import type { DocumentId } from "../../../src/domain/Ids.ts"
import type { DeliveryRecord } from "../../../src/domain/webhook/Webhook.ts"
import type { CallbackSender } from "../../../src/services/CallbackSender.ts"
import type { NewDocument } from "../../../src/services/store/NewDocument.ts"
import { layerMemory } from "../../../src/services/store/memory/StoreMemory.ts"
import * as SecretsMemory from "../../../src/services/secrets/SecretsMemory.ts"
import { Webhooks } from "../../../src/actors/webhooks/Webhooks.ts"
import { acme, at, documentId, newDocument, plenty } from "../../conformance/storeFixtures.ts"
import { serve } from "../../layers/net/loopback.ts"
import { type Store, storeContext, storeOf, wholeStore } from "../../support/store.ts"

export interface WorldOptions {
  readonly store?: (store: Store) => Partial<Store>
  readonly disableAfter?: Duration.Duration
}

export interface Recorded extends DeliveryRecord {
  readonly id: DocumentId
}

/** An outbox over the store in memory. It starts when it is told to; each record is told. */
export const makeWorld = Effect.fnUntraced(function* (sender: Layer.Layer<CallbackSender>, options: WorldOptions = {}) {
  const records = yield* Queue.unbounded<Recorded>()
  const observed = Layer.effectContext(
    Effect.map(wholeStore, (store) => {
      const own = { ...store, ...options.store?.(store) }
      return storeContext({
        ...own,
        recordDelivery: (pending, delivery, health) =>
          Effect.tap(own.recordDelivery(pending, delivery, health), () =>
            Queue.offer(records, { ...delivery, id: pending.document.id })
          )
      })
    })
  ).pipe(Layer.provide(layerMemory))
  const services = yield* Layer.build(
    Webhooks.layerNoDeps.pipe(
      Layer.provideMerge(Layer.mergeAll(observed, sender, SecretsMemory.layerMemory, SecureRandom.layerWebCrypto))
    )
  )
  const disabling = options.disableAfter === undefined ? Layer.empty : Layer.succeed(DisableAfter)(options.disableAfter)
  const start = Layer.build(Layer.fresh(outbox).pipe(Layer.provide(disabling))).pipe(Effect.provideContext(services))
  const store = storeOf(services)

  /** Accepts a document, and ends it now. */
  const end = Effect.fnUntraced(function* (number: number, changes: Partial<NewDocument> = {}) {
    yield* store.accept(newDocument(number, changes), plenty)
    return yield* at(yield* Clock.currentTimeMillis, store.cancel(changes.tenantId ?? acme, documentId(number)))
  })

  const next = Queue.take(records)
  /** Lets time pass until the next try that was announced, and waits for what comes of it. */
  const after = Effect.fnUntraced(function* ({ nextAt }: Recorded) {
    if (nextAt === undefined) return yield* Effect.die("nothing more is tried")
    yield* TestClock.adjust(nextAt - (yield* Clock.currentTimeMillis) + 2_000)
    return yield* next
  })

  return { after, end, next, records, start, store, webhooks: Context.get(services, Webhooks) }
})

export interface Received {
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

/** A receiver on the loopback that notes what it gets before it answers. */
export const makeReceiver = Effect.fnUntraced(function* (
  answer: (response: ServerResponse, received: Received, call: number) => void
) {
  const received: Array<Received> = []
  const arrivals = yield* Queue.unbounded<Received>()
  const { port } = yield* serve((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const one = { path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() }
      const call = received.push(one)
      Queue.offerUnsafe(arrivals, one)
      answer(response, one, call)
    })
  })
  return { arrivals, port, received, url: `http://127.0.0.1:${port}/hook?token=hunter2` }
})

/** The signature that a message has to have under the secret, computed from the text of the specification alone. */
export const expectedSignature = ({ body, headers }: Received, secret: Redacted.Redacted) => {
  const key = Buffer.from(Redacted.value(secret).replace(/^whsec_/, ""), "base64")
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`
  return `v1,${createHmac("sha256", key).update(signed, "utf8").digest("base64")}`
}
