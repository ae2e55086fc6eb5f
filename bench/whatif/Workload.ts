import type { DocumentStatus } from "../../src/domain/document/Document.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import type { TenantLimits } from "../../src/domain/tenant/TenantLimits.ts"
import type { TraceRecord, TracedPage } from "../../src/layers/recorder/TraceRecord.ts"
import type { Recording } from "./TraceFile.ts"

/** What a recording says of its documents and tenants, put together for who replays it. */

type Opening = Extract<TraceRecord, { readonly _tag: "Opened" }>
export type Reading =
  | ({ readonly _tag: "Page" } & Omit<TracedPage, "page">)
  | { readonly _tag: "Death"; readonly millis: number; readonly memory: boolean }
  | { readonly _tag: "Hang" }

export interface TracedDocument {
  readonly id: string
  readonly tenant: TenantId
  readonly priority: number
  /** It was there before the recording began, and is taken to have come with its beginning. */
  readonly carriedOver: boolean
  readonly at: number
  readonly notBefore: number | undefined
  /** Those that say something of the file; one that was interrupted hung. */
  readonly openings: ReadonlyArray<Opening>
  /** By page, each time it was read. */
  readonly readings: ReadonlyMap<number, ReadonlyArray<Reading>>
  readonly pages: number
  /** What a page takes of which nothing is known. */
  readonly meanMillis: number
  /** Pages of which nothing is known. */
  readonly guessed: number
  readonly cancelledAt: number | undefined
  readonly retriedAt: ReadonlyArray<number>
  /** When it ended for the last time. */
  readonly endedAt: number | undefined
}

export interface TenantChange {
  readonly at: number
  readonly tenant: TenantId
  readonly limits: TenantLimits
  readonly paused: boolean
}

export interface Workload {
  readonly header: Recording["header"]
  readonly documents: ReadonlyArray<TracedDocument>
  /** In order; the first of a tenant is how it began. */
  readonly changes: ReadonlyArray<TenantChange>
  /** Documents that cost nothing while it was recorded: never opened, or no page of them read. */
  readonly withoutCosts: number
  readonly carriedOver: number
  readonly guessedPages: number
  readonly lostRecords: number
  readonly torn: boolean
  /** All that calls of the workers took, whosever they were. */
  readonly workerMillis: number
}

class Draft {
  readonly id: string
  tenant: TenantId | undefined
  priority = 5
  acceptedAt: number | undefined
  notBefore: number | undefined
  readonly openings: Array<Opening> = []
  readonly readings = new Map<number, Array<Reading>>()
  readonly retriedAt: Array<number> = []
  status: DocumentStatus | undefined
  endedAt: number | undefined

  constructor(id: string) {
    this.id = id
  }

  read(page: number, reading: Reading): void {
    const known = this.readings.get(page)
    if (known === undefined) this.readings.set(page, [reading])
    else known.push(reading)
  }

  finished(): TracedDocument | undefined {
    const opening = this.openings.findLast(({ end }) => end === "done" || end === "unreadable")
    if (this.tenant === undefined || opening === undefined) return undefined
    const pages = opening.pages ?? 0
    const known = [...this.readings.values()].flatMap((all) =>
      all.flatMap((reading) => (reading._tag === "Page" ? [reading.millis] : []))
    )
    const whole = opening.end === "unreadable" || (this.endedAt !== undefined && this.status === "failed")
    if (known.length === 0 && pages > 0 && !whole) return undefined
    return {
      id: this.id,
      tenant: this.tenant,
      priority: this.priority,
      carriedOver: this.acceptedAt === undefined,
      at: this.acceptedAt ?? 0,
      notBefore: this.notBefore,
      openings: this.openings,
      readings: this.readings,
      pages,
      meanMillis: known.reduce((sum, millis) => sum + millis, 0) / Math.max(1, known.length),
      guessed: whole ? 0 : Math.max(0, pages - this.readings.size),
      cancelledAt: this.status === "cancelled" ? this.endedAt : undefined,
      retriedAt: this.retriedAt,
      endedAt: this.endedAt
    }
  }
}

export const workloadOf = ({ header, records, torn }: Recording): Workload => {
  const drafts = new Map<string, Draft>()
  const changes: Array<TenantChange> = []
  let [workerMillis, lostRecords] = [0, 0]
  const draft = (id: string) => {
    const known = drafts.get(id) ?? new Draft(id)
    drafts.set(id, known)
    return known
  }
  for (const record of records) {
    switch (record._tag) {
      case "Tenant":
        changes.push(record)
        break
      case "Lost":
        lostRecords += record.records
        break
      case "Accepted":
      case "Started": {
        const document = draft(record.document)
        document.tenant = record.tenant
        document.priority = record.priority
        if (record._tag === "Started") break
        document.acceptedAt = record.at
        document.notBefore = record.notBefore
        break
      }
      case "Opened":
        workerMillis += callMillis(record)
        addOpening(draft(record.document), record, header.limits.pageTimeoutMillis)
        break
      case "Read":
        workerMillis += record.millis
        addReadings(draft(record.document), record, header.limits.pageTimeoutMillis)
        break
      case "Ended": {
        const document = draft(record.document)
        if (document.endedAt !== undefined) break
        document.endedAt = record.at
        document.status = record.status
        break
      }
      case "Retried": {
        const document = draft(record.document)
        document.retriedAt.push(record.at)
        document.endedAt = undefined
        document.status = undefined
        break
      }
    }
  }
  const found = [...drafts.values()].map((each) => each.finished())
  const documents = found.flatMap((document) => document ?? []).toSorted((a, b) => a.at - b.at)
  return {
    header,
    documents,
    changes,
    withoutCosts: found.length - documents.length,
    carriedOver: documents.filter((document) => document.carriedOver).length,
    guessedPages: documents.reduce((sum, { guessed }) => sum + guessed, 0),
    lostRecords,
    torn,
    workerMillis
  }
}

/** All that a call took of its worker. */
export const callMillis = (record: Opening | Extract<TraceRecord, { readonly _tag: "Read" }>): number =>
  record._tag === "Read" ? record.millis : (record.head ?? []).reduce((sum, { millis }) => sum + millis, record.millis)

/** Calls that a stop or a cancel ended, or for which there was no worker, say nothing of the file. */
const addOpening = (document: Draft, opening: Opening, pageTimeoutMillis: number): void => {
  const { end, head = [], millis } = opening
  if (end === "unavailable" || (end === "interrupted" && millis < pageTimeoutMillis)) return
  document.openings.push(opening)
  for (const { page, ...reading } of head) document.read(page, { _tag: "Page", ...reading })
}

/** What became of pages that did not come out belongs to the first of them. */
const addReadings = (
  document: Draft,
  { end, millis, pages, unread = [] }: Extract<TraceRecord, { readonly _tag: "Read" }>,
  pageTimeoutMillis: number
): void => {
  for (const { page, ...reading } of pages) document.read(page, { _tag: "Page", ...reading })
  const left = Math.max(0, millis - pages.reduce((sum, page) => sum + page.millis, 0))
  const [first] = unread
  if (first === undefined) return
  if (end === "died" || end === "died of memory") {
    document.read(first, { _tag: "Death", millis: left, memory: end === "died of memory" })
  }
  // Anything shorter was a cancel or a stop, which says nothing of the page.
  if (end === "interrupted" && left >= pageTimeoutMillis) document.read(first, { _tag: "Hang" })
}
