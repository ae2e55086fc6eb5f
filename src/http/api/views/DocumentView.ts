import { Schema, Struct } from "effect"
import { examples } from "../../../domain/Examples.ts"
import { Document } from "../../../domain/document/Document.ts"
import { DocumentId, documentIdExample } from "../../../domain/Ids.ts"
import {
  type PageResult,
  pageExamples,
  PageSummary,
  pageSummaryExamples,
  PageView
} from "../../../domain/document/Page.ts"
import { PipelineName, textPipeline } from "../../../domain/pipeline/Pipeline.ts"
import { warning } from "../../../domain/document/Warning.ts"
import { Links, linksOf } from "./SubmitOutcome.ts"

/** A document as the interface shows it: everything known about it, and links to its resources. */
const { failure: error } = Document.fields
/** Fields that are internal to the engine or that the interface names differently. */
const unseen = ["failure", "trace"] as const
const fields = {
  ...Struct.omit(Document.fields, unseen),
  pipeline: PipelineName.annotate({ description: "The stages that it goes through: `GET /v1/pipelines`." })
}

const known = {
  id: documentIdExample,
  tenantId: "acme",
  name: "report.pdf",
  blob: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  size: 482_133,
  priority: 5,
  pipeline: "ocr"
}
const links = linksOf(documentIdExample)

export const documentExample = {
  ...known,
  status: "completed",
  attempt: 1,
  interruptions: 0,
  retries: 0,
  progress: { pages: 12, done: 12, failed: 0, warned: 1 },
  metadata: {
    title: "Annual report",
    producer: "LibreOffice 25.8",
    pdfVersion: "1.7",
    encrypted: false,
    hasJavaScript: false,
    hasAttachments: false,
    hasForms: false,
    hasXfa: false
  },
  outline: [{ title: "Introduction", depth: 0, page: 1 }],
  stages: [{ stage: "ocr", version: "1", kind: "page", done: 11, failed: 1, skipped: 0 }],
  warnings: [warning("DAMAGE_REPAIRED")],
  timings: {
    acceptedAt: "2030-01-01T12:00:00.000Z",
    startedAt: "2030-01-01T12:00:00.004Z",
    finishedAt: "2030-01-01T12:00:00.412Z"
  },
  links
} as const

const waitingExample = {
  ...known,
  status: "queued",
  attempt: 0,
  interruptions: 0,
  retries: 0,
  progress: { done: 0, failed: 0 },
  timings: { acceptedAt: "2030-01-01T12:00:00.000Z" },
  waiting: {
    gate: "tenant",
    position: 3,
    pagesAhead: 214,
    eta: { low: "2030-01-01T12:00:02.000Z", high: "2030-01-01T12:00:09.000Z" }
  },
  links
} as const

export const DocumentView = Schema.Struct({ ...fields, error, links: Links }).pipe(
  Schema.annotate({ identifier: "Document" }),
  examples(documentExample, waitingExample)
)

/** Lists have no outlines, which may be larger than all the rest, and no stages. Only the status of one document has them. */
export const ListedDocument = Schema.Struct({
  ...Struct.omit(fields, ["outline", "stages"]),
  error,
  links: Links
}).pipe(
  Schema.annotate({ identifier: "ListedDocument" }),
  examples(Struct.omit(documentExample, ["outline", "stages"]), waitingExample)
)

export const viewOf = (document: Document): typeof DocumentView.Type => ({
  ...Struct.omit(document, unseen),
  pipeline: document.pipeline ?? textPipeline,
  ...(document.failure === undefined ? {} : { error: document.failure }),
  links: linksOf(document.id)
})

export const DocumentList = Schema.Struct({
  documents: Schema.Array(ListedDocument),
  nextCursor: Schema.optionalKey(
    DocumentId.annotate({ description: "The `cursor` of the next, older part; absent at the end." })
  )
}).pipe(examples({ documents: [Struct.omit(documentExample, ["outline", "stages"])], nextCursor: documentIdExample }))

const next = Schema.optionalKey(
  Schema.Natural.annotate({ description: "The `from` of the next part; absent when no later page has a result yet." })
)

export const PageList = Schema.Struct({ pages: Schema.Array(PageView), next }).annotate({
  examples: [{ pages: pageExamples, next: 4 }]
})

export const PageSummaryList = Schema.Struct({ pages: Schema.Array(PageSummary), next }).annotate({
  examples: [{ pages: pageSummaryExamples, next: 4 }]
})

/** A page without its lines and layout. */
export const pageViewOf = ({ error, layout: _layout, lines: _lines, ...shown }: PageResult): PageView =>
  error === undefined ? shown : { ...shown, error }
