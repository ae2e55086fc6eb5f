import { Clock, Config, Context, Duration, Effect, FiberSet, Latch, Layer, Metric } from "effect"
import { originOf } from "../../domain/net/HttpUrl.ts"
import type { DeliveryRecord, EndpointHealth, PendingCallback } from "../../domain/webhook/Webhook.ts"
import { CallbackSender } from "../../services/CallbackSender.ts"
import { duration } from "../../services/config/ConfigValues.ts"
import { DocumentStore } from "../../services/store/DocumentStore.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { Secrets } from "../../services/Secrets.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import {
  callbackDeliveries,
  deliveriesOwed,
  documentAttributes,
  oldestOwedAge,
  webhooksDisabled
} from "../../observability/Telemetry.ts"
import { backgroundLoop } from "../upkeep/BackgroundLoop.ts"
import { webhookBody, webhookHeaders, webhookMessageId } from "./WebhookPayload.ts"
import { nextAttemptAt } from "./DeliveryBackoff.ts"
import { makeDeliveryScheduler } from "./DeliveryScheduler.ts"
import { makeUnresponsiveHosts } from "./UnresponsiveHosts.ts"
import { untraced } from "../../observability/Untraced.ts"

// Delivers the ends of documents to callbacks and endpoints, at least once. The store owes a delivery from the moment the
// document is terminal until it is settled here: delivered, refused for good, or given up. A crash between the delivery and
// its record repeats the delivery; receivers recognise it by its `webhook-id`.
//
// An owed delivery is a column of the document and not an element of a queue (`PersistedQueue` of effect/persistence): it has
// to be written in the same transaction that ends the document, and to disappear when the document is retried or removed.

const defaultDisableAfter = Duration.days(3)

/** A tenant's endpoint is disabled when all deliveries to it have failed for this long. */
export const DisableAfter = Context.Reference<Duration.Duration>("sluice/actors/webhooks/Outbox/DisableAfter", {
  defaultValue: () => defaultDisableAfter
})

const bounds = { total: 8, perTenant: 2, look: 64, freshMillis: 2_000 }
/** The pause after a failure of the store. */
const pause = "2 seconds"

interface Tried {
  readonly status: number | undefined
  readonly error: string | undefined
  /**
   * `deferred`: it was not tried just now, which is no attempt. `broken`: the engine could not make or send it, which is one.
   * Neither says anything about the endpoint.
   */
  readonly outcome: "delivered" | "failed" | "broken" | "deferred" | "refused" | "gone"
  readonly retryAfter: string | undefined
}

const tried = (outcome: Tried["outcome"], detail: Partial<Tried> = {}): Tried => ({
  status: undefined,
  error: undefined,
  retryAfter: undefined,
  ...detail,
  outcome
})

const make = Effect.gen(function* () {
  const store = yield* DocumentStore
  const sender = yield* CallbackSender
  const secrets = yield* Secrets
  const disableAfter = yield* DisableAfter
  const unresponsive = makeUnresponsiveHosts()

  const healthOf = ({ error, outcome }: Tried): EndpointHealth | undefined => {
    if (outcome === "delivered") return "works"
    if (outcome === "deferred" || outcome === "broken") return undefined
    if (outcome === "gone") return { toleranceMillis: 0, reason: "the endpoint answered with status 410 (gone)" }
    return {
      toleranceMillis: Duration.toMillis(disableAfter),
      reason: `every delivery has failed for ${Duration.format(disableAfter)}, the last one: ${error ?? "no answer"}`
    }
  }

  const record = Effect.fnUntraced(function* (pending: PendingCallback, to: Target, at: number, result: Tried) {
    const now = yield* Clock.currentTimeMillis
    const attempt = pending.deliveries + 1
    // A deferred delivery is counted too, so that deliveries to a host that never answers come to an end.
    const again = result.outcome === "failed" || result.outcome === "broken" || result.outcome === "deferred"
    const nextAt = again ? yield* nextAttemptAt(attempt, now, result.retryAfter) : undefined
    const outcome = labelOf(result, nextAt)
    yield* Metric.update(callbackDeliveries.of(outcome), 1)
    if (outcome === "refused" || outcome === "abandoned") {
      yield* Effect.logWarning(`callback ${outcome} at attempt ${attempt}: ${result.error ?? ""}`)
    }
    const delivery: DeliveryRecord = {
      at,
      endpoint: to.url === undefined ? "" : originOf(to.url),
      status: result.status,
      error: result.error,
      elapsedMillis: now - at,
      nextAt
    }
    const health = to.shared && to.url !== undefined ? healthOf(result) : undefined
    if (yield* store.recordDelivery(pending, delivery, health)) {
      yield* Metric.update(webhooksDisabled, 1)
      yield* Effect.logWarning("the tenant's webhook endpoint is disabled", { endpoint: delivery.endpoint })
    }
  })

  const post = Effect.fnUntraced(function* ({ document, webhook }: PendingCallback, url: string, at: number) {
    const message = { id: webhookMessageId(document), body: yield* webhookBody(document) }
    const headers = yield* webhookHeaders(secrets, webhook, message, at)
    const { retryAfter, status } = yield* sender.send(url, message.body, headers)
    if (status >= 200 && status < 300) return tried("delivered", { status })
    const error = `the endpoint answered with status ${status}`
    return tried(status === 410 ? "gone" : "failed", { status, error, retryAfter })
  })

  const deliver = Effect.fn("Outbox.deliver")(
    function* (pending: PendingCallback) {
      const target = targetOf(pending)
      const { url } = target
      const at = yield* Clock.currentTimeMillis
      if (url === undefined) {
        return yield* record(pending, target, at, tried("refused", { error: target.reason }))
      }
      const { tenantId } = pending.document
      const origin = originOf(url)
      const known = unresponsive.about(tenantId, origin, pending.dueAt, at)
      const attempt =
        known === undefined
          ? post(pending, url, at)
          : Effect.succeed(tried("deferred", { error: `not tried: ${known}` }))
      const silent = (error: string) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          unresponsive.add(tenantId, origin, now)
          return tried("failed", { error })
        })
      // A delivery that was sent is recorded, even if the engine stops at this moment.
      yield* Effect.uninterruptibleMask((restore) =>
        restore(attempt).pipe(
          Effect.catchTags({
            CallbackRefused: ({ detail, mayChange }) =>
              mayChange === true ? silent(detail) : Effect.succeed(tried("refused", { error: detail })),
            CallbackFailed: ({ detail }) => silent(detail),
            // To the receiver, an unsigned message would look like a forgery.
            SealBroken: ({ message }) => Effect.succeed(tried("broken", { error: message }))
          }),
          // A delivery that cannot be made must not prevent the ones after it.
          Effect.catchDefect((defect) =>
            Effect.as(
              Effect.logError("a callback could not be delivered", defect),
              tried("broken", { error: "the engine could not deliver it" })
            )
          ),
          Effect.flatMap((result) => record(pending, target, at, result))
        )
      )
    },
    (effect, { document }) =>
      Effect.annotateLogs(effect, documentAttributes({ tenantId: document.tenantId, documentId: document.id }))
  )

  const turns = makeDeliveryScheduler(bounds)
  const deliveries = yield* FiberSet.make()
  const ended = yield* Latch.make()

  const measure = Effect.fnUntraced(function* (now: number) {
    const { deliveries, since } = yield* store.owed()
    yield* Metric.update(deliveriesOwed, deliveries)
    yield* Metric.update(oldestOwedAge, since === undefined ? 0 : Math.max(0, now - since) / 1000)
  })

  const refresh = Effect.fnUntraced(function* (now: number) {
    const found = turns.looking(now)
    found(yield* untraced(store.pendingCallbacks(now, bounds.look, turns.last())))
  })

  /** Holds its place until it is recorded. If that fails, holds it for a pause more: it is owed still and would begin at once. */
  const begin = (pending: PendingCallback) =>
    deliver(pending).pipe(
      TraceContext.continuing(pending.document.trace),
      withstanding("a delivery failed"),
      Effect.ensuring(
        Effect.suspend(() => {
          turns.end(pending)
          return ended.open
        })
      ),
      (delivery) => FiberSet.run(deliveries, delivery)
    )

  /** Begins all deliveries that may begin now. */
  const fill = Effect.gen(function* () {
    while (turns.free()) {
      const now = yield* Clock.currentTimeMillis
      if (turns.freshFor(now) === 0) {
        yield* refresh(now)
        yield* untraced(measure(now))
      }
      let pending = turns.begin()
      if (pending === undefined && turns.ranDry()) {
        yield* refresh(now)
        pending = turns.begin()
      }
      if (pending === undefined) return
      yield* begin(pending)
    }
  })

  const rest = Effect.gen(function* () {
    const fresh = turns.freshFor(yield* Clock.currentTimeMillis)
    yield* turns.free() ? Effect.raceFirst(ended.await, Effect.sleep(fresh)) : ended.await
  })
  yield* backgroundLoop({
    name: "the query for owed callbacks",
    pass: Effect.andThen(ended.close, fill),
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
export const layer: Layer.Layer<never, never, DocumentStore | CallbackSender | Secrets> = Layer.effectDiscard(make)

/** `WEBHOOK_DISABLE_AFTER`. */
export const DisableAfterConfig = duration("WEBHOOK_DISABLE_AFTER").pipe(Config.withDefault(defaultDisableAfter))

/** The outbox, configured by the environment. */
export const layerFromEnv = layer.pipe(Layer.provide(Layer.effect(DisableAfter, DisableAfterConfig)))

interface Target {
  readonly url: string | undefined
  /** True for the tenant's endpoint, false for the callback of this document. */
  readonly shared: boolean
  /** Why there is no URL. */
  readonly reason?: string
}

const targetOf = ({ callback, webhook }: PendingCallback): Target => {
  if (callback !== undefined) return { url: callback, shared: false }
  if (webhook?.url === undefined) return { url: undefined, shared: true, reason: "the tenant has no endpoint any more" }
  return webhook.disabled === undefined
    ? { url: webhook.url, shared: true }
    : { url: undefined, shared: true, reason: `the tenant's endpoint is disabled: ${webhook.disabled.reason}` }
}

const labelOf = ({ outcome }: Tried, nextAt: number | undefined) => {
  if (outcome === "delivered") return "delivered"
  if (outcome === "refused" || outcome === "gone") return "refused"
  return nextAt === undefined ? "abandoned" : "retried"
}
