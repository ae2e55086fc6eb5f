import { Duration } from "effect"
import { TenantId } from "../../src/domain/Ids.ts"
import { Dice } from "./Dice.ts"
import { plainDocument } from "./PlainDocument.ts"
import type { Action, Scenario, Step, TenantPlan } from "./Scenario.ts"

const span = 25_000

const planFault = (dice: Dice): Action => {
  const makers: readonly [() => Action, ...ReadonlyArray<() => Action>] = [
    () => ({ _tag: "TurnsMove", millis: dice.skewed(1, 6_000) }),
    () => ({ _tag: "TurnsMove", millis: dice.skewed(1, 1_000) }),
    () => ({ _tag: "TurnsDisturbed", share: dice.pick([0.05, 0.2, 0.5]), millis: dice.skewed(500, 8_000) }),
    () => ({ _tag: "TurnsDisturbed", share: dice.pick([0.05, 0.2]), millis: dice.skewed(500, 8_000) }),
    () => ({ _tag: "WorkerDies", memory: false }),
    () => ({ _tag: "StoreDown", operation: "all", millis: dice.skewed(50, 5_000) }),
    () => ({ _tag: "LeaseLoss", renewMillis: dice.int(11_000, 15_000), writeMillis: dice.int(4_000, 8_000) }),
    () => ({ _tag: "Restart" }),
    () => ({ _tag: "Kill" })
  ]
  return dice.pick(makers)()
}

/**
 * Runners that share the turns of their workers, for documents of which many go to the workers of both. What gives the turns
 * moves, what is said to it and by it is lost, repeated and late, and runners die and come back.
 */
export const planRunners = (seed: string): Scenario => {
  const dice = new Dice(`runners ${seed}`)
  const tenants: ReadonlyArray<TenantPlan> = Array.from({ length: dice.int(1, 4) }, (_, index) => ({
    id: TenantId.make(`tenant-${index}`),
    weight: dice.pick([1, 1, 2, 4]),
    documents: dice.int(1, 3),
    backlog: 1000
  }))
  const documents = Array.from({ length: dice.int(6, 24) }, (_, index) => {
    const tenant = tenants[dice.int(0, tenants.length - 1)]?.id ?? TenantId.make("tenant-0")
    const most = index % 3 === 0 ? 120 : dice.pick([20, 80])
    const costs = new Dice(`runners ${seed} ${index}`)
    // Every third is worth the workers of several runners.
    const pages = index % 3 === 0 ? dice.int(100, 300) : dice.skewed(1, 40)
    const pageCosts = Array.from({ length: pages }, () => costs.skewed(2, most))
    return { ...plainDocument(index, tenant), pages, pageMillis: (page: number) => pageCosts[page - 1] ?? 1 }
  })
  const rivals = [0, 12_000, 20_000].map((at): Step => {
    return { at, action: { _tag: "Rival", millis: dice.int(4_000, 11_000), killed: dice.chance(0.6) } }
  })
  const faults = Array.from({ length: dice.int(0, 8) }, (): Step => ({
    at: dice.int(500, span),
    action: planFault(dice)
  }))
  return {
    seed,
    clustered: true,
    capacity: dice.pick([1, 2, 4]),
    limits: {
      globalDocuments: dice.pick([2, 4, 8]),
      documentPages: dice.pick([4, 8, 16]),
      pageTimeout: Duration.seconds(5)
    },
    tenants,
    documents,
    steps: [
      ...rivals,
      ...documents.map((document): Step => ({ at: dice.int(0, span), action: { _tag: "Submit", document } })),
      ...faults
    ].toSorted((a, b) => a.at - b.at),
    shares: false,
    hasty: false,
    hoursLater: false
  }
}
