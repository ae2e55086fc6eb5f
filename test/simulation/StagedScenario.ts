import { Duration } from "effect"
import { TenantId } from "../../src/domain/Ids.ts"
import { Dice } from "./Dice.ts"
import { plainDocument } from "./PlainDocument.ts"
import type { Action, Scenario, Step, TenantPlan, Trouble } from "./Scenario.ts"

const span = 40_000

/** Documents go through stages, of which a far side may be away; processes stop and die, and leases are lost meanwhile. */
export const planStaged = (seed: string): Scenario => {
  const dice = new Dice(`staged ${seed}`)
  const tenants: ReadonlyArray<TenantPlan> = Array.from({ length: dice.int(1, 4) }, (_, index) => ({
    id: TenantId.make(`tenant-${index}`),
    weight: 1,
    documents: dice.int(1, 4),
    backlog: 1000
  }))
  const tenantOf = () => tenants[dice.int(0, tenants.length - 1)]?.id ?? TenantId.make("tenant-0")
  const documents = Array.from({ length: dice.int(4, 20) }, (_, index) => {
    const pages = dice.skewed(1, 80)
    const millis = dice.int(1, 60)
    const trouble = new Map<number, Trouble>()
    const scanned = dice.pick([0, 0.1, 0.5, 1])
    for (let page = 1; page <= pages; page++) {
      if (dice.chance(scanned)) trouble.set(page, "scanned")
      else if (dice.chance(0.02)) trouble.set(page, dice.pick<Trouble>(["fails once", "fails", "kills once", "empty"]))
    }
    return { ...plainDocument(index, tenantOf()), pages, pageMillis: () => millis, trouble }
  })
  const fault = (): Action => {
    const document = dice.int(0, documents.length - 1)
    const makers: readonly [() => Action, ...ReadonlyArray<() => Action>] = [
      () => ({ _tag: "FarDown", millis: dice.skewed(500, 30_000) }),
      () => ({ _tag: "FarDown", millis: dice.skewed(500, 30_000) }),
      () => ({ _tag: "Restart" }),
      () => ({ _tag: "Kill" }),
      () => ({ _tag: "Kill" }),
      () => ({ _tag: "Retry", document }),
      () => ({ _tag: "Cancel", document, twice: false }),
      () => ({ _tag: "WorkerDies", memory: false }),
      () => ({ _tag: "StoreDown", operation: "saveArtifacts", millis: dice.skewed(1_000, 45_000) }),
      () => ({ _tag: "StoreDown", operation: "all", millis: dice.skewed(50, 40_000) }),
      () => ({ _tag: "StoreErrors", share: dice.pick([0.02, 0.1, 0.3]), millis: dice.skewed(1_000, 30_000) }),
      () => ({ _tag: "StoreSlow", before: dice.skewed(1, 2_000), after: dice.skewed(1, 2_000), millis: 20_000 }),
      () => ({ _tag: "LeaseLoss", renewMillis: dice.int(11_000, 25_000), writeMillis: dice.int(4_000, 12_000) }),
      () => ({ _tag: "LeaseLoss", renewMillis: dice.int(11_000, 25_000), writeMillis: dice.int(4_000, 12_000) }),
      () => ({ _tag: "BlobsDown", millis: dice.skewed(50, 20_000) }),
      () => ({ _tag: "Rival", millis: dice.skewed(2_000, 30_000), killed: dice.chance(0.5) })
    ]
    return dice.pick(makers)()
  }
  const steps: ReadonlyArray<Step> = [
    ...documents.map((document): Step => ({ at: dice.int(0, span / 2), action: { _tag: "Submit", document } })),
    ...Array.from({ length: dice.skewed(1, 12) }, (): Step => ({ at: dice.int(1, span), action: fault() }))
  ]
  return {
    seed,
    capacity: dice.pick([1, 2, 4]),
    // Documents that are only in their stages hold no permit, so how many run says nothing of the gate.
    limits: { globalDocuments: 64, shutdownGrace: Duration.seconds(dice.int(1, 20)) },
    tenants,
    documents,
    steps: steps.toSorted((a, b) => a.at - b.at),
    shares: false,
    staged: true,
    hasty: false,
    hoursLater: dice.chance(0.2)
  }
}
