import { Clock, Config, Duration, Effect, FiberSet, Latch, Layer, Metric } from "effect"
import { SecureRandom } from "effect/crypto"
import { RunnerId, type TenantId } from "../../domain/Ids.ts"
import type { PendingCallback } from "../../domain/webhook/Webhook.ts"
import { deliveriesOwed, oldestOwedAge } from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { untraced } from "../../observability/Untraced.ts"
import type { CallbackSender } from "../../services/CallbackSender.ts"
import { duration } from "../../services/config/ConfigValues.ts"
import type { Secrets } from "../../services/secrets/Secrets.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { WebhookStore } from "../../services/store/WebhookStore.ts"
import { backgroundLoop } from "../upkeep/BackgroundLoop.ts"
import { singleton } from "../upkeep/Singletons.ts"
import { callbackLease, DisableAfter, makeDeliver } from "./Delivery.ts"

// Delivers the ends of documents to callbacks and endpoints, at least once. The store owes a delivery from the moment the
// document is terminal until it is settled here: delivered, refused for good, or given up. A crash between the delivery and
// its record repeats the delivery; receivers recognise it by its `webhook-id`.
//
// A callback is claimed under a lease when its delivery begins, and no other runner delivers it until it is recorded or the
// lease has ended. So a runner claims no more than it delivers now.
//
// An owed delivery is a column of the document and not an element of a queue (`PersistedQueue` of effect/persistence): it has
// to be written in the same transaction that ends the document, and to disappear when the document is retried or removed.

/** Deliveries at once: of the engine, and of one tenant. */
const bounds = { total: 8, perTenant: 2 }
/** The longest time between two claims while a delivery may begin. */
const pollMillis = 2_000
/** The pause after a failure of the store. */
const pause = "2 seconds"

/** How many deliveries are under way, and which tenant had the last turn. */
class UnderWay {
  #count = 0
  #last: TenantId | undefined

  get free(): number {
    return bounds.total - this.#count
  }

  get last(): TenantId | undefined {
    return this.#last
  }

  begin({ document }: PendingCallback): void {
    this.#count++
    this.#last = document.tenantId
  }

  end(): void {
    this.#count--
  }
}

const makeMeasure = Effect.map(WebhookStore, (store) => {
  let measuredAt = Number.NEGATIVE_INFINITY
  /** Updates the gauges, no more often than the store is polled when nothing happens. */
  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (now < measuredAt + pollMillis) return
    measuredAt = now
    const { deliveries, since } = yield* untraced(store.owed())
    yield* Metric.update(deliveriesOwed, deliveries)
    yield* Metric.update(oldestOwedAge, since === undefined ? 0 : Math.max(0, now - since) / 1000)
  })
})

const make = Effect.gen(function* () {
  const store = yield* WebhookStore
  const random = yield* SecureRandom.SecureRandom
  const runner = RunnerId.make(`outbox-${yield* random.uuidV4()}`)
  const deliver = yield* makeDeliver
  const measure = yield* makeMeasure
  // Runs when the deliveries below were interrupted: they need not wait for the end of their leases.
  yield* Effect.addFinalizer(() => Effect.ignore(store.releaseCallbacks(runner)))
  const deliveries = yield* FiberSet.make()
  const ended = yield* Latch.make()
  const underWay = new UnderWay()

  const begin = (pending: PendingCallback) => {
    underWay.begin(pending)
    return deliver(pending).pipe(
      TraceContext.continuing(pending.document.trace),
      withstanding("a delivery failed"),
      Effect.ensuring(
        Effect.suspend(() => {
          underWay.end()
          return ended.open
        })
      ),
      (delivery) => FiberSet.run(deliveries, delivery)
    )
  }

  /** Begins all deliveries that may begin now. */
  const fill = Effect.gen(function* () {
    yield* ended.close
    yield* measure
    while (underWay.free > 0) {
      const { free: limit, last: after } = underWay
      const claims = { runner, limit, perTenant: bounds.perTenant, lease: callbackLease, after }
      // Nothing comes between a claim and the begin of its deliveries.
      const claimed = yield* untraced(store.claimCallbacks(claims)).pipe(
        Effect.tap(Effect.forEach(begin, { discard: true })),
        Effect.uninterruptible
      )
      // Nothing more may begin now, or what was claimed is large: then its end leads to the next claim.
      if (claimed.length < limit) return
    }
  })

  const rest = Effect.suspend(() =>
    underWay.free > 0 ? Effect.raceFirst(ended.await, Effect.sleep(pollMillis)) : ended.await
  )
  yield* backgroundLoop({
    name: "the query for owed callbacks",
    pass: fill,
    rest,
    restAfterFailure: Effect.sleep(pause)
  })
})

/** Logs failures of the store, and defects, so that neither ends the outbox. */
const withstanding =
  (what: string) =>
  <A, R>(effect: Effect.Effect<A, StoreUnavailable, R>) =>
    effect.pipe(
      Effect.asVoid,
      Effect.catchTag("StoreUnavailable", (error) =>
        Effect.andThen(Effect.logWarning(error.message, error.cause), Effect.sleep(pause))
      ),
      Effect.catchDefect((defect) => Effect.andThen(Effect.logError(what, defect), Effect.sleep(pause)))
    )

/** Runs until its scope closes. */
export const layer: Layer.Layer<never, never, WebhookStore | CallbackSender | Secrets | SecureRandom.SecureRandom> =
  Layer.effectDiscard(singleton("webhooks")(make))

/** `WEBHOOK_DISABLE_AFTER`. */
export const DisableAfterConfig = duration("WEBHOOK_DISABLE_AFTER").pipe(Config.withDefault(Duration.days(3)))

/** The outbox, configured by the environment. */
export const layerFromEnv = layer.pipe(Layer.provide(Layer.effect(DisableAfter, DisableAfterConfig)))
