import { Duration } from "effect"
import { TenantId } from "../../src/domain/Ids.ts"
import type { TenantLimitsPatch } from "../../src/domain/tenant/TenantLimits.ts"
import type { EngineLimits } from "../../src/services/config/EngineConfig.ts"
import { planChanges } from "./Changes.ts"
import { planContention } from "./Contention.ts"
import { Dice } from "./Dice.ts"
import { plainDocument } from "./PlainDocument.ts"
import { planRunners } from "./Runners.ts"
import { planStaged } from "./StagedScenario.ts"
import { planTwoProcesses } from "./TwoProcesses.ts"

/** What one seed stands for: tenants, documents, and everything that goes wrong. Times are milliseconds from the start. */
export interface Scenario {
  readonly seed: string
  readonly limits: Partial<EngineLimits>
  readonly capacity: number
  readonly tenants: ReadonlyArray<TenantPlan>
  readonly documents: ReadonlyArray<DocumentPlan>
  readonly steps: ReadonlyArray<Step>
  /** When set, tenants are backlogged all the time and their shares of worker time are compared with their weights. */
  readonly shares: boolean
  /** The processes are runners of one cluster: they share the turns of all their workers. */
  readonly clustered?: boolean
  /** All documents go through stages. */
  readonly staged?: boolean
  /** Documents have so little time that big ones run out of it. */
  readonly hasty: boolean
  /** After everything has ended hours pass, and nothing may be left that nobody needs. */
  readonly hoursLater: boolean
}

export interface TenantPlan {
  readonly id: TenantId
  readonly weight: number
  readonly documents: number
  readonly backlog: number
}

export type Opening = "opens" | "dies once" | "dies" | "dies of memory" | "hangs" | "unreadable" | "encrypted"

/** A page that is not simply `fine`. */
export type Trouble =
  | "scanned"
  | "empty"
  | "fails once"
  | "fails twice"
  | "fails"
  | "corrupt"
  | "kills once"
  | "kills"
  | "kills by memory"
  | "hangs once"
  | "hangs"

export interface SourcePlan {
  readonly answer: "comes" | "fails once" | "fails" | "is gone" | "is refused" | "is no PDF"
  /** Until it answers. */
  readonly millis: number
}

export interface DocumentPlan {
  readonly index: number
  /** Documents of the same content share their bytes, and therefore their blob. */
  readonly content: number
  readonly tenant: TenantId
  readonly name: string
  readonly priority: number | undefined
  readonly notBefore: number | undefined
  readonly opening: Opening
  readonly openMillis: number
  readonly pages: number
  readonly pageMillis: (page: number) => number
  readonly trouble: ReadonlyMap<number, Trouble>
  readonly followed: boolean
  /** No earlier document of the same bytes may stand in for it. */
  readonly force: boolean
  /** It is not uploaded but fetched. */
  readonly source: SourcePlan | undefined
}

export const storeOperations = ["all", "claim", "renew", "savePages", "finish", "release", "opened", "accept"] as const
export type StoreOperation = (typeof storeOperations)[number] | "saveArtifacts"

export type Action =
  | { readonly _tag: "Submit"; readonly document: DocumentPlan }
  | { readonly _tag: "Cancel" | "Remove"; readonly document: number; readonly twice: boolean }
  | { readonly _tag: "Retry" | "Withdraw"; readonly document: number }
  | { readonly _tag: "Limits"; readonly tenant: TenantId; readonly patch: TenantLimitsPatch }
  | { readonly _tag: "Pause"; readonly tenant: TenantId; readonly millis: number }
  | { readonly _tag: "WorkerDies"; readonly memory: boolean }
  | { readonly _tag: "WorkerHangs" }
  | { readonly _tag: "EngineDown"; readonly millis: number }
  | { readonly _tag: "StoreDown"; readonly operation: StoreOperation; readonly millis: number }
  /** Leases run out under their runners, who come too late with what they have read. */
  | { readonly _tag: "LeaseLoss"; readonly renewMillis: number; readonly writeMillis: number }
  | { readonly _tag: "StoreErrors"; readonly share: number; readonly millis: number }
  | { readonly _tag: "StoreSlow"; readonly before: number; readonly after: number; readonly millis: number }
  | { readonly _tag: "BlobsDown" | "FarDown"; readonly millis: number }
  | { readonly _tag: "TenantCrash"; readonly tenant: TenantId }
  | { readonly _tag: "Restart" | "Kill" }
  /** What gives turns of all runners is lost; another begins after a while. */
  | { readonly _tag: "TurnsMove"; readonly millis: number }
  /** What runners and it say to each other is lost, repeated or late. */
  | { readonly _tag: "TurnsDisturbed"; readonly share: number; readonly millis: number }
  | { readonly _tag: "Rival"; readonly millis: number; readonly killed: boolean }

export interface Step {
  readonly at: number
  readonly action: Action
}

const troubles: readonly [Trouble, ...ReadonlyArray<Trouble>] = [
  "empty",
  "fails once",
  "fails once",
  "fails twice",
  "fails",
  "corrupt",
  "kills once",
  "kills",
  "kills by memory",
  "hangs once",
  "hangs"
]

const openings: readonly [Opening, ...ReadonlyArray<Opening>] = [
  "dies once",
  "dies",
  "dies of memory",
  "hangs",
  "unreadable",
  "encrypted"
]

const planTenants = (dice: Dice): ReadonlyArray<TenantPlan> =>
  Array.from({ length: dice.skewed(1, 20) }, (_, index) => ({
    id: TenantId.make(`tenant-${index}`),
    weight: dice.pick([1, 1, 1, 2, 4, 0.5]),
    documents: dice.int(1, 6),
    backlog: dice.chance(0.1) ? dice.int(2, 10) : 1000
  }))

const planContent = (dice: Dice, seed: string, content: number, troubled: number, longest: number) => {
  const pages = dice.skewed(1, longest)
  const [least, most] = dice.pick<readonly [number, number]>([
    [1, 4],
    [1, 30],
    [5, 200],
    [20, 1500]
  ])
  const costs = new Dice(`${seed} costs ${content}`)
  const pageCosts = Array.from({ length: pages }, () => costs.skewed(least, most))
  const trouble = new Map<number, Trouble>()
  if (dice.chance(troubled)) {
    for (let count = dice.skewed(1, Math.min(8, pages)); count > 0; count--) {
      trouble.set(dice.int(1, pages), dice.pick(troubles))
    }
  }
  const opening: Opening = dice.chance(troubled / 4) ? dice.pick(openings) : "opens"
  return {
    content,
    opening,
    openMillis: dice.skewed(1, 300),
    pages,
    pageMillis: (page: number) => pageCosts[page - 1] ?? 1,
    trouble
  }
}

const planSource = (dice: Dice): SourcePlan => ({
  answer: dice.pick(["comes", "comes", "fails once", "fails", "is gone", "is refused", "is no PDF"]),
  millis: dice.skewed(1, 20_000)
})

const planDocuments = (dice: Dice, seed: string, tenants: ReadonlyArray<TenantPlan>): ReadonlyArray<DocumentPlan> => {
  const troubled = dice.pick([0, 0.1, 0.3, 0.6])
  const longest = dice.pick([12, 40, 300])
  const busy = tenants[0]?.id
  const contents: Array<ReturnType<typeof planContent>> = []
  const sources = new Dice(`sources ${seed}`)
  const fetched = sources.pick([0, 0, 0, 0, 0.1, 0.5])
  return Array.from({ length: dice.skewed(8, longest === 300 ? 40 : 80) }, (_, index) => {
    const again = contents[dice.int(0, 9)]
    const content =
      again !== undefined && dice.chance(0.1) ? again : planContent(dice, seed, contents.length, troubled, longest)
    if (content !== again) contents.push(content)
    const own = tenants[dice.int(0, tenants.length - 1)]?.id
    return {
      ...content,
      index,
      tenant: (dice.chance(0.3) ? busy : own) ?? TenantId.make("tenant-0"),
      name: dice.chance(0.2) ? "same.pdf" : `document-${index}.pdf`,
      priority: dice.chance(0.3) ? dice.int(0, 9) : undefined,
      notBefore: dice.chance(0.1) ? dice.skewed(100, 60_000) : undefined,
      followed: dice.chance(0.1),
      force: dice.chance(0.5),
      source: sources.chance(fetched) ? planSource(sources) : undefined
    }
  })
}

const planFault = (dice: Dice, tenants: ReadonlyArray<TenantPlan>, documents: number): Action => {
  const document = dice.int(0, documents - 1)
  const tenant = tenants[dice.int(0, tenants.length - 1)]?.id ?? TenantId.make("tenant-0")
  const makers: readonly [() => Action, ...ReadonlyArray<() => Action>] = [
    () => ({ _tag: "Cancel", document, twice: dice.chance(0.3) }),
    () => ({ _tag: "Cancel", document, twice: false }),
    () => ({ _tag: "Remove", document, twice: dice.chance(0.2) }),
    () => ({ _tag: "Retry", document }),
    () => ({ _tag: "Retry", document }),
    () => ({ _tag: "Pause", tenant, millis: dice.skewed(100, 20_000) }),
    () => ({ _tag: "WorkerDies", memory: dice.chance(0.3) }),
    () => ({ _tag: "WorkerDies", memory: false }),
    () => ({ _tag: "WorkerHangs" }),
    () => ({ _tag: "EngineDown", millis: dice.skewed(50, 8_000) }),
    () => ({ _tag: "StoreDown", operation: "all", millis: dice.skewed(50, 60_000) }),
    () => ({ _tag: "StoreDown", operation: dice.pick(storeOperations), millis: dice.skewed(1_000, 45_000) }),
    () => ({ _tag: "LeaseLoss", renewMillis: dice.int(11_000, 25_000), writeMillis: dice.int(4_000, 12_000) }),
    () => ({ _tag: "LeaseLoss", renewMillis: dice.int(11_000, 25_000), writeMillis: dice.int(4_000, 12_000) }),
    () => ({ _tag: "StoreErrors", share: dice.pick([0.02, 0.1, 0.4]), millis: dice.skewed(1_000, 30_000) }),
    () => ({
      _tag: "StoreSlow",
      before: dice.skewed(1, 2_000),
      after: dice.skewed(1, 2_000),
      millis: dice.skewed(500, 20_000)
    }),
    () => ({ _tag: "BlobsDown", millis: dice.skewed(50, 20_000) }),
    () => ({ _tag: "TenantCrash", tenant }),
    () => ({ _tag: "Restart" }),
    () => ({ _tag: "Kill" }),
    () => ({ _tag: "Rival", millis: dice.skewed(500, 20_000), killed: dice.chance(0.5) })
  ]
  return dice.pick(makers)()
}

const planTrouble = (seed: string): Scenario => {
  const dice = new Dice(`scenario ${seed}`)
  const tenants = planTenants(dice)
  const documents = planDocuments(dice, seed, tenants)
  const hasty = dice.chance(0.05)
  const span = dice.skewed(500, 40_000)
  const submissions: ReadonlyArray<Step> = documents.map((document) => ({
    at: dice.chance(0.3) ? 0 : dice.int(0, span),
    action: { _tag: "Submit", document }
  }))
  const faults: ReadonlyArray<Step> = Array.from({ length: dice.chance(0.1) ? 0 : dice.skewed(1, 24) }, () => ({
    at: dice.int(1, span + 10_000),
    action: planFault(dice, tenants, documents.length)
  }))
  const ages = new Dice(`ages ${seed}`)
  const changes = planChanges(seed, tenants, documents.length, span + 10_000)
  return {
    seed,
    capacity: dice.pick([1, 2, 4, 8]),
    limits: {
      globalDocuments: dice.pick([1, 2, 4, 8, 8, 16, 64]),
      documentPages: dice.pick([1, 2, 4, 6, 6, 16]),
      queueSize: dice.chance(0.1) ? dice.int(4, 30) : 10_000,
      pageTimeout: Duration.millis(dice.skewed(4_000, 30_000)),
      documentTimeout: hasty ? Duration.seconds(20) : Duration.hours(2),
      tenantIdle: Duration.millis(dice.skewed(500, 300_000)),
      mailboxCapacity: dice.pick([2, 8, 64]),
      queueTtl: ages.chance(0.1) ? Duration.millis(ages.skewed(2_000, 60_000)) : undefined,
      retention: ages.chance(0.1) ? Duration.millis(ages.skewed(1_000, 600_000)) : undefined
    },
    tenants,
    documents,
    steps: [...submissions, ...faults, ...changes].toSorted((a, b) => a.at - b.at),
    shares: false,
    hasty,
    hoursLater: ages.chance(0.05)
  }
}

const backloggedMillis = 12_000

/** Every tenant has more work than it can ever get, from the first moment on, and nothing goes wrong. */
const planShares = (seed: string): Scenario => {
  const dice = new Dice(`shares ${seed}`)
  const capacity = dice.pick([1, 2, 4])
  const tenants: ReadonlyArray<TenantPlan> = Array.from({ length: dice.int(2, 5) }, (_, index) => ({
    id: TenantId.make(`tenant-${index}`),
    weight: dice.pick([1, 1, 2, 4]),
    documents: capacity + 2,
    backlog: 1000
  }))
  const weights = tenants.reduce((sum, { weight }) => sum + weight, 0)
  const documents: Array<DocumentPlan> = []
  for (const { id: tenant, weight } of tenants) {
    const most = dice.pick([20, 40, 80])
    const wantedMillis = (backloggedMillis * capacity * weight) / weights
    for (let millis = 0, count = 0; millis < wantedMillis || count < capacity + 5; count++) {
      const index = documents.length
      const costs = new Dice(`${seed} costs ${index}`)
      const pageCosts = Array.from({ length: dice.int(40, 80) }, () => costs.int(4, most))
      for (const cost of pageCosts) millis += cost
      documents.push({
        ...plainDocument(index, tenant),
        pages: pageCosts.length,
        pageMillis: (page) => pageCosts[page - 1] ?? 1
      })
    }
  }
  return {
    seed,
    capacity,
    limits: { globalDocuments: tenants.length * (capacity + 2), documentPages: 4 * capacity },
    tenants,
    documents,
    steps: documents.map((document) => ({ at: 0, action: { _tag: "Submit", document } })),
    shares: true,
    hasty: false,
    hoursLater: false
  }
}

export const planScenario = (seed: number): Scenario => {
  if (seed % 25 === 0) return planShares(String(seed))
  if (seed % 25 === 6) return planTwoProcesses(String(seed))
  if (seed % 25 === 14) return planStaged(String(seed))
  if (seed % 25 === 18) return planRunners(String(seed))
  return seed % 25 === 12 ? planContention(String(seed)) : planTrouble(String(seed))
}
