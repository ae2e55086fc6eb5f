/**
 * Every metric and span name of the engine: a contract with the authors of dashboards, listed for readers in
 * docs/telemetry.md. Labels have few known values, and each labelled series is built once, so an update allocates no
 * key. Documents appear in spans and logs, never in labels; tenants only where a bound on their number holds.
 *
 * Units are base units, as Prometheus and OpenTelemetry both ask for: seconds, bytes, and ratios from 0 to 1.
 */
import { Metric } from "effect"
import { FailureCode } from "../domain/Failure.ts"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import { PageStatus } from "../domain/document/Page.ts"
import { counter, described, gauge, labelled, sizes, timer } from "./Metrics.ts"

export { type Described, type Labelled, seriesKnown } from "./Metrics.ts"
export * from "./DownstreamMetrics.ts"
export * from "./StageMetrics.ts"
export * from "./SearchMetrics.ts"

// Documents

export const documentsAccepted = counter(
  "sluice_documents_accepted_total",
  "Documents made durable and promised an end."
)()

export const documentsReused = counter(
  "sluice_documents_reused_total",
  "Submissions answered with a document that was there before, of the same bytes, name and password."
)()

/** Reasons of a refusal: the limit that was reached, the state of the engine, or the fault of the file. */
export const refusals = [
  "tenant_rate",
  "tenant_bytes",
  "global_bytes",
  "tenant_queue",
  "global_queue",
  "tenant_storage",
  "shutting_down",
  "storage_full",
  "unavailable",
  ...FailureCode.literals
] as const
export type Refusal = (typeof refusals)[number]
export const documentsRefused = labelled(
  "reason",
  refusals,
  counter(
    "sluice_documents_refused_total",
    "Submissions that were not accepted, by the limit or failure that stopped them."
  )
)

export const documentsEnded = labelled(
  "status",
  ["completed", "partial", "failed", "cancelled"],
  counter("sluice_documents_ended_total", "Documents that became terminal.")
)

export const documentsRequeued = labelled(
  "reason",
  ["stopped", "preempted", "unavailable", "retried"],
  counter("sluice_documents_requeued_total", "Documents that went back to their queue, finished pages kept.")
)

export const documentsWaiting = gauge("sluice_documents_waiting", "Documents scheduled or queued, over all tenants.")()
export const oldestQueuedAge = gauge(
  "sluice_queue_oldest_age_seconds",
  "How long the oldest document that never ran has waited since it was due, paused tenants included.",
  "seconds"
)()
/** Pools of workers. */
export const pools = ["pages"] as const
export const workAhead = labelled(
  "pool",
  pools,
  gauge(
    "sluice_work_ahead_seconds",
    "Worker time that queued and running documents still need, estimated from what was measured, over all tenants that are not paused.",
    "seconds"
  )
)
export const documentsRunning = gauge("sluice_documents_running", "Documents under a lease, over all tenants.")()

// Gates

export const gates = ["tenant", "global", "page", "worker"] as const
export type Gate = (typeof gates)[number]
export const gateInUse = labelled("gate", gates, gauge("sluice_gate_in_use", "Permits of a gate that are held."))
export const gateLimit = labelled(
  "gate",
  ["global", "worker"],
  gauge("sluice_gate_limit", "Permits of a gate that there are; those of the other gates differ by tenant.")
)
export const gateWait = labelled(
  "gate",
  gates,
  timer("sluice_gate_wait_seconds", "Time from asking a gate for a permit to getting it.")
)

// Reading

export const openDuration = timer("sluice_open_duration_seconds", "Opening a document: structure, metadata, outline.")()
export const pageDuration = timer("sluice_page_duration_seconds", "Worker time of one page.")()
export const pagesRead = labelled(
  "status",
  PageStatus.literals,
  counter("sluice_pages_total", "Pages that got their result.")
)
export const rangePages = Metric.histogram("sluice_range_pages", {
  description: "Pages per range handed to a worker.",
  boundaries: sizes
})
export const checkpointDuration = timer(
  "sluice_checkpoint_duration_seconds",
  "Making the result of a page durable, waiting for the commit included."
)()

// Store and blobs

export const storeCommitDuration = timer(
  "sluice_store_commit_duration_seconds",
  "One commit of the document store, without its flush."
)()
export const storeFlushDuration = timer(
  "sluice_store_flush_duration_seconds",
  "Bringing the commits of the document store to the disk."
)()
export const storeCommitWrites = Metric.histogram("sluice_store_commit_writes", {
  description: "Writes that shared one commit of the document store.",
  boundaries: sizes
})
export const blobPutDuration = timer(
  "sluice_blob_put_duration_seconds",
  "Receiving, hashing and storing one blob; the sender's pace is part of it."
)()
export const blobPutBytes = Metric.counter("sluice_blob_put_bytes_total", {
  description: "Bytes of blobs that were stored.",
  attributes: { unit: "bytes" },
  incremental: true
})

// Page workers

export const engineErrorCodes = [...FailureCode.literals, "WORKER_DIED", "UNAVAILABLE", "POOL_LOST"] as const
export const engineErrors = labelled(
  "code",
  engineErrorCodes,
  counter("sluice_engine_errors_total", "Calls of the PDF engine that failed as a whole.")
)
type EngineErrorReason =
  | { readonly _tag: "PdfUnreadable"; readonly failure: { readonly code: FailureCode } }
  | { readonly _tag: keyof typeof deathCodes }

/** Counts the failure of a call of the engine. */
export const countEngineError = ({ reason }: { readonly reason: EngineErrorReason }) =>
  Metric.update(engineErrors.of(reason._tag === "PdfUnreadable" ? reason.failure.code : deathCodes[reason._tag]), 1)
const deathCodes = { WorkerDied: "WORKER_DIED", EngineUnavailable: "UNAVAILABLE", PoolLost: "POOL_LOST" } as const
export const workersAlive = gauge("sluice_workers_alive", "Page workers that are running.")()
export const workersReplaced = counter(
  "sluice_workers_replaced_total",
  "Page workers that were replaced: after a death, a kill, or too much memory."
)()
export const workersRss = Metric.gauge("sluice_workers_rss_bytes", {
  description: "Resident memory of all page workers.",
  attributes: { unit: "bytes" }
})

// Actors and the process

export const mailboxDepth = gauge("sluice_mailbox_depth", "Messages waiting in the mailboxes of all tenant actors.")()
export const eventLoopDelay = Metric.gauge("sluice_event_loop_delay_p99_seconds", {
  description: "99th percentile of the event loop's delay over the last ten seconds.",
  attributes: { unit: "seconds" }
})
export const processRss = gauge(
  "sluice_process_resident_memory_bytes",
  "Resident memory of the engine's own process, page workers not included.",
  "bytes"
)()
export const processHeap = gauge("sluice_process_heap_used_bytes", "JavaScript heap in use.", "bytes")()
export const processCpu = Metric.counter("sluice_process_cpu_seconds_total", {
  description: "Processor time of the engine's own process, user and system.",
  attributes: { unit: "seconds" },
  incremental: true
})
export const processStart = gauge(
  "sluice_process_start_time_seconds",
  "When the process started, in seconds since the epoch.",
  "seconds"
)()

// Shares of tenants

/** The number of tenants with series of their own: those that received the most. */
export const tenantsShown = 10
/** The label value of all other tenants together. A tenant of this name is counted among them. */
export const otherTenants = "other"
const tenantLabel = { tenant: `one of the ${tenantsShown} that received most, or \`${otherTenants}\`` }
export const shareReceived = described<[tenant: string], Metric.Gauge<number>>(
  tenantLabel,
  gauge(
    "sluice_tenant_share_received_ratio",
    "Part of the workers' time of the last minute that a tenant received.",
    "1"
  )
)
export const shareEntitled = described<[tenant: string], Metric.Gauge<number>>(
  tenantLabel,
  gauge(
    "sluice_tenant_share_entitled_ratio",
    "Part of the workers' time of the last minute that a tenant was entitled to, by weight, while it had work.",
    "1"
  )
)
export const fairness = gauge(
  "sluice_fairness_ratio",
  "Jain's index of what tenants received over what they were due in the last minute; 1 is fair.",
  "1"
)()

// Requests

const routeLabels = {
  method: "an HTTP method, or `other`",
  route: "a path of the interface description, or `none`"
}
export const httpRequests = described<[method: string, route: string, status: string], Metric.Counter<number>>(
  { ...routeLabels, status: "`1xx` to `5xx`, or `aborted` by the client" },
  counter("sluice_http_requests_total", "Requests that were answered, or given up by the client.")
)
export const httpDuration = described<[method: string, route: string], ReturnType<ReturnType<typeof timer>>>(
  routeLabels,
  timer("sluice_http_request_duration_seconds", "From the head of a request to the beginning of its answer.")
)
export const httpInFlight = gauge("sluice_http_requests_in_flight", "Requests whose answer has not begun.")()

export const httpUnsentBytes = Metric.gauge("sluice_http_unsent_bytes", {
  description: "Bytes of answers in memory that their connections have not taken yet.",
  attributes: { unit: "bytes" }
})
export const httpUnsentRefused = labelled(
  "limit",
  ["tenant", "global"],
  counter("sluice_http_unsent_refused_total", "Answers refused because too many bytes were not read yet.")
)
export const httpStalled = counter(
  "sluice_http_answers_stalled_total",
  "Answers that were cut because nothing of them was read any more."
)()

// The outside

export const callbackDeliveries = labelled(
  "outcome",
  ["delivered", "retried", "refused", "abandoned"],
  counter(
    "sluice_callback_deliveries_total",
    "Attempts to announce a terminal state to a callback or to the tenant's endpoint."
  )
)
export const deliveriesOwed = gauge(
  "sluice_callback_deliveries_owed",
  "Ends of documents that callbacks and endpoints have not been told of yet."
)()
export const oldestOwedAge = gauge(
  "sluice_callback_oldest_owed_age_seconds",
  "How long ago the oldest document ended whose end is still owed.",
  "seconds"
)()
export const webhooksDisabled = counter(
  "sluice_webhooks_disabled_total",
  "Endpoints of tenants that were disabled: gone, or failing for too long."
)()
export const sourceFetches = labelled(
  "outcome",
  ["fetched", "failed"],
  counter("sluice_source_fetches_total", "PDFs fetched from elsewhere.")
)

// Spans

/** The spans in a trace of the engine. `X.*` stands for every method of the service `X`. */
export const spans = {
  "Ingestion.*": "One call of the engine's users, over HTTP or embedded.",
  "DocumentActor.run": "One attempt of a document, from its claim to its end or requeue.",
  "DocumentActor.*": "A step of an attempt: locating the bytes, opening, one range of pages, the end.",
  "DocumentActor.queued": "From the acceptance of a document (or its start time) to its first run.",
  "DocumentActor.checkpoints": "Making the pages of one range durable: from the first result to the last commit.",
  "Gate.tenant":
    "Waiting while the tenant had all the documents open that it may have; left out when there was no wait.",
  "Gate.global":
    "Waiting from then on for a place among the open documents of all tenants; left out when there was no wait.",
  "Gate.page": "Waiting for permits on pages; left out when there was no wait.",
  "Gate.worker": "Waiting for a turn of a worker; left out when there was no wait.",
  "PdfWorker.open":
    "What the worker itself did to open a PDF, by its own clock; has `worker.pid` and slow pages as events.",
  "PdfWorker.read": "The same for a range of pages.",
  "LeaseKeeper.*": "Renewing the leases of the documents that run here.",
  "DocumentQueue.*": "One call of the queue of documents: acceptance, claim, checkpoint, end.",
  "Documents.*": "Reading documents, or ending, removing or retrying one.",
  "QueueStats.*": "Looking up how many documents wait and run.",
  "BlobReferences.*": "Noting that a blob is in use, or that it may be removed.",
  "IdempotencyStore.*": "Reserving an idempotency key, or keeping an answer under it.",
  "BlobStore.*": "One call of the blob store.",
  "PdfEngine.open": "A worker opening a PDF.",
  "PdfEngine.read": "A worker reading a range of pages.",
  "PdfEngine.close": "Workers forgetting a PDF.",
  "PageImages.render": "Drawing a page, or finding the image that was kept; waiting for its place included.",
  "Ocr.recognise": "Recognising the text of one image, in all directions that are tried.",
  "Reader.*": "Work inside a page worker; shows only when a reader runs in the engine's own process.",
  "Sources.*": "Resolving and fetching a PDF that lies elsewhere.",
  "Secrets.*": "Sealing and opening document passwords.",
  "TenantRegistry.*": "Looking up or changing the limits of a tenant.",
  "UsageMeter.*": "Looking up what a tenant got of the workers' time.",
  "WaitEstimator.*": "Estimating when a document will end, or the next one start.",
  "Sweeper.*":
    "What a round over expired leases, due schedules and late documents found; rounds that find nothing have no span.",
  "RetentionSweeper.*":
    "Removing the blobs of documents that a round over old documents has removed; rounds that find nothing have no span.",
  "BlobSweeper.*": "Removing a blob that no document refers to.",
  "Search.search": "One search: waiting for its place, the vector of the query, the index, the documents.",
  "Embedder.embed": "One call of the model that makes vectors of texts.",
  "Stage.run": "One stage on one file, page or document, waiting for its downstreams included.",
  "Artifacts.*": "Looking up what stages made of a document.",
  "Downstreams.call": "One call of a downstream: waiting for its place, its tries, the waits between them.",
  "Downstreams.try": "One try of a call, from its permit to the answer.",
  "Downstreams.*": "Looking up or changing a downstream.",
  "DownstreamHttp.*": "One exchange over HTTP with a downstream.",
  "UsageStore.*": "Reading or writing what tenants used.",
  "ApiKeys.*": "Making, listing, revoking or verifying API keys.",
  "SluiceClient.*": "One call of the client; not made by the engine.",
  "cli.*": "A command of the command line; not made by the engine.",
  "Outbox.*": "One delivery of a callback.",
  "WebhookStore.*": "One call for endpoints, callbacks that are owed, or the log of deliveries.",
  "Webhooks.*": "Looking up or changing the webhook of a tenant, or the deliveries of a document."
} as const

/** Attributes of every span and log line that is about one document. */
export const documentAttributes = (subject: {
  readonly tenantId: TenantId
  readonly documentId: DocumentId
  readonly attempt?: number | undefined
}): Record<string, string | number> => ({
  "tenant.id": subject.tenantId,
  "document.id": subject.documentId,
  ...(subject.attempt === undefined ? {} : { "document.attempt": subject.attempt })
})

/** Attributes of a span about a range of pages. */
export const rangeAttributes = (pages: ReadonlyArray<number>): Record<string, number> => ({
  "range.first": pages[0] ?? 0,
  "range.pages": pages.length
})
