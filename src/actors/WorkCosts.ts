import { Context, Effect, Layer, Stream } from "effect"
import type { IngestEvent } from "../domain/Event.ts"
import type { TenantId } from "../domain/Ids.ts"
import { Events } from "../services/Events.ts"
import { FairShares } from "./FairShares.ts"

/** What one document of a tenant costs, as far as is known. */
export interface Costs {
  /** Worker time of a page, with its part of opening the file. */
  readonly millisPerPage: number
  readonly pagesPerDocument: number
  /** Standard deviation of the pages of a document, over their mean. */
  readonly spread: number
}

/** Before anything was measured. */
const guess: Costs = { millisPerPage: 15, pagesPerDocument: 8, spread: 1 }
/** How many pages it takes to be believed as much as what is known of all tenants. */
const doubtedPages = 2
/** Fewer documents say nothing of how much they differ. */
const fewDocuments = 4
/** Beyond this much evidence the older half is forgotten. */
const mostMillis = 60_000
const mostDocuments = 64
const mostTenants = 10_000

class Evidence {
  #millis = 0
  #pages = 0
  #documents = 0
  #sum = 0
  #squares = 0

  used(millis: number): void {
    this.#millis += millis
    if (this.#millis <= mostMillis) return
    this.#millis /= 2
    this.#pages /= 2
  }

  read(): void {
    this.#pages++
  }

  opened(pages: number): void {
    this.#documents++
    this.#sum += pages
    this.#squares += pages * pages
    if (this.#documents <= mostDocuments) return
    this.#documents /= 2
    this.#sum /= 2
    this.#squares /= 2
  }

  costs(prior: Costs): Costs {
    const known = this.#documents > 0
    // Tenants differ too much for the mean of all to say anything beside one's own.
    const pagesPerDocument = known ? this.#sum / this.#documents : prior.pagesPerDocument
    const variance = known ? Math.max(0, this.#squares / this.#documents - pagesPerDocument ** 2) : 0
    const spread = known ? Math.sqrt(variance) / Math.max(1, pagesPerDocument) : prior.spread
    return {
      // Time without a page yet is the beginning of something, and tells nothing of pages.
      millisPerPage:
        this.#pages === 0
          ? prior.millisPerPage
          : (this.#millis + doubtedPages * prior.millisPerPage) / (this.#pages + doubtedPages),
      pagesPerDocument,
      spread: this.#documents < fewDocuments ? Math.max(spread, prior.spread) : spread
    }
  }
}

/** What the documents of each tenant cost, from what they cost lately. The tenants heard of last are remembered. */
export class CostLedger {
  readonly #overall = new Evidence()
  readonly #tenants = new Map<TenantId, Evidence>()

  get tenants(): number {
    return this.#tenants.size
  }

  used(tenant: TenantId, millis: number): void {
    this.#overall.used(millis)
    this.#of(tenant).used(millis)
  }

  heard(event: IngestEvent): void {
    if (event._tag === "PageDone") {
      this.#overall.read()
      this.#of(event.tenantId).read()
    } else if (event._tag === "DocumentOpened") {
      this.#overall.opened(event.pages)
      this.#of(event.tenantId).opened(event.pages)
    }
  }

  costs(tenant: TenantId): Costs {
    const overall = this.#overall.costs(guess)
    return this.#tenants.get(tenant)?.costs(overall) ?? overall
  }

  #of(tenant: TenantId): Evidence {
    const known = this.#tenants.get(tenant) ?? new Evidence()
    this.#tenants.delete(tenant)
    this.#tenants.set(tenant, known)
    const oldest = this.#tenants.size > mostTenants ? this.#tenants.keys().next().value : undefined
    if (oldest !== undefined) this.#tenants.delete(oldest)
    return known
  }
}

/** Measures what documents cost: worker time from the turns that end, pages from the events. */
export class WorkCosts extends Context.Service<WorkCosts, { readonly of: (tenant: TenantId) => Costs }>()(
  "sluice/actors/WorkCosts"
) {
  static readonly layer = Layer.effect(
    WorkCosts,
    Effect.gen(function* () {
      const shares = yield* FairShares
      const events = yield* Events
      const ledger = new CostLedger()
      shares.onUse((tenant, millis) => ledger.used(tenant, millis))
      const news = yield* events.subscribe
      yield* Effect.forkScoped(Stream.runForEach(news, (event) => Effect.sync(() => ledger.heard(event))))
      return WorkCosts.of({ of: (tenant) => ledger.costs(tenant) })
    })
  )
}
