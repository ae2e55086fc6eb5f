import { Context, Effect, Layer } from "effect"
import type { IngestEvent } from "../../domain/Event.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { Events } from "../../services/Events.ts"
import { FairShares } from "../scheduling/FairShares.ts"

/** What one document of a tenant costs, as far as is known. Deviations are relative: 0.5 is half as much again, or less. */
export interface Costs {
  /** Worker time to open a file, before its first page. */
  readonly openingMillis: number
  /** Worker time of a page. */
  readonly millisPerPage: number
  readonly pagesPerDocument: number
  /** Standard deviation of the pages of a document. */
  readonly spread: number
  /** How far the time of a page differs from one document to the next. */
  readonly roughness: number
  /** How far the mean time of a page may be off: the same for all documents, so it does not even out among many. */
  readonly error: number
  /** The same of the mean number of pages. */
  readonly sizeError: number
  /** By how much faster than that pages may yet be read: workers that have read little get faster. */
  readonly warming: number
}

export interface Documents {
  /** Pages left of documents that were opened. */
  readonly pages: number
  readonly opened: number
  readonly unopened: number
}

/** An amount of worker time, and by which part of it the amount may well be off. */
export interface Work {
  readonly millis: number
  readonly error: number
}

/** What these documents of one tenant cost. What differs from one to the next evens out among many; what is not known does not. */
export const workOf = (costs: Costs, { opened, pages, unopened }: Documents): Work => {
  const known = pages * costs.millisPerPage
  const each = costs.pagesPerDocument * costs.millisPerPage
  const millis = known + unopened * (costs.openingMillis + each)
  if (millis === 0) return { millis, error: 0 }
  const variance =
    (opened === 0 ? 0 : (known * costs.roughness) ** 2 / opened) +
    unopened * each ** 2 * (costs.spread ** 2 + costs.roughness ** 2) +
    (millis * costs.error) ** 2 +
    (unopened * each * costs.sizeError) ** 2
  return { millis, error: Math.sqrt(variance) / millis }
}

/** Before anything was measured. */
const guess: Costs = {
  openingMillis: 30,
  millisPerPage: 20,
  pagesPerDocument: 20,
  spread: 2,
  roughness: 0.4,
  error: 1.2,
  sizeError: 2,
  warming: 1
}
/** Of a tenant that nothing is known of but what the others' documents cost. */
const errorOfOthers = 0.7
/** How many pages it takes to be believed as much as what is known of all tenants. */
const doubtedPages = 2
/** After so many pages their mean time is known twice as well. */
const tellingPages = 6
/** However many pages were measured: machines that others use are never as fast as a moment ago. */
const leastError = 0.2
/** Time of all workers after which most of their warming is over. */
const warmingMillis = 20_000
/** Fewer documents say nothing of how much they differ. */
const fewDocuments = 4
/** Of what was measured, no less was for pages. */
const leastReading = 0.2
/** A document that cost more beyond expectation says only that this was wrong. */
const greatestSurprise = 2
/** Beyond this much evidence the older half is forgotten: workers warm up, and machines are shared. */
const mostMillis = 8_000
const mostPages = 50
const mostDocuments = 64
const mostOpenings = 32
const mostOpen = 1_000
const mostTenants = 10_000

class Evidence {
  #millis = 0
  #pages = 0
  #opened = 0
  #documents = 0
  #sum = 0
  #squares = 0
  #openings = 0
  #openingMillis = 0
  #surprises = 0
  #surprise = 0
  /** Since a document last ended. */
  readonly #latest = { millis: 0, pages: 0, opened: 0 }

  used(millis: number): void {
    this.#latest.millis += millis
    this.#millis += millis
    if (this.#millis <= mostMillis || this.#pages <= mostPages) return
    this.#millis /= 2
    this.#pages /= 2
    this.#opened /= 2
  }

  read(): void {
    this.#latest.pages++
    this.#pages++
  }

  opened(pages: number): void {
    this.#latest.opened++
    this.#opened++
    this.#documents++
    this.#sum += pages
    this.#squares += pages * pages
    if (this.#documents <= mostDocuments) return
    this.#documents /= 2
    this.#sum /= 2
    this.#squares /= 2
  }

  opening(millis: number): void {
    this.#openings++
    this.#openingMillis += millis
    if (this.#openings <= mostOpenings) return
    this.#openings /= 2
    this.#openingMillis /= 2
  }

  /** Compares what was used since the last document ended with what was to be expected. */
  ended({ millisPerPage, openingMillis }: Costs): void {
    const { millis, opened, pages } = this.#latest
    Object.assign(this.#latest, { millis: 0, pages: 0, opened: 0 })
    const expected = opened * openingMillis + pages * millisPerPage
    if (expected === 0 || millis === 0) return
    this.#surprises++
    this.#surprise += Math.min(greatestSurprise, Math.abs(millis / expected - 1)) ** 2
    if (this.#surprises <= mostDocuments) return
    this.#surprises /= 2
    this.#surprise /= 2
  }

  costs(prior: Costs): Costs {
    const known = this.#documents > 0
    // Tenants differ too much for the mean of all to say anything beside one's own.
    const pagesPerDocument = known ? this.#sum / this.#documents : prior.pagesPerDocument
    const variance = known ? Math.max(0, this.#squares / this.#documents - pagesPerDocument ** 2) : 0
    const measured = known ? Math.sqrt(variance) / Math.max(1, pagesPerDocument) : prior.spread
    const spread = this.#documents < fewDocuments ? Math.max(measured, prior.spread) : measured
    const opening = (this.#openingMillis + prior.openingMillis) / (this.#openings + 1)
    const openings = Math.min(this.#opened * opening, (1 - leastReading) * this.#millis)
    const openingMillis = openings === 0 ? opening : openings / this.#opened
    return {
      openingMillis,
      // Time without a page yet is the beginning of something, and tells nothing of pages.
      millisPerPage:
        this.#pages === 0
          ? prior.millisPerPage
          : (this.#millis - openings + doubtedPages * prior.millisPerPage) / (this.#pages + doubtedPages),
      pagesPerDocument,
      spread,
      roughness: Math.sqrt((this.#surprise + fewDocuments * prior.roughness ** 2) / (this.#surprises + fewDocuments)),
      error: Math.max(leastError, prior.error / Math.sqrt(1 + (3 * this.#pages) / tellingPages)),
      sizeError: known ? spread / Math.sqrt(this.#documents) : Math.max(prior.sizeError, prior.spread),
      warming: prior.warming
    }
  }
}

/** The documents of one tenant that are open, and the one whose opening can be told from other work, if there is one. */
class Openings {
  readonly #open = new Set<DocumentId>()
  #alone: { readonly id: DocumentId; turns: number; millis: number } | undefined

  started(id: DocumentId): void {
    // What has not been heard to end was missed, or there are too many to tell anything.
    if (this.#open.size >= mostOpen) this.#open.clear()
    this.#alone = this.#open.size === 0 ? { id, turns: 0, millis: 0 } : undefined
    this.#open.add(id)
  }

  used(millis: number): void {
    if (this.#alone === undefined) return
    this.#alone.turns++
    this.#alone.millis += millis
  }

  /** What opening it took, if that is known: the one turn of the one document that its tenant had open. */
  opened(id: DocumentId): number | undefined {
    const alone = this.#alone
    this.#alone = undefined
    return alone?.id === id && alone.turns === 1 ? alone.millis : undefined
  }

  stopped(id: DocumentId): void {
    this.#open.delete(id)
  }
}

interface Tenant {
  readonly evidence: Evidence
  readonly openings: Openings
}

/** What the documents of each tenant cost, from what they cost lately. The tenants heard of last are remembered. */
export class CostLedger {
  readonly #overall = new Evidence()
  readonly #tenants = new Map<TenantId, Tenant>()
  #millis = 0

  get tenants(): number {
    return this.#tenants.size
  }

  used(tenant: TenantId, millis: number): void {
    const { evidence, openings } = this.#of(tenant)
    this.#millis += millis
    this.#overall.used(millis)
    evidence.used(millis)
    openings.used(millis)
  }

  heard(event: IngestEvent): void {
    const { evidence, openings } = this.#of(event.tenantId)
    switch (event._tag) {
      case "DocumentStarted":
        return openings.started(event.documentId)
      case "DocumentOpened": {
        const opening = openings.opened(event.documentId)
        for (const one of [this.#overall, evidence]) {
          one.opened(event.pages)
          if (opening !== undefined) one.opening(opening)
        }
        return
      }
      case "PageDone":
        this.#overall.read()
        return evidence.read()
      case "DocumentRequeued":
        return openings.stopped(event.documentId)
      case "DocumentEnded":
        openings.stopped(event.documentId)
        return evidence.ended(this.costs(event.tenantId))
    }
  }

  costs(tenant: TenantId): Costs {
    const overall = this.#overall.costs(guess)
    const prior = {
      ...overall,
      error: Math.max(overall.error, errorOfOthers),
      sizeError: guess.sizeError,
      warming: guess.warming * Math.exp(-this.#millis / warmingMillis)
    }
    return this.#tenants.get(tenant)?.evidence.costs(prior) ?? prior
  }

  #of(tenant: TenantId): Tenant {
    const known = this.#tenants.get(tenant) ?? { evidence: new Evidence(), openings: new Openings() }
    this.#tenants.delete(tenant)
    this.#tenants.set(tenant, known)
    const oldest = this.#tenants.size > mostTenants ? this.#tenants.keys().next().value : undefined
    if (oldest !== undefined) this.#tenants.delete(oldest)
    return known
  }
}

/** Measures what documents cost: worker time from the turns that end, pages from the events. */
export class CostModel extends Context.Service<CostModel, { readonly of: (tenant: TenantId) => Costs }>()(
  "sluice/actors/estimates/CostModel"
) {
  static readonly layer = Layer.effect(
    CostModel,
    Effect.gen(function* () {
      const shares = yield* FairShares
      const events = yield* Events
      const ledger = new CostLedger()
      shares.onUse((tenant, millis) => ledger.used(tenant, millis))
      yield* events.listen((event) => ledger.heard(event))
      return CostModel.of({ of: (tenant) => ledger.costs(tenant) })
    })
  )
}
