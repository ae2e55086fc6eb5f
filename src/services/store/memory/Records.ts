/** The records of the store in memory, and how a change of status moves a document between queues and counters. */
import { DateTime } from "effect"
import {
  Document,
  type DocumentStatus,
  isTerminal,
  type OutlineItem,
  type PdfMetadata
} from "../../../domain/document/Document.ts"
import type { Failure } from "../../../domain/Failure.ts"
import type { BlobHash, RunnerId, TenantId } from "../../../domain/Ids.ts"
import { blobsOf, type StoredArtifact } from "./ArtifactRows.ts"
import { isFailed, noLines, type PageResult } from "../../../domain/document/Page.ts"
import { hasWarnings, type Warning, warningsField } from "../../../domain/document/Warning.ts"
import type { Delivery } from "../../../domain/webhook/Webhook.ts"
import { ChangeEntries } from "./ChangeEntries.ts"
import { ReferenceRows } from "./ReferenceRows.ts"
import type { PageFaults } from "../Claim.ts"
import type { PagesOptions } from "../Documents.ts"
import { type NewDocument, storedPipeline } from "../NewDocument.ts"
import type { QueueCounters } from "../QueueFigures.ts"
import type { OpenedPdf } from "../../PdfEngine.ts"
import {
  largestMetadata,
  largestOutline,
  metadataOmitted,
  metadataSize,
  outlineOmitted
} from "../../../domain/document/Portions.ts"

export interface Stored {
  /** Place in the order of acceptance; kept for life. */
  readonly seq: number
  readonly accepted: NewDocument
  readonly acceptedAt: number
  readonly pages: Map<number, PageResult>
  /** The number of each page's change. */
  readonly pageChanges: Map<number, number>
  /** The number of its last change of state. */
  changed: number
  readonly faults: Map<number, PageFaults>
  /** By page, stage and version, in the order in which they were made. */
  readonly artifacts: Map<string, StoredArtifact>
  pagesFailed: number
  pagesWarned: number
  interruptions: number
  retries: number
  /** Submissions it stands in for, beside its own. */
  shared: number
  /** Set while the document waits for its first run, or for the first run of a retry. */
  queuedAt: number | undefined
  passwordKey: string | undefined
  status: DocumentStatus
  attempt: number
  blob: { readonly hash: BlobHash; readonly size: number } | undefined
  lease: { readonly runner: RunnerId; until: number } | undefined
  sealedPassword: string | undefined
  pageCount: number | undefined
  metadata: PdfMetadata | undefined
  outline: ReadonlyArray<OutlineItem> | undefined
  warnings: ReadonlyArray<Warning> | undefined
  failure: Failure | undefined
  startedAt: number | undefined
  retriedAt: number | undefined
  finishedAt: number | undefined
  callbackDue: number | undefined
  deliveries: number
  /** Bytes kept of the document: its original, the findings of its opening, the results of its pages, and its artifacts. */
  bytes: { original: number; details: number; pages: number; artifacts: number }
  /** Latest first. */
  deliveryLog: ReadonlyArray<Delivery>
}

/** Without its outline. */
export const toDocument = (stored: Stored): Document => new Document(valuesOf(stored))

export const toDocumentWithOutline = (stored: Stored): Document => {
  const { outline } = stored
  const isLarge = outline !== undefined && Buffer.byteLength(JSON.stringify(outline)) > largestOutline
  const { warnings = [], ...values } = valuesOf(stored)
  return new Document({
    ...values,
    ...(outline === undefined || isLarge ? {} : { outline }),
    ...warningsField(isLarge ? [...warnings, outlineOmitted] : warnings)
  })
}

const valuesOf = (stored: Stored): ConstructorParameters<typeof Document>[0] => {
  const { accepted, blob, failure, finishedAt, metadata, pageCount, retriedAt, startedAt } = stored
  const isLarge = metadata !== undefined && metadataSize(metadata) > largestMetadata
  const { notBefore, source, trace } = accepted
  const pipeline = storedPipeline(accepted.pipeline)
  return {
    id: accepted.id,
    tenantId: accepted.tenantId,
    name: accepted.name,
    ...(blob === undefined ? {} : { blob: blob.hash, size: blob.size }),
    ...(source._tag === "Url" ? { sourceUrl: source.url } : {}),
    priority: accepted.priority,
    ...(pipeline === undefined ? {} : { pipeline }),
    status: stored.status,
    attempt: stored.attempt,
    interruptions: stored.interruptions,
    retries: stored.retries,
    progress: {
      ...(pageCount === undefined ? {} : { pages: pageCount }),
      done: stored.pages.size,
      failed: stored.pagesFailed,
      ...(stored.pagesWarned === 0 ? {} : { warned: stored.pagesWarned })
    },
    ...(metadata === undefined || isLarge ? {} : { metadata }),
    ...(failure === undefined ? {} : { failure }),
    ...warningsField(isLarge ? [...(stored.warnings ?? []), metadataOmitted] : stored.warnings),
    ...(trace === undefined ? {} : { trace }),
    timings: {
      acceptedAt: DateTime.makeUnsafe(stored.acceptedAt),
      ...(notBefore === undefined ? {} : { notBefore: DateTime.makeUnsafe(notBefore) }),
      ...(startedAt === undefined ? {} : { startedAt: DateTime.makeUnsafe(startedAt) }),
      ...(retriedAt === undefined ? {} : { retriedAt: DateTime.makeUnsafe(retriedAt) }),
      ...(finishedAt === undefined ? {} : { finishedAt: DateTime.makeUnsafe(finishedAt) })
    }
  }
}

/** One tenant's queued documents: by priority, then by place. */
class Backlog {
  readonly #byPriority = new Map<number, Array<Stored>>()

  add(stored: Stored): void {
    const { priority } = stored.accepted
    const queue = this.#byPriority.get(priority) ?? []
    this.#byPriority.set(priority, queue)
    const last = queue.at(-1)
    if (last === undefined || last.seq < stored.seq) {
      queue.push(stored)
      return
    }
    const later = queue.findIndex((other) => other.seq > stored.seq)
    queue.splice(later, 0, stored)
  }

  drop(stored: Stored): void {
    const queue = this.#byPriority.get(stored.accepted.priority) ?? []
    const place = queue.indexOf(stored)
    if (place >= 0) queue.splice(place, 1)
  }

  get size(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.length, 0)
  }

  /** The first of each priority, the highest priority first. */
  get heads(): ReadonlyArray<Stored> {
    return this.#queues.flatMap((queue) => queue.slice(0, 1))
  }

  before(stored: Stored, limit: number): ReadonlyArray<Stored> {
    const { priority } = stored.accepted
    const ahead: Array<Stored> = []
    for (const queue of this.#queues) {
      for (const other of queue) {
        if (ahead.length === limit || other === stored || other.accepted.priority < priority) return ahead
        ahead.push(other)
      }
    }
    return ahead
  }

  get #queues(): ReadonlyArray<ReadonlyArray<Stored>> {
    return Array.from({ length: 10 }, (_, place) => this.#byPriority.get(9 - place) ?? [])
  }

  get first(): Stored | undefined {
    for (let priority = 9; priority >= 0; priority--) {
      const stored = this.#byPriority.get(priority)?.[0]
      if (stored !== undefined) return stored
    }
    return undefined
  }
}

type Counters = { -readonly [K in keyof QueueCounters]: QueueCounters[K] }

const noCounters = (): Counters => ({
  waiting: 0,
  running: 0,
  maxWaiting: 0,
  maxRunning: 0,
  processed: 0,
  failed: 0,
  storedBytes: 0
})

const waits = (status: DocumentStatus | undefined) => status === "scheduled" || status === "queued"

/** Updates one set of counters when a document moves `from` one status (none: it is new) `to` another (none: it is removed). */
const count = (counters: Counters, from: DocumentStatus | undefined, to: DocumentStatus | undefined): void => {
  counters.waiting += Number(waits(to)) - Number(waits(from))
  counters.running += Number(to === "running") - Number(from === "running")
  counters.maxWaiting = Math.max(counters.maxWaiting, counters.waiting)
  counters.maxRunning = Math.max(counters.maxRunning, counters.running)
  if (to !== undefined && isTerminal(to) && to !== "cancelled") counters.processed++
  if (to === "failed") counters.failed++
}

/** The page with as much as is asked for. */
export const shownPage = (
  { layout, ...page }: PageResult,
  { detail, layout: withLayout = false, summary = false }: PagesOptions
): PageResult => ({
  ...page,
  ...(withLayout && layout !== undefined ? { layout } : {}),
  lines: detail ? page.lines : noLines,
  text: summary ? "" : page.text
})

const sizeOf = (text: string): number => Buffer.byteLength(text)
export const pageBytes = ({ layout, lines, text }: PageResult): number =>
  sizeOf(text) + sizeOf(lines) + (layout?.length ?? 0)
const totalOf = ({ bytes }: Stored): number => bytes.original + bytes.details + bytes.pages + bytes.artifacts

/** All documents, and what is derived from them: every change of a status goes through here. */
export class Records {
  readonly byId = new Map<string, Stored>()
  readonly running = new Set<Stored>()
  readonly scheduled = new Set<Stored>()
  readonly all = noCounters()
  readonly log = new ChangeEntries<Stored>(
    ({ number, page, stored }) =>
      this.byId.get(stored.accepted.id) === stored &&
      (page === undefined ? stored.changed === number : stored.pageChanges.get(page) === number)
  )
  readonly references = new ReferenceRows((hash) => this.refersTo(hash))
  readonly paused = new Set<TenantId>()
  readonly #tenants = new Map<TenantId, { readonly backlog: Backlog; readonly counters: Counters }>()
  #accepted = 0

  /** The document's state has changed. */
  touch(stored: Stored): void {
    stored.changed = this.log.add({ stored, page: undefined })
  }

  setOpened(stored: Stored, pdf: OpenedPdf): void {
    stored.pageCount = pdf.pageCount
    stored.metadata = pdf.metadata
    stored.outline = pdf.outline
    stored.warnings = pdf.warnings
    this.setBytes(stored, { details: sizeOf(JSON.stringify(pdf.metadata)) + sizeOf(JSON.stringify(pdf.outline)) })
    this.touch(stored)
  }

  setBytes(stored: Stored, bytes: Partial<Stored["bytes"]>): void {
    const before = totalOf(stored)
    stored.bytes = { ...stored.bytes, ...bytes }
    this.#count(stored, totalOf(stored) - before)
  }

  #count(stored: Stored, bytes: number): void {
    this.tenant(stored.accepted.tenantId).counters.storedBytes += bytes
    this.all.storedBytes += bytes
  }

  addPage(stored: Stored, page: PageResult): void {
    if (stored.pages.has(page.number)) return
    // A layout as it comes shares its memory with the message of the worker.
    const { layout } = page
    stored.pages.set(page.number, layout === undefined ? page : { ...page, layout: new Uint8Array(layout) })
    stored.pageChanges.set(page.number, this.log.add({ stored, page: page.number }))
    if (isFailed(page.status)) stored.pagesFailed++
    if (hasWarnings(page)) stored.pagesWarned++
    this.setBytes(stored, { pages: stored.bytes.pages + pageBytes(page) })
  }

  tenant(id: TenantId) {
    const known = this.#tenants.get(id)
    if (known !== undefined) return known
    const tenant = { backlog: new Backlog(), counters: noCounters() }
    this.#tenants.set(id, tenant)
    return tenant
  }

  get tenantsWithQueued(): Array<TenantId> {
    return Array.from(this.#tenants)
      .filter(([id, { backlog }]) => backlog.first !== undefined && !this.paused.has(id))
      .map(([id]) => id)
      .toSorted()
  }

  /** The document that a claim of the tenant gets. */
  next(tenant: TenantId, most = Number.POSITIVE_INFINITY): Stored | undefined {
    const { backlog, counters } = this.tenant(tenant)
    return this.paused.has(tenant) || counters.running >= most ? undefined : backlog.first
  }

  /** Whether a document of the tenant has the blob; without a tenant, whether any document or artifact has it. */
  refersTo(hash: BlobHash, tenant?: TenantId): boolean {
    return Array.from(this.byId.values()).some((stored) =>
      tenant === undefined
        ? stored.blob?.hash === hash || blobsOf(stored.artifacts.values()).includes(hash)
        : stored.blob?.hash === hash && stored.accepted.tenantId === tenant
    )
  }

  add(accepted: NewDocument, acceptedAt: number, status: DocumentStatus): Stored {
    const { source } = accepted
    const stored: Stored = {
      seq: ++this.#accepted,
      accepted,
      acceptedAt,
      pages: new Map(),
      pageChanges: new Map(),
      changed: 0,
      faults: new Map(),
      artifacts: new Map(),
      pagesFailed: 0,
      pagesWarned: 0,
      interruptions: 0,
      retries: 0,
      shared: 0,
      queuedAt: status === "queued" ? acceptedAt : undefined,
      passwordKey: accepted.passwordKey,
      status,
      attempt: 0,
      blob: source._tag === "Blob" ? { hash: source.hash, size: source.size } : undefined,
      lease: undefined,
      sealedPassword: accepted.sealedPassword,
      pageCount: undefined,
      metadata: undefined,
      outline: undefined,
      warnings: undefined,
      failure: undefined,
      startedAt: undefined,
      retriedAt: undefined,
      finishedAt: undefined,
      callbackDue: undefined,
      deliveries: 0,
      bytes: { original: source._tag === "Blob" ? source.size : 0, details: 0, pages: 0, artifacts: 0 },
      deliveryLog: []
    }
    this.byId.set(accepted.id, stored)
    this.#count(stored, stored.bytes.original)
    this.touch(stored)
    this.#moved(stored, undefined, status)
    return stored
  }

  move(stored: Stored, to: DocumentStatus): void {
    const from = stored.status
    stored.status = to
    if (to !== "running") stored.lease = undefined
    this.touch(stored)
    this.#moved(stored, from, to)
  }

  remove(stored: Stored): void {
    this.byId.delete(stored.accepted.id)
    this.#count(stored, -totalOf(stored))
    this.#moved(stored, stored.status, undefined)
  }

  #moved(stored: Stored, from: DocumentStatus | undefined, to: DocumentStatus | undefined): void {
    const { backlog, counters } = this.tenant(stored.accepted.tenantId)
    if (from === "queued") backlog.drop(stored)
    if (from === "running") this.running.delete(stored)
    if (from === "scheduled") this.scheduled.delete(stored)
    if (to === "queued") backlog.add(stored)
    if (to === "running") this.running.add(stored)
    if (to === "scheduled") this.scheduled.add(stored)
    count(counters, from, to)
    count(this.all, from, to)
  }
}
