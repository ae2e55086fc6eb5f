import { createHash } from "node:crypto"
import { type Document, type DocumentStatus, isTerminal } from "../../src/domain/document/Document.ts"
import type { DocumentId, RunnerId, TenantId } from "../../src/domain/Ids.ts"
import { isFailed, type PageResult } from "../../src/domain/document/Page.ts"
import type { NewArtifact } from "../../src/services/store/Artifacts.ts"
import type { Claim } from "../../src/services/store/Claim.ts"
import type { Fence } from "../../src/services/store/Fence.ts"
import type { BacklogLimits, NewDocument } from "../../src/services/store/NewDocument.ts"
import type { Outcome } from "../../src/services/store/Outcome.ts"
import { artifactKey, type Entry, newEntry, pageDigest } from "./Entry.ts"
import type { History } from "./History.ts"
import type { LimitsLog } from "./LimitsLog.ts"

export interface Limits {
  readonly log: LimitsLog
  readonly globalDocuments: number
}

/** A call of the store that asks for room: when it began, and what it was told that there is. */
export interface Asked {
  readonly at: number
  readonly limits: BacklogLimits
}

/** The model of the store: applies every successful call to itself, and says when a call should not have succeeded. */
/** What a runner may hold, and until when. */
export interface Lease {
  readonly runner: RunnerId
  readonly now: number
  readonly until: number
}

export class Ledger {
  readonly entries = new Map<string, Entry>()
  readonly #history: History
  readonly #limits: Limits
  readonly #paused = new Set<TenantId>()
  /** When the tenant, or the engine, last was seen to run all that it may, or to have nothing more to run. */
  readonly busyAt = new Map<TenantId | "all", number>()
  /** Runs that do not take up what gave way to another tenant, and those that ended by giving way. */
  freshRuns = 0
  preemptions = 0

  constructor(history: History, limits: Limits) {
    this.#history = history
    this.#limits = limits
  }

  /** Accepted and neither ended nor removed. */
  get open(): ReadonlyArray<Entry> {
    return [...this.entries.values()].filter((entry) => !entry.removed && !isTerminal(entry.status))
  }

  /** Digest of what became of every document and every page, but of the last probe's. Names tell documents apart. */
  results(): string {
    const own = [...this.entries.values()].filter(({ label }) => !label.includes("probe-"))
    const lines = own.map(({ label, pages, status }) => {
      const results = [...pages].toSorted(([a], [b]) => a - b).map(([page, { digest }]) => `${page} ${digest}`)
      return `${label.replace(/^#\d+ /, "")} ${status} ${results.join(" ")}`
    })
    return createHash("sha256").update(lines.toSorted().join("\n")).digest("hex").slice(0, 16)
  }

  entry(id: string): Entry | undefined {
    return this.entries.get(id)
  }

  isPaused(tenant: TenantId): boolean {
    return this.#paused.has(tenant)
  }

  /** Documents of the tenant that would be claimed. */
  queued(tenant: TenantId): number {
    let queued = 0
    for (const entry of this.entries.values()) {
      if (entry.tenant === tenant && !entry.removed && entry.status === "queued") queued++
    }
    return queued
  }

  /** Documents of the tenant that take up a place, whichever process runs them. */
  occupied(tenant: TenantId): number {
    return this.#running(tenant).length
  }

  /** Documents that the process runs, of one tenant or of all. */
  running(runner: string | undefined, tenant?: TenantId): ReadonlyArray<Entry> {
    return [...this.entries.values()].filter(
      (entry) =>
        entry.status === "running" &&
        entry.runner === runner &&
        !entry.removed &&
        entry.abandonedAt === undefined &&
        (tenant === undefined || entry.tenant === tenant)
    )
  }

  accepted(document: NewDocument, stored: Document, asked: Asked): void {
    if (stored.id !== document.id) {
      const other = this.#known(stored.id)
      this.#check(document.reuse, "a document stands in only for who allows it", stored.id)
      this.#check(other?.tenant === document.tenantId, "a document stands in for its own tenant only", stored.id)
      this.#history.note(`${document.tenantId} ${other?.label} stands in`)
      if (other !== undefined) other.shares++
      return
    }
    this.#checkRoom(document.tenantId, asked)
    this.#check(!this.entries.has(document.id), "an id is given once", document.id)
    const label = `#${this.entries.size} ${document.name}`
    this.entries.set(document.id, newEntry(document, stored, label))
    this.#history.note(`${document.tenantId} ${label} accepted as ${stored.status}`)
  }

  /** `permitAt`: when the slot that claims took its permit of the tenant's gate. */
  claimed(tenant: TenantId, claim: Claim, lease: Lease, permitAt: number): void {
    const entry = this.#known(claim.fence.documentId)
    if (entry === undefined) return
    const { label } = entry
    this.#check(entry.tenant === tenant, "a claim is of the tenant's own document", label)
    this.#check(entry.status === "queued", "only a queued document is claimed", `${label} was ${entry.status}`)
    this.#check(
      claim.fence.attempt > entry.attempt,
      "attempts grow",
      `${label} ${entry.attempt} to ${claim.fence.attempt}`
    )
    this.#check(!this.#paused.has(tenant), "nothing of a paused tenant starts", label)
    this.#check((entry.notBefore ?? 0) <= lease.now, "no document starts before its time", label)
    const same =
      claim.donePages.size === entry.pages.size && [...entry.pages.keys()].every((page) => claim.donePages.has(page))
    this.#check(same, "a claim knows every finished page", `${label}: ${claim.donePages.size} of ${entry.pages.size}`)
    entry.status = "running"
    entry.attempt = claim.fence.attempt
    entry.runner = lease.runner
    entry.leasedUntil = lease.until
    entry.doneAtClaim = new Set(entry.pages.keys())
    entry.artifactsAtClaim = entry.artifacts.size
    entry.abandonedAt = undefined
    entry.queuedSince = undefined
    entry.permitAt = permitAt
    entry.disturbed = false
    if (!entry.gaveWay) this.freshRuns++
    this.#history.note(`${entry.tenant} ${label} claimed, attempt ${entry.attempt}, ${entry.pages.size} pages done`)
    this.#countRunning(tenant, lease)
  }

  renewed(lease: Lease, fences: ReadonlyArray<Fence>): void {
    for (const fence of fences) {
      const entry = this.#known(fence.documentId)
      if (entry === undefined) continue
      const own = entry.status === "running" && entry.runner === lease.runner && entry.attempt === fence.attempt
      this.#check(own, "only an own lease is renewed", `${entry.label} attempt ${fence.attempt}`)
      entry.leasedUntil = lease.until
    }
  }

  /** A source is asked for its bytes. */
  fetching(url: string): void {
    const entry = [...this.entries.values()].find(({ sourceUrl }) => sourceUrl === url)
    this.#history.note(`${entry?.tenant} ${entry?.label} is fetched`)
    if (entry === undefined || entry.overlapped) return
    this.#check(!entry.fetched, "a source is not fetched again once its bytes are there", entry.label)
  }

  fetched(fence: Fence): void {
    const entry = this.#fenced(fence, "fetched")
    if (entry !== undefined) entry.fetched = true
  }

  opened(fence: Fence, pageCount: number): void {
    const entry = this.#fenced(fence, "opened")
    if (entry !== undefined) entry.pageCount = pageCount
  }

  saved(fence: Fence, page: PageResult): void {
    const entry = this.#fenced(fence, `page ${page.number} saved`)
    if (entry === undefined) return
    const inside = page.number >= 1 && page.number <= (entry.pageCount ?? 0)
    this.#check(inside, "a page lies in its document", `${entry.label} page ${page.number} of ${entry.pageCount}`)
    this.#history.note(`${entry.tenant} ${entry.label} page ${page.number} ${page.status}, attempt ${fence.attempt}`)
    if (entry.pages.has(page.number)) {
      this.#check(entry.overlapped, "a page is written once", `${entry.label} page ${page.number}`)
      return
    }
    entry.pages.set(page.number, { digest: pageDigest(page), status: page.status, code: page.error?.code ?? "" })
  }

  savedArtifact(fence: Fence, artifact: Pick<NewArtifact, "page" | "stage" | "status">): void {
    const key = artifactKey(artifact)
    const entry = this.#fenced(fence, `${key} saved`)
    if (entry === undefined) return
    this.#history.note(`${entry.tenant} ${entry.label} ${key} ${artifact.status}, attempt ${fence.attempt}`)
    this.#check(!entry.artifacts.has(key) || entry.overlapped, "an artifact is written once", `${entry.label} ${key}`)
    if (!entry.artifacts.has(key)) entry.artifacts.set(key, artifact.status)
  }

  finished(fence: Fence, outcome: Outcome, stored: Document, at: number): void {
    const entry = this.#fenced(fence, `finish as ${outcome.status}`)
    if (entry === undefined) return
    const failed = [...entry.pages.values()].filter(({ status }) => isFailed(status)).length
    const all = entry.pageCount !== undefined && entry.pages.size === entry.pageCount
    const detail = `${entry.label} ${outcome.status}: ${entry.pages.size} of ${entry.pageCount} pages, ${failed} failed`
    if (outcome.status !== "failed") this.#check(all, "a document that is read has every page", detail)
    const failedStages = [...entry.artifacts.values()].filter((status) => status === "failed").length
    if (outcome.status === "completed") {
      this.#check(failed + failedStages === 0, "a completed document has no failed page or stage", detail)
    }
    if (outcome.status === "partial") {
      const isMixed = failed + failedStages > 0 && failed < entry.pages.size
      this.#check(isMixed, "a partial document has pages of both kinds, or failed stages", detail)
    }
    this.#check(
      stored.status === outcome.status,
      "finish answers with the end it wrote",
      `${entry.label} ${stored.status}`
    )
    this.#end(entry, outcome.status, at, outcome.status === "failed" ? outcome.failure.code : undefined)
  }

  /** `wanted`: another tenant wanted its permit, and nothing else is known that would have ended the run. */
  released(fence: Fence, wanted: boolean): void {
    const entry = this.#fenced(fence, "release")
    if (entry === undefined) return
    const gaveWay = wanted && !entry.disturbed
    if (gaveWay) this.#preempted(entry)
    this.#queue(entry, gaveWay ? "gave way" : "released")
    entry.gaveWay = gaveWay
  }

  #preempted(entry: Entry): void {
    this.preemptions++
    entry.preemptions++
    const { artifacts, artifactsAtClaim, doneAtClaim, label, pageCount, pages, preemptions } = entry
    const detail = `${label} attempt ${entry.attempt}: ${pages.size} pages done, ${doneAtClaim.size} at its claim`
    const hasMore = pages.size > doneAtClaim.size || artifacts.size > artifactsAtClaim
    this.#check(hasMore, "no document gives way without having got on", detail)
    const often = `${label}: ${preemptions} times with ${pages.size} of ${pageCount} pages done`
    this.#check(preemptions <= pages.size + artifacts.size, "no document gives way more often than it has pages", often)
  }

  /** A call for this run failed. */
  disturbed(documentId: string): void {
    const entry = this.entries.get(documentId)
    if (entry !== undefined) entry.disturbed = true
  }

  /** The actor of the tenant is about to die of a defect. */
  crashes(tenant: TenantId): void {
    for (const entry of this.entries.values()) if (entry.tenant === tenant) entry.disturbed = true
  }

  reclaimed(now: number): void {
    for (const entry of this.entries.values()) {
      if (entry.removed || entry.status !== "running" || entry.leasedUntil > now) continue
      if (entry.abandonedAt === undefined) entry.overlapped = true
      this.#queue(entry, "reclaimed")
    }
  }

  becameDue(now: number): void {
    for (const entry of this.entries.values()) {
      if (!entry.removed && entry.status === "scheduled" && (entry.notBefore ?? 0) <= now) {
        this.#queue(entry, "due")
        entry.queuedSince = now
      }
    }
  }

  cancelled(id: DocumentId, stored: Document, at: number): void {
    const entry = this.#known(id)
    if (entry === undefined) return
    if (isTerminal(entry.status)) {
      this.#check(stored.status === entry.status, "a terminal state does not change", `${entry.label} ${entry.status}`)
      return
    }
    this.#check(stored.status === "cancelled", "a cancel ends what has not ended", `${entry.label} is ${stored.status}`)
    entry.attempt = stored.attempt
    this.#end(entry, "cancelled", at, "CANCELLED")
  }

  /** `before`: that it ended earlier is the reason. */
  removed(id: DocumentId, before = Number.POSITIVE_INFINITY): void {
    const entry = this.#known(id)
    if (entry === undefined) return
    this.#check((entry.endedAt ?? 0) < before, "nothing is removed before its time", entry.label)
    this.#check(entry.ends === 1, "every document ends once", entry.label)
    this.#check(isTerminal(entry.status), "only what has ended is removed", `${entry.label} was ${entry.status}`)
    entry.removed = true
    this.#history.note(`${entry.tenant} ${entry.label} removed`)
  }

  /** Taken back in whatever state it was. */
  withdrawn(id: string): void {
    const entry = this.entries.get(id)
    if (entry === undefined) return
    if (!isTerminal(entry.status)) this.#end(entry, "cancelled", 0, "CANCELLED")
    entry.removed = true
    this.#history.note(`${entry.tenant} ${entry.label} withdrawn`)
  }

  expired(ended: ReadonlyArray<Document>, queuedBefore: number, at: number): void {
    for (const { failure, id } of ended) {
      const entry = this.#known(id)
      if (entry === undefined) continue
      this.#check(entry.status === "queued", "only a queued document expires", `${entry.label} was ${entry.status}`)
      const waited = entry.queuedSince !== undefined && entry.queuedSince < queuedBefore
      this.#check(waited, "nothing expires before its time", `${entry.label}, queued since ${entry.queuedSince}`)
      this.#end(entry, "failed", at, failure?.code)
    }
  }

  retried(id: string, at: number, asked: Asked): void {
    const entry = this.#known(id)
    if (entry === undefined) return
    this.#checkRoom(entry.tenant, asked)
    const may = entry.status === "partial" || entry.status === "failed"
    this.#check(may, "only failures are retried", `${entry.label} was ${entry.status}`)
    for (const [page, { status }] of entry.pages) if (isFailed(status)) entry.pages.delete(page)
    for (const [key, status] of entry.artifacts) if (status !== "done") entry.artifacts.delete(key)
    entry.ends = 0
    entry.announcements = 0
    entry.endedAt = undefined
    entry.failureCode = undefined
    entry.preemptions = 0
    this.#queue(entry, "retried")
    entry.queuedSince = at
  }

  paused(tenant: TenantId, paused: boolean): void {
    if (paused) this.#paused.add(tenant)
    else this.#paused.delete(tenant)
    this.#history.note(`${tenant} ${paused ? "paused" : "resumed"}`)
  }

  /** The run of this attempt has ended without having been able to write so. */
  abandoned(fence: Fence, at: number): void {
    const entry = this.entries.get(fence.documentId)
    if (entry?.status !== "running" || entry.attempt !== fence.attempt) return
    entry.abandonedAt ??= at
    this.#history.note(`${entry.tenant} ${entry.label} attempt ${fence.attempt} abandoned`)
  }

  announced(id: string, status: DocumentStatus): void {
    const entry = this.entries.get(id)
    if (entry === undefined) return
    entry.announcements++
    this.#history.note(`${entry.tenant} ${entry.label} announced as ${status}`)
    this.#check(entry.status === status, "an end is announced after it is durable", `${entry.label} is ${entry.status}`)
    this.#check(entry.announcements === 1, "an end is announced at most once", `${entry.label} ${status}`)
  }

  #countRunning(tenant: TenantId, { now, runner }: Lease): void {
    const own = this.running(runner, tenant)
    const all = this.running(runner).length
    const { globalDocuments: global, log } = this.#limits
    // When the last of these permits was taken the others were taken already: they were within the limit of that moment.
    const lastTaken = Math.max(...own.map(({ permitAt }) => permitAt))
    const limit = log.most("documents", tenant, lastTaken)
    const detail = `${tenant} runs ${own.length} of ${limit}`
    this.#check(own.length <= limit, "no tenant runs more documents than its limit", detail)
    // The store counts them when one is claimed, whichever process runs them.
    const together = this.occupied(tenant)
    const most = log.most("documents", tenant, Math.min(now, this.#lastPermit(tenant)), now)
    this.#check(
      together <= most,
      "all processes together run no more documents of a tenant than its limit",
      `${tenant} runs ${together} of ${most}`
    )
    this.#check(all <= global, "no more documents run than the global limit", `${all} of ${global}`)
    if (all >= global) this.busyAt.set("all", now)
    if (own.length >= log.now(tenant).documents || this.queued(tenant) === 0) this.busyAt.set(tenant, now)
  }

  /** When the claim at hand took its permit. */
  #lastPermit(tenant: TenantId): number {
    return Math.max(...this.#running(tenant).map(({ permitAt }) => permitAt))
  }

  #running(tenant: TenantId): ReadonlyArray<Entry> {
    return [...this.entries.values()].filter(
      (entry) => entry.status === "running" && !entry.removed && entry.tenant === tenant
    )
  }

  /** One more waits than did when the call succeeded. */
  #checkRoom(tenant: TenantId, { at, limits }: Asked): void {
    let waiting = 0
    for (const entry of this.entries.values()) {
      if (entry.tenant !== tenant || entry.removed) continue
      if (entry.status === "queued" || entry.status === "scheduled") waiting++
    }
    const inForce = this.#limits.log.during(tenant, at, at).map(({ backlog }) => backlog)
    this.#check(inForce.includes(limits.tenant), "the limits of the moment count", `${tenant} backlog ${limits.tenant}`)
    const most = Math.max(...inForce)
    this.#check(waiting < most, "nothing is accepted beyond the backlog", `${tenant} has ${waiting} of ${most} waiting`)
  }

  #queue(entry: Entry, why: string): void {
    entry.status = "queued"
    entry.runner = undefined
    entry.abandonedAt = undefined
    entry.gaveWay = false
    this.#history.note(`${entry.tenant} ${entry.label} queued again: ${why}`)
  }

  #end(entry: Entry, status: DocumentStatus, at: number, code: string | undefined): void {
    entry.ends++
    this.#check(entry.ends === 1, "a document ends once", entry.label)
    entry.status = status
    entry.runner = undefined
    entry.queuedSince = undefined
    entry.gaveWay = false
    entry.endedAt = at
    entry.failureCode = code
    this.#history.note(`${entry.tenant} ${entry.label} ended as ${status}${code === undefined ? "" : ` with ${code}`}`)
  }

  #known(id: string): Entry | undefined {
    const entry = this.entries.get(id)
    this.#check(entry !== undefined && !entry.removed, "the store knows only what was accepted and not removed", id)
    return entry
  }

  /** The entry, if the fence holds: the write must not have succeeded otherwise. */
  #fenced({ attempt, documentId }: Fence, what: string): Entry | undefined {
    const entry = this.#known(documentId)
    if (entry === undefined) return undefined
    const holds = entry.status === "running" && entry.attempt === attempt
    const detail = `${entry.label}: ${what} under attempt ${attempt}; it is ${entry.status}, attempt ${entry.attempt}`
    this.#check(holds, "nothing is written under an attempt that is over", detail)
    return holds ? entry : undefined
  }

  #check(holds: boolean, invariant: string, detail: string): void {
    if (!holds) this.#history.violate(invariant, detail)
  }
}
