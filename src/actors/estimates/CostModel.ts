import { Context, Effect, Layer } from "effect"
import type { IngestEvent } from "../../domain/Event.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { Events } from "../../services/Events.ts"
import { FairShares } from "../scheduling/FairShares.ts"

/** The estimated costs of one document of a tenant. Deviations are relative: 0.5 means 50 % more or less. */
export interface Costs {
  /** Worker time to open a file, before its first page. */
  readonly openingMillis: number
  /** Worker time of a page. */
  readonly millisPerPage: number
  readonly pagesPerDocument: number
  /** Standard deviation of the pages of a document. */
  readonly spread: number
  /** Deviation of the time of a page from one document to the next. */
  readonly roughness: number
  /** Uncertainty of the mean time of a page. It is the same for all documents, so it does not even out among many. */
  readonly error: number
  /** Uncertainty of the mean number of pages. */
  readonly sizeError: number
  /** How much faster pages may be read later: workers that have read little get faster. */
  readonly warming: number
}

export interface Documents {
  /** Pages left of documents that were opened. */
  readonly pages: number
  readonly opened: number
  readonly unopened: number
}

/** An amount of worker time, and its relative uncertainty. */
export interface Work {
  readonly millis: number
  readonly error: number
}

/** The cost of these documents of one tenant. Deviations between documents even out among many; uncertainties do not. */
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

/** The costs before anything has been measured. */
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
/** The `error` for a tenant without samples of its own, to which the costs of the other tenants' documents apply. */
const errorOfOthers = 0.7
/** At this many pages a tenant's own samples weigh as much as those of all tenants. */
const priorPages = 2
/** After this many pages the uncertainty of their mean time is halved. */
const tellingPages = 6
/** The least `error`, however many pages were measured: the speed of a shared machine changes all the time. */
const leastError = 0.2
/** Worker time, of all workers together, after which most of their warming is over. */
const warmingMillis = 20_000
/** Fewer documents do not show how much documents differ. */
const fewDocuments = 4
/** The least part of the measured time that counts as reading of pages. */
const leastReading = 0.2
/** A limit on the relative deviation of one document: beyond it, the expectation itself was wrong. */
const maxDeviation = 2
/** Beyond these limits all samples are halved, so that older ones fade: workers warm up, and machines are shared. */
const mostMillis = 8_000
const mostPages = 50
const mostDocuments = 64
const mostOpenings = 32
const mostOpen = 1_000
const mostTenants = 10_000

class Samples {
  #millis = 0
  #pages = 0
  #opened = 0
  #documents = 0
  #sum = 0
  #squares = 0
  #openings = 0
  #openingMillis = 0
  #deviationCount = 0
  #squaredDeviations = 0
  /** What was measured since a document last ended. */
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

  /** Compares the worker time used since a document last ended with the expected time. */
  ended({ millisPerPage, openingMillis }: Costs): void {
    const { millis, opened, pages } = this.#latest
    Object.assign(this.#latest, { millis: 0, pages: 0, opened: 0 })
    const expected = opened * openingMillis + pages * millisPerPage
    if (expected === 0 || millis === 0) return
    this.#deviationCount++
    this.#squaredDeviations += Math.min(maxDeviation, Math.abs(millis / expected - 1)) ** 2
    if (this.#deviationCount <= mostDocuments) return
    this.#deviationCount /= 2
    this.#squaredDeviations /= 2
  }

  costs(prior: Costs): Costs {
    const known = this.#documents > 0
    // Tenants differ too much: beside a tenant's own mean, the mean of all tenants says nothing.
    const pagesPerDocument = known ? this.#sum / this.#documents : prior.pagesPerDocument
    const variance = known ? Math.max(0, this.#squares / this.#documents - pagesPerDocument ** 2) : 0
    const measured = known ? Math.sqrt(variance) / Math.max(1, pagesPerDocument) : prior.spread
    const spread = this.#documents < fewDocuments ? Math.max(measured, prior.spread) : measured
    const opening = (this.#openingMillis + prior.openingMillis) / (this.#openings + 1)
    const openings = Math.min(this.#opened * opening, (1 - leastReading) * this.#millis)
    const openingMillis = openings === 0 ? opening : openings / this.#opened
    return {
      openingMillis,
      // Worker time that has brought no page yet does not show the time of a page.
      millisPerPage:
        this.#pages === 0
          ? prior.millisPerPage
          : (this.#millis - openings + priorPages * prior.millisPerPage) / (this.#pages + priorPages),
      pagesPerDocument,
      spread,
      roughness: Math.sqrt(
        (this.#squaredDeviations + fewDocuments * prior.roughness ** 2) / (this.#deviationCount + fewDocuments)
      ),
      error: Math.max(leastError, prior.error / Math.sqrt(1 + (3 * this.#pages) / tellingPages)),
      sizeError: known ? spread / Math.sqrt(this.#documents) : Math.max(prior.sizeError, prior.spread),
      warming: prior.warming
    }
  }
}

/** The open documents of one tenant, and the one whose opening can be told from other work, if there is one. */
class Openings {
  readonly #open = new Set<DocumentId>()
  #alone: { readonly id: DocumentId; turns: number; millis: number } | undefined

  started(id: DocumentId): void {
    // Either the ends of some documents were missed, or there are too many to measure an opening.
    if (this.#open.size >= mostOpen) this.#open.clear()
    this.#alone = this.#open.size === 0 ? { id, turns: 0, millis: 0 } : undefined
    this.#open.add(id)
  }

  used(millis: number): void {
    if (this.#alone === undefined) return
    this.#alone.turns++
    this.#alone.millis += millis
  }

  /** The worker time of the opening, if it is known: the only turn of the only document that the tenant had open. */
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
  readonly samples: Samples
  readonly openings: Openings
}

/** The recent costs of documents, per tenant. A bounded number of tenants is kept: those measured last. */
export class CostLedger {
  readonly #overall = new Samples()
  readonly #tenants = new Map<TenantId, Tenant>()
  #millis = 0

  get tenants(): number {
    return this.#tenants.size
  }

  used(tenant: TenantId, millis: number): void {
    const { samples, openings } = this.#of(tenant)
    this.#millis += millis
    this.#overall.used(millis)
    samples.used(millis)
    openings.used(millis)
  }

  heard(event: IngestEvent): void {
    const { samples, openings } = this.#of(event.tenantId)
    switch (event._tag) {
      case "DocumentStarted":
        return openings.started(event.documentId)
      case "DocumentOpened": {
        const opening = openings.opened(event.documentId)
        for (const one of [this.#overall, samples]) {
          one.opened(event.pages)
          if (opening !== undefined) one.opening(opening)
        }
        return
      }
      case "PageDone":
        this.#overall.read()
        return samples.read()
      case "DocumentRequeued":
        return openings.stopped(event.documentId)
      case "DocumentEnded":
        openings.stopped(event.documentId)
        return samples.ended(this.costs(event.tenantId))
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
    return this.#tenants.get(tenant)?.samples.costs(prior) ?? prior
  }

  #of(tenant: TenantId): Tenant {
    const known = this.#tenants.get(tenant) ?? { samples: new Samples(), openings: new Openings() }
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
