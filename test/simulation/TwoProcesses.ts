import { TenantId } from "../../src/domain/Ids.ts"
import { Dice } from "./Dice.ts"
import { plainDocument } from "./PlainDocument.ts"
import type { DocumentPlan, Scenario, Step, TenantPlan } from "./Scenario.ts"

const span = 30_000

/**
 * Two processes over one store all the time. Each of some files comes again and again, just before the document that has its
 * bytes is removed, and either process may do the one or the other. Limits change through one process and count in both.
 */
export const planTwoProcesses = (seed: string): Scenario => {
  const dice = new Dice(`two processes ${seed}`)
  const tenants: ReadonlyArray<TenantPlan> = Array.from({ length: dice.int(1, 3) }, (_, index) => ({
    id: TenantId.make(`tenant-${index}`),
    weight: 1,
    documents: dice.int(2, 6),
    backlog: 1000
  }))
  const tenantOf = () => tenants[dice.int(0, tenants.length - 1)]?.id ?? TenantId.make("tenant-0")
  const slow = { before: dice.skewed(100, 1_500), after: dice.skewed(1, 200), millis: span }
  const documents: Array<DocumentPlan> = []
  const steps: Array<Step> = []
  for (let content = dice.int(4, 9); content > 0; content--) {
    // One file has the same pages whenever it comes.
    const pages = dice.skewed(1, 12)
    const millis = dice.int(5, 150)
    for (let at = dice.int(500, 4_000); at < span; at += dice.int(2_000, 6_000)) {
      const earlier = documents.length - 1
      const isFirst = documents[earlier]?.content !== content
      const document = { ...plainDocument(documents.length, tenantOf()), content, pages, pageMillis: () => millis }
      documents.push(document)
      steps.push({ at, action: { _tag: "Submit", document } })
      if (isFirst || dice.chance(0.1)) continue
      const removal = { _tag: "Remove", document: earlier, twice: false } as const
      steps.push({ at: at + dice.int(0, 2 * slow.before), action: removal })
    }
  }
  const changes = Array.from({ length: dice.int(2, 10) }, (): Step => {
    const patch = dice.chance(0.8) ? { documents: dice.int(1, 6) } : { pages: dice.int(1, 8) }
    return { at: dice.int(1_000, span), action: { _tag: "Limits", tenant: tenantOf(), patch } }
  })
  return {
    seed,
    capacity: dice.pick([2, 4, 8]),
    limits: { globalDocuments: dice.pick([4, 8, 16]) },
    tenants,
    documents,
    steps: [
      { at: 0, action: { _tag: "Rival" as const, millis: span + 10_000, killed: dice.chance(0.5) } },
      // What an upload does takes its time, so much may come between its steps.
      { at: 400, action: { _tag: "StoreSlow" as const, ...slow } },
      ...steps,
      ...changes
    ].toSorted((a, b) => a.at - b.at),
    shares: false,
    hasty: false,
    hoursLater: dice.chance(0.3)
  }
}
