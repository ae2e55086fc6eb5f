import { Ledger } from "./Ledger.ts"
import { type Outcome, outcomeOf } from "./Outcome.ts"
import type { Recording } from "./TraceFile.ts"
import { callMillis, type Workload } from "./Workload.ts"

/** What each tenant got while it was recorded, of the documents that are replayed, to hold the replay against. */
export const measuredOf = ({ records }: Recording, { documents }: Workload): Outcome => {
  const ledger = new Ledger()
  const tenants = new Map(documents.map(({ id, tenant }) => [id, tenant]))
  const happenings: Array<readonly [at: number, happens: (now: number) => void]> = []
  for (const { at, carriedOver, id, notBefore, tenant } of documents) {
    happenings.push([carriedOver ? 0 : Math.max(at, notBefore ?? 0), (now) => ledger.arrived(id, tenant, now)])
  }
  for (const record of records) {
    if (record._tag === "Tenant") {
      const { at, limits, paused, tenant } = record
      // The first of a tenant is how it began.
      const known = ledger.accounts.has(tenant)
      if (!known) ledger.setWeight(tenant, limits.weight, 0)
      happenings.push([
        at,
        (now) => {
          ledger.setWeight(tenant, limits.weight, now)
          ledger.setPaused(tenant, paused, now)
        }
      ])
      continue
    }
    if (record._tag === "Lost") continue
    const { at, document } = record
    const tenant = tenants.get(document)
    if (tenant === undefined) continue
    if (record._tag === "Retried") happenings.push([at, (now) => ledger.arrived(document, tenant, now)])
    if (record._tag === "Ended") happenings.push([at, (now) => ledger.ended(document, now)])
    if (record._tag === "Opened" || record._tag === "Read") {
      happenings.push([Math.max(0, at - callMillis(record)), (now) => ledger.works(tenant, 1, now)])
      const pages = (record._tag === "Read" ? record.pages : (record.head ?? [])).length
      happenings.push([
        at,
        (now) => {
          ledger.works(tenant, -1, now)
          for (let page = 0; page < pages; page++) ledger.paged(document, now)
        }
      ])
    }
  }
  for (const [at, happens] of happenings.toSorted(([a], [b]) => a - b)) happens(at)
  return outcomeOf(
    ledger,
    documents.flatMap(({ endedAt, tenant }) => (endedAt === undefined ? tenant : []))
  )
}
