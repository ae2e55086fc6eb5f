/** Turns rows into domain values. A row that does not fit is damage, not an answer: decoding it throws. */
import { DateTime, Schema } from "effect"
import { Document, DocumentStatus, OutlineItem, PdfMetadata } from "../../domain/document/Document.ts"
import { Failure } from "../../domain/Failure.ts"
import { BlobHash, DocumentId, TenantId } from "../../domain/Ids.ts"
import { noLines, type PageResult, PageStatus } from "../../domain/document/Page.ts"
import { PipelineName, StageName } from "../../domain/pipeline/Pipeline.ts"
import { Warning, warningsField } from "../../domain/document/Warning.ts"
import { type NewDocument, storedPipeline } from "../../services/store/NewDocument.ts"
import type { OpenedPdf } from "../../services/PdfEngine.ts"
import { metadataOmitted, outlineOmitted } from "../../domain/document/Portions.ts"

/** A row of either database. */
export type Row = Readonly<Record<string, unknown>>

export const number = (row: Row, column: string): number => {
  const value = row[column]
  if (typeof value !== "number") throw new TypeError(`column ${column} holds no number`)
  return value
}

export const text = (row: Row, column: string): string => {
  const value = row[column]
  if (typeof value !== "string") throw new TypeError(`column ${column} holds no text`)
  return value
}

export const optional = <A>(row: Row, column: string, read: (row: Row, column: string) => A): A | undefined =>
  row[column] === null || row[column] === undefined ? undefined : read(row, column)

export const optionalText = (row: Row, column: string): string | undefined => optional(row, column, text)

/** Counts the characters and bytes of variable fields. */
export const rowSize = (row: Row): number => {
  let size = 0
  for (const value of Object.values(row)) {
    if (typeof value === "string" || value instanceof Uint8Array) size += value.length
  }
  return size
}

const isSet = (row: Row, column: string): boolean => row[column] === 1

const omittedFrom = (row: Row): ReadonlyArray<Warning> => [
  ...(isSet(row, "metadata_omitted") ? [metadataOmitted] : []),
  ...(isSet(row, "outline_omitted") ? [outlineOmitted] : [])
]

const moment = (row: Row, column: string): DateTime.Utc => DateTime.makeUnsafe(number(row, column))

export const decodeStatus = Schema.decodeUnknownSync(DocumentStatus)
export const decodePageStatus = Schema.decodeUnknownSync(PageStatus)
/** Parsed before it is decoded: a schema that parses, too, takes a fiber to run. */
const decodeJson = <A>(schema: Schema.Decoder<A>) => {
  const decode = Schema.decodeUnknownSync(schema)
  return (text: string): A => decode(JSON.parse(text))
}
export const decodeFailure = decodeJson(Failure)
const decodeMetadata = decodeJson(PdfMetadata)
const decodeOutline = decodeJson(Schema.Array(OutlineItem))
const decodeWarnings = decodeJson(Schema.Array(Warning))
const metadataOf = (row: Row, column: string) => decodeMetadata(text(row, column))
const outlineOf = (row: Row, column: string) => decodeOutline(text(row, column))
const warningsOf = (row: Row, column: string) => decodeWarnings(text(row, column))
/** The encoded form of a failure is its own form. */
export const encodeFailure = (failure: Failure): string => JSON.stringify(failure)
export const encodeMetadata = (metadata: PdfMetadata): string => JSON.stringify(metadata)
export const encodeOutline = (outline: ReadonlyArray<OutlineItem>): string => JSON.stringify(outline)

export const encodeWarnings = (warnings: ReadonlyArray<Warning>): string => JSON.stringify(warnings)

export const progress = (row: Row): Document["progress"] => {
  const pages = optional(row, "page_count", number)
  const warned = number(row, "pages_warned")
  return {
    ...(pages === undefined ? {} : { pages }),
    done: number(row, "pages_done"),
    failed: number(row, "pages_failed"),
    ...(warned === 0 ? {} : { warned })
  }
}

const pipelineOf = (row: Row, column: string) => PipelineName.make(text(row, column), { disableChecks: true })
const sourceOf = (row: Row, column: string) => StageName.make(text(row, column), { disableChecks: true })
const pipelineField = (pipeline: PipelineName | undefined) => (pipeline === undefined ? {} : { pipeline })

/** `opened` is what was found in the file, where the row does not say it. Every column is checked by itself. */
export const toDocument = (row: Row, opened?: Pick<OpenedPdf, "metadata" | "warnings">): Document => {
  const blob = optionalText(row, "blob")
  const size = optional(row, "size", number)
  const sourceUrl = optionalText(row, "source_url")
  const metadata = opened?.metadata ?? optional(row, "metadata", metadataOf)
  const outline = optional(row, "outline", outlineOf)
  const warnings = [...(opened?.warnings ?? optional(row, "warnings", warningsOf) ?? []), ...omittedFrom(row)]
  const failure = optionalText(row, "failure")
  const trace = optionalText(row, "trace")
  const notBefore = optional(row, "not_before", moment)
  const startedAt = optional(row, "started_at", moment)
  const retriedAt = optional(row, "retried_at", moment)
  const finishedAt = optional(row, "finished_at", moment)
  const values = {
    id: DocumentId.make(text(row, "id")),
    tenantId: TenantId.make(text(row, "tenant_id")),
    name: text(row, "name"),
    ...(blob === undefined ? {} : { blob: BlobHash.make(blob) }),
    ...(size === undefined ? {} : { size }),
    ...(sourceUrl === undefined ? {} : { sourceUrl }),
    priority: number(row, "priority"),
    ...pipelineField(optional(row, "pipeline", pipelineOf)),
    status: decodeStatus(row["status"]),
    attempt: number(row, "attempt"),
    interruptions: number(row, "interruptions"),
    retries: number(row, "retries"),
    progress: progress(row),
    ...(metadata === undefined ? {} : { metadata }),
    ...(outline === undefined ? {} : { outline }),
    ...(failure === undefined ? {} : { failure: decodeFailure(failure) }),
    ...warningsField(warnings),
    ...(trace === undefined ? {} : { trace }),
    timings: {
      acceptedAt: moment(row, "accepted_at"),
      ...(notBefore === undefined ? {} : { notBefore }),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(retriedAt === undefined ? {} : { retriedAt }),
      ...(finishedAt === undefined ? {} : { finishedAt })
    }
  }
  return new Document(values, { disableChecks: true })
}

/** The document as it would be read from the row that was just made of it. */
export const newDocument = (accepted: NewDocument, acceptedAt: number, status: "scheduled" | "queued"): Document => {
  const { id, name, notBefore, priority, source, tenantId, trace } = accepted
  return new Document(
    {
      id,
      tenantId,
      name,
      ...(source._tag === "Blob" ? { blob: source.hash, size: source.size } : { sourceUrl: source.url }),
      priority,
      ...pipelineField(storedPipeline(accepted.pipeline)),
      status,
      attempt: 0,
      progress: { done: 0, failed: 0 },
      ...(trace === undefined ? {} : { trace }),
      timings: {
        acceptedAt: DateTime.makeUnsafe(acceptedAt),
        ...(notBefore === undefined ? {} : { notBefore: DateTime.makeUnsafe(notBefore) })
      }
    },
    { disableChecks: true }
  )
}

export const toPage = (row: Row): PageResult => {
  const error = optionalText(row, "error")
  const source = optional(row, "source", sourceOf)
  return {
    number: number(row, "number"),
    status: decodePageStatus(row["status"]),
    width: number(row, "width"),
    height: number(row, "height"),
    rotation: number(row, "rotation"),
    text: text(row, "text"),
    lines: optionalText(row, "lines") ?? noLines,
    ...(row["layout"] instanceof Uint8Array ? { layout: row["layout"] } : {}),
    error: error === undefined ? undefined : decodeFailure(error),
    ...warningsField(optional(row, "warnings", warningsOf)),
    elapsedMillis: number(row, "elapsed_millis"),
    ...(source === undefined ? {} : { source })
  }
}
