/** Turns rows into domain values. A row that does not fit is damage, not an answer: decoding it throws. */
import { DateTime, Schema } from "effect"
import { Document, DocumentStatus, OutlineItem, PdfMetadata } from "../../domain/Document.ts"
import { Failure } from "../../domain/Failure.ts"
import { BlobHash, DocumentId, TenantId } from "../../domain/Ids.ts"
import { noLines, type PageResult, PageStatus } from "../../domain/Page.ts"
import type { Row } from "./SqliteDatabase.ts"

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

const moment = (row: Row, column: string): DateTime.Utc => DateTime.makeUnsafe(number(row, column))

export const decodeStatus = Schema.decodeUnknownSync(DocumentStatus)
export const decodePageStatus = Schema.decodeUnknownSync(PageStatus)
/** Parsed before it is decoded: a schema that parses, too, takes a fiber to run. */
const decodeJson = <A>(schema: Schema.Decoder<A>) => {
  const decode = Schema.decodeUnknownSync(schema)
  return (text: string): A => decode(JSON.parse(text))
}
const decodeFailure = decodeJson(Failure)
const decodeMetadata = decodeJson(PdfMetadata)
const decodeOutline = decodeJson(Schema.Array(OutlineItem))
/** They have no other form than their own. */
export const encodeFailure = (failure: Failure): string => JSON.stringify(failure)
export const encodeMetadata = (metadata: PdfMetadata): string => JSON.stringify(metadata)
export const encodeOutline = (outline: ReadonlyArray<OutlineItem>): string => JSON.stringify(outline)

export const progress = (row: Row): Document["progress"] => {
  const pages = optional(row, "page_count", number)
  return {
    ...(pages === undefined ? {} : { pages }),
    done: number(row, "pages_done"),
    failed: number(row, "pages_failed")
  }
}

export const toDocument = (row: Row): Document => {
  const blob = optionalText(row, "blob")
  const size = optional(row, "size", number)
  const sourceUrl = optionalText(row, "source_url")
  const metadata = optionalText(row, "metadata")
  const outline = optionalText(row, "outline")
  const failure = optionalText(row, "failure")
  const trace = optionalText(row, "trace")
  const notBefore = optional(row, "not_before", moment)
  const startedAt = optional(row, "started_at", moment)
  const finishedAt = optional(row, "finished_at", moment)
  return new Document({
    id: DocumentId.make(text(row, "id")),
    tenantId: TenantId.make(text(row, "tenant_id")),
    name: text(row, "name"),
    ...(blob === undefined ? {} : { blob: BlobHash.make(blob) }),
    ...(size === undefined ? {} : { size }),
    ...(sourceUrl === undefined ? {} : { sourceUrl }),
    priority: number(row, "priority"),
    status: decodeStatus(row["status"]),
    attempt: number(row, "attempt"),
    interruptions: number(row, "interruptions"),
    retries: number(row, "retries"),
    progress: progress(row),
    ...(metadata === undefined ? {} : { metadata: decodeMetadata(metadata) }),
    ...(outline === undefined ? {} : { outline: decodeOutline(outline) }),
    ...(failure === undefined ? {} : { failure: decodeFailure(failure) }),
    ...(trace === undefined ? {} : { trace }),
    timings: {
      acceptedAt: moment(row, "accepted_at"),
      ...(notBefore === undefined ? {} : { notBefore }),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(finishedAt === undefined ? {} : { finishedAt })
    }
  })
}

export const toPage = (row: Row): PageResult => {
  const error = optionalText(row, "error")
  return {
    number: number(row, "number"),
    status: decodePageStatus(row["status"]),
    width: number(row, "width"),
    height: number(row, "height"),
    rotation: number(row, "rotation"),
    text: text(row, "text"),
    lines: optionalText(row, "lines") ?? noLines,
    error: error === undefined ? undefined : decodeFailure(error),
    elapsedMillis: number(row, "elapsed_millis")
  }
}
