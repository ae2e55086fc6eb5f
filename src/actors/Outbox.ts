import { Clock, Effect, Layer, Metric, Schedule, Schema } from "effect"
import { Document } from "../domain/Document.ts"
import { type CallbackFailed, type CallbackRefused, CallbackSender } from "../services/CallbackSender.ts"
import { DocumentStore, type PendingCallback, type StoreUnavailable } from "../services/DocumentStore.ts"
import { callbackDeliveries, documentAttributes } from "../services/Telemetry.ts"

// Tells callbacks that their document has ended, at least once. The store owes a callback from the moment the document is
// terminal until it is settled here: delivered, refused for good, or given up. A crash between the delivery and its record
// repeats the delivery; receivers recognise it by its `webhook-id`.

/** What a receiver gets. The pages are fetched by who wants them. */
export const DocumentEndedBody = Schema.Struct({
  event: Schema.Literal("document.ended"),
  id: Document.fields.id,
  tenantId: Document.fields.tenantId,
  name: Document.fields.name,
  status: Document.fields.status,
  progress: Document.fields.progress,
  error: Document.fields.failure,
  timings: Document.fields.timings
})

const encodeBody = Schema.encodeSync(Schema.fromJsonString(DocumentEndedBody))

const pollInterval = "2 seconds"
const batchSize = 256
const concurrency = 8
const maxDeliveries = 10
const firstDelayMillis = 10_000
const maxDelayMillis = 3_600_000

/** From the first failed delivery on: 10 s, 20 s, 40 s and so on, at most an hour. */
export const retryDelayMillis = (failedDeliveries: number): number =>
  Math.min(firstDelayMillis * 2 ** (failedDeliveries - 1), maxDelayMillis)

const make = Effect.gen(function* () {
  const store = yield* DocumentStore
  const sender = yield* CallbackSender

  const record = Effect.fnUntraced(function* (
    pending: PendingCallback,
    failed: CallbackRefused | CallbackFailed | undefined
  ) {
    const deliveries = pending.deliveries + 1
    const outcome = outcomeOf(deliveries, failed)
    yield* Metric.update(callbackDeliveries.of(outcome), 1)
    if (outcome !== "retried") {
      yield* store.recordCallback(pending.document, { settled: true })
      if (failed) yield* Effect.logWarning(`${outcome} after ${deliveries} deliveries: ${failed.message}`)
      return
    }
    const nextAt = (yield* Clock.currentTimeMillis) + retryDelayMillis(deliveries)
    yield* store.recordCallback(pending.document, { settled: false, nextAt })
  })

  /** `unreachable` holds the hosts that did not answer in this round: one of them must not keep all others waiting. */
  const deliver = Effect.fn("Outbox.deliver")(
    function* (pending: PendingCallback, unreachable: Map<string, CallbackFailed>) {
      const host = URL.parse(pending.url)?.host ?? ""
      const known = unreachable.get(host)
      // What was sent gets recorded, even when the engine stops at this very moment.
      yield* Effect.uninterruptibleMask(
        Effect.fnUntraced(function* (restore) {
          const failed = known ?? (yield* restore(post(pending)))
          if (failed?._tag === "CallbackFailed" && failed.unreachable) unreachable.set(host, failed)
          yield* record(pending, failed)
        })
      )
    },
    (effect, { document }) =>
      Effect.annotateLogs(effect, documentAttributes({ tenantId: document.tenantId, documentId: document.id }))
  )

  const post = Effect.fnUntraced(function* ({ document, url }: PendingCallback) {
    const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const headers = { "webhook-id": announcementOf(document), "webhook-timestamp": String(seconds) }
    return yield* sender.send(url, bodyOf(document), headers).pipe(
      Effect.as(undefined),
      Effect.catch((error) => Effect.succeed(error))
    )
  })

  /** Delivers what is owed now, batch by batch. */
  const round = Effect.gen(function* () {
    const unreachable = new Map<string, CallbackFailed>()
    for (let full = true; full;) {
      const owed = yield* store.pendingCallbacks(yield* Clock.currentTimeMillis, batchSize)
      yield* Effect.forEach(owed, (pending) => deliver(pending, unreachable), { concurrency, discard: true })
      full = owed.length === batchSize
    }
  })

  yield* round.pipe(
    Effect.catchTag("StoreUnavailable", (error: StoreUnavailable) => Effect.logWarning(error.message, error.cause)),
    Effect.catchDefect((defect) => Effect.logError("a round of callbacks failed", defect)),
    Effect.repeat(Schedule.spaced(pollInterval)),
    Effect.forkScoped
  )
})

/** Runs until its scope closes. */
export const layer: Layer.Layer<never, never, DocumentStore | CallbackSender> = Layer.effectDiscard(make)

/** A retried document ends once more, which is news: its receiver must not take it for a repetition. */
const announcementOf = ({ id, retries }: Document): string => (retries === 0 ? id : `${id}.${retries}`)

const outcomeOf = (deliveries: number, failed: CallbackRefused | CallbackFailed | undefined) => {
  if (failed === undefined) return "delivered"
  if (failed._tag === "CallbackRefused") return "refused"
  return deliveries >= maxDeliveries ? "abandoned" : "retried"
}

const bodyOf = (document: Document) =>
  encodeBody({
    event: "document.ended",
    id: document.id,
    tenantId: document.tenantId,
    name: document.name,
    status: document.status,
    progress: document.progress,
    timings: document.timings,
    ...(document.failure === undefined ? {} : { error: document.failure })
  })
