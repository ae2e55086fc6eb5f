import { Duration } from "effect"
import { TenantId } from "../../src/domain/Ids.ts"
import { planPatch } from "./Changes.ts"
import { Dice } from "./Dice.ts"
import { plainDocument } from "./PlainDocument.ts"
import type { Scenario, Step, TenantPlan } from "./Scenario.ts"

/** More tenants with long documents than may be open at once, short ones in between, and limits that change all the time. */
export const planContention = (seed: string): Scenario => {
  const dice = new Dice(`contention ${seed}`)
  const narrow = dice.chance(0.3)
  const ages = dice.chance(0.3)
  const even = dice.chance(0.5)
  const tenants: ReadonlyArray<TenantPlan> = Array.from({ length: dice.int(2, 5) }, (_, index) => ({
    id: TenantId.make(`tenant-${index}`),
    weight: even ? 1 : dice.pick([1, 1, 2, 4]),
    documents: dice.int(1, 6),
    backlog: narrow ? dice.int(2, 8) : 1000
  }))
  const span = 20_000
  const documents = tenants.flatMap(({ id: tenant }, nth) => {
    const short = nth > 1 && dice.chance(0.3)
    const [least, most] = dice.pick<readonly [number, number]>([
      [1, 6],
      [4, 40],
      [20, 300]
    ])
    return Array.from({ length: short ? dice.int(2, 10) : dice.int(3, 8) }, () => {
      const pages = short ? 1 : Math.min(400, Math.ceil(dice.int(1_000, 8_000) / ((least + most) / 2)))
      const costs = Array.from({ length: pages }, () => dice.skewed(least, most))
      return { tenant, pages, short, pageMillis: (page: number) => costs[page - 1] ?? 1 }
    })
  })
  const plans = documents.map(({ pageMillis, pages, tenant }, index) => ({
    ...plainDocument(index, tenant),
    pages,
    pageMillis
  }))
  const submissions = plans.map((document, index): Step => {
    const at = documents[index]?.short === true ? dice.int(0, span) : narrow ? 0 : dice.int(0, 500)
    return { at, action: { _tag: "Submit", document } }
  })
  const changes = Array.from({ length: dice.chance(0.3) ? 0 : dice.skewed(1, 20) }, (): Step => {
    const tenant = tenants[dice.int(0, tenants.length - 1)]?.id ?? TenantId.make("tenant-0")
    return { at: dice.int(1, span), action: { _tag: "Limits", tenant, patch: planPatch(dice, false, even) } }
  })
  return {
    seed,
    capacity: dice.pick([1, 2, 4]),
    limits: {
      globalDocuments: dice.pick([1, 1, 2, 8]),
      documentPages: dice.pick([2, 6, 16]),
      queueTtl: ages ? Duration.millis(dice.skewed(2_000, 20_000)) : undefined,
      retention: ages ? Duration.millis(dice.int(20_000, 100_000)) : undefined
    },
    tenants,
    documents: plans,
    steps: [...submissions, ...changes].toSorted((a, b) => a.at - b.at),
    shares: false,
    hasty: false,
    hoursLater: ages
  }
}
