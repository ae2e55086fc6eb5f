import { Effect, Schema } from "effect"
import { Failure } from "../Failure.ts"
import { BlobHash, DocumentId, TenantId } from "../Ids.ts"
import { PipelineName } from "../pipeline/Pipeline.ts"
import { StageProgress } from "../pipeline/StageProgress.ts"
import { Waiting } from "./Waiting.ts"
import { Warnings } from "./Warning.ts"

/**
 * `scheduled → queued → running → completed | partial | failed | cancelled`. A running document may go back to `queued`
 * (preemption, lost lease), and so may one that is `partial` or `failed` when it is retried, and a `completed` one, too, when a
 * stage is run again; `cancelled` is reachable from every state that is not terminal.
 */
export const DocumentStatus = Schema.Literals([
  "scheduled",
  "queued",
  "running",
  "completed",
  "partial",
  "failed",
  "cancelled"
])
export type DocumentStatus = typeof DocumentStatus.Type

export type TerminalStatus = Exclude<DocumentStatus, "scheduled" | "queued" | "running">

const terminal: ReadonlySet<DocumentStatus> = new Set(["completed", "partial", "failed", "cancelled"])
export const isTerminal = (status: DocumentStatus): status is TerminalStatus => terminal.has(status)

/** 0 (last) to 9 (first) within one tenant; 5 by default. */
export const Priority = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
export const defaultPriority = 5

/** What the file says about itself. Absent fields were absent or unreadable; dates are as written in the file. */
export const PdfMetadata = Schema.Struct({
  title: Schema.optionalKey(Schema.String),
  author: Schema.optionalKey(Schema.String),
  subject: Schema.optionalKey(Schema.String),
  keywords: Schema.optionalKey(Schema.String),
  creator: Schema.optionalKey(Schema.String),
  producer: Schema.optionalKey(Schema.String),
  createdAt: Schema.optionalKey(Schema.String),
  modifiedAt: Schema.optionalKey(Schema.String),
  pdfVersion: Schema.optionalKey(Schema.String),
  encrypted: Schema.Boolean,
  /** Active or embedded content that is present but never executed. */
  hasJavaScript: Schema.Boolean.annotate({
    description: "Of the document or a field of its form. Scripts of single pages and links are not looked for."
  }),
  hasAttachments: Schema.Boolean,
  hasForms: Schema.Boolean,
  hasXfa: Schema.Boolean
})
export type PdfMetadata = typeof PdfMetadata.Type

/** One bookmark. `depth` counts from 0; `page` is absent when the target is missing or outside the file. */
export const OutlineItem = Schema.Struct({
  title: Schema.String,
  depth: Schema.Natural,
  page: Schema.optionalKey(Schema.Natural)
})
export type OutlineItem = typeof OutlineItem.Type

/**
 * Numbers of pages: all (absent until the file was opened), those with a result, and of these the failed or timed out ones and
 * those with warnings (absent when there are none).
 */
export const Progress = Schema.Struct({
  pages: Schema.optionalKey(Schema.Natural),
  done: Schema.Natural,
  failed: Schema.Natural,
  warned: Schema.optionalKey(Schema.Natural)
})

/**
 * Moments of a document's life. `startedAt`: the start of its first run. `retriedAt`: the last request to read its failed pages
 * again. `nextAttemptAt`: the next attempt after a temporary failure, such as a source that is down; absent otherwise.
 */
export const Timings = Schema.Struct({
  acceptedAt: Schema.DateTimeUtcFromString,
  notBefore: Schema.optionalKey(Schema.DateTimeUtcFromString),
  startedAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  retriedAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  nextAttemptAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  finishedAt: Schema.optionalKey(Schema.DateTimeUtcFromString)
})

const Count = Schema.Natural.pipe(Schema.withConstructorDefault(Effect.succeed(0)))

/**
 * Everything known about one document except its pages. `attempt` counts its runs and fences their writes; `interruptions` counts
 * runs that ended for a reason outside of the document; `retries` counts requests to read its failed pages, or to run
 * stages, again.
 */
export class Document extends Schema.Class<Document>("sluice/Document")({
  id: DocumentId,
  tenantId: TenantId,
  name: Schema.String,
  /** Absent until the bytes were fetched from `sourceUrl`. */
  blob: Schema.optionalKey(BlobHash),
  size: Schema.optionalKey(Schema.Natural),
  sourceUrl: Schema.optionalKey(Schema.String),
  priority: Priority,
  /** Absent: it is only read (`textPipeline`). */
  pipeline: Schema.optionalKey(PipelineName),
  status: DocumentStatus,
  attempt: Schema.Natural,
  interruptions: Count,
  retries: Count,
  progress: Progress,
  metadata: Schema.optionalKey(PdfMetadata),
  /** Present only when one document is read, not in lists. */
  outline: Schema.optionalKey(Schema.Array(OutlineItem)),
  failure: Schema.optionalKey(Failure),
  /** Warnings about the file as a whole; `progress` counts the pages that have warnings of their own. */
  warnings: Warnings,
  /** The span that accepted it, as a W3C `traceparent`: its runs and its callback belong to the same trace. */
  trace: Schema.optionalKey(Schema.String),
  timings: Timings,
  /** What stages have made, present only in the status of one document; absent when there is nothing. */
  stages: Schema.optionalKey(Schema.Array(StageProgress)),
  /** Present only in the status of one document, until it has ended. */
  waiting: Schema.optionalKey(Waiting)
}) {}
