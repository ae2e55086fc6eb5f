import { Clock, Context, Duration, Effect, Metric } from "effect"
import { originOf } from "../../domain/net/HttpUrl.ts"
import type { DeliveryRecord, EndpointHealth, PendingCallback } from "../../domain/webhook/Webhook.ts"
import { callbackDeliveries, documentAttributes, webhooksDisabled } from "../../observability/Telemetry.ts"
import { CallbackFailed, CallbackSender } from "../../services/CallbackSender.ts"
import { Secrets } from "../../services/secrets/Secrets.ts"
import { WebhookStore } from "../../services/store/WebhookStore.ts"
import { nextAttemptAt } from "./DeliveryBackoff.ts"
import { isSilence, makeHostCircuitBreaker } from "./HostCircuitBreaker.ts"
import { webhookBody, webhookHeaders, webhookMessageId } from "./WebhookPayload.ts"

// One try to deliver the end of a document: where to, whether it is tried, what came of it, and what follows.

/** A tenant's endpoint is disabled when all deliveries to it have failed for this long. */
export const DisableAfter = Context.Reference<Duration.Duration>("sluice/actors/webhooks/Outbox/DisableAfter", {
  defaultValue: () => Duration.days(3)
})

/** A try that takes longer counts as one without an answer. A sender has a shorter deadline of its own. */
const longestTry = Duration.seconds(30)
/** Longer than a try takes until it is recorded, so that no other runner makes it meanwhile. */
export const callbackLease = Duration.minutes(1)

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

const labelOf = ({ outcome }: Tried, nextAt: number | undefined) => {
  if (outcome === "delivered") return "delivered"
  if (outcome === "refused" || outcome === "gone") return "refused"
  return nextAt === undefined ? "abandoned" : "retried"
}

const healthOf = ({ error, outcome }: Tried, disableAfter: Duration.Duration): EndpointHealth | undefined => {
  if (outcome === "delivered") return "works"
  if (outcome === "deferred" || outcome === "broken") return undefined
  if (outcome === "gone") return { toleranceMillis: 0, reason: "the endpoint answered with status 410 (gone)" }
  return {
    toleranceMillis: Duration.toMillis(disableAfter),
    reason: `every delivery has failed for ${Duration.format(disableAfter)}, the last one: ${error ?? "no answer"}`
  }
}

const post = Effect.fnUntraced(function* ({ document, webhook }: PendingCallback, url: string, at: number) {
  const sender = yield* CallbackSender
  const message = { id: webhookMessageId(document), body: yield* webhookBody(document) }
  const headers = yield* webhookHeaders(yield* Secrets, webhook, message, at)
  const { retryAfter, status } = yield* sender.send(url, message.body, headers).pipe(
    Effect.timeoutOrElse({
      duration: longestTry,
      orElse: () => Effect.fail(new CallbackFailed({ detail: `no answer within ${Duration.format(longestTry)}` }))
    })
  )
  if (status >= 200 && status < 300) return tried("delivered", { status })
  const error = `the endpoint answered with status ${status}`
  return tried(status === 410 ? "gone" : "failed", { status, error, retryAfter })
})

const record = Effect.fnUntraced(function* (pending: PendingCallback, to: Target, at: number, result: Tried) {
  const store = yield* WebhookStore
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
  const health = to.shared && to.url !== undefined ? healthOf(result, yield* DisableAfter) : undefined
  if (yield* store.recordDelivery(pending, delivery, health)) {
    yield* Metric.update(webhooksDisabled, 1)
    yield* Effect.logWarning("the tenant's webhook endpoint is disabled", { endpoint: delivery.endpoint })
  }
})

/** Makes the function that delivers a claimed callback and records what came of it. */
export const makeDeliver = Effect.gen(function* () {
  const throughCircuit = yield* makeHostCircuitBreaker

  /** Errors become results: every try is recorded. */
  const attempt = (pending: PendingCallback, url: string, at: number) =>
    throughCircuit(pending.document.tenantId, originOf(url), post(pending, url, at)).pipe(
      Effect.catchTags({
        Deferred: ({ message }) => Effect.succeed(tried("deferred", { error: message })),
        CallbackRefused: (error) =>
          Effect.succeed(tried(isSilence(error) ? "failed" : "refused", { error: error.detail })),
        CallbackFailed: ({ detail }) => Effect.succeed(tried("failed", { error: detail })),
        // To the receiver, an unsigned message would look like a forgery.
        SealBroken: ({ message }) => Effect.succeed(tried("broken", { error: message }))
      }),
      // A delivery that cannot be made must not prevent the ones after it.
      Effect.catchDefect((defect) =>
        Effect.as(
          Effect.logError("a callback could not be delivered", defect),
          tried("broken", { error: "the engine could not deliver it" })
        )
      )
    )

  return Effect.fn("Outbox.deliver")(
    function* (pending: PendingCallback) {
      const target = targetOf(pending)
      const at = yield* Clock.currentTimeMillis
      if (target.url === undefined) {
        return yield* record(pending, target, at, tried("refused", { error: target.reason }))
      }
      const result = attempt(pending, target.url, at)
      // A delivery that was sent is recorded, even if the engine stops at this moment.
      yield* Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(restore(result), (made) => record(pending, target, at, made))
      )
    },
    (effect, { document }) =>
      Effect.annotateLogs(effect, documentAttributes({ tenantId: document.tenantId, documentId: document.id }))
  )
})
