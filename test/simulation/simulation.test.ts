import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Dice } from "./Dice.ts"
import { type PlantName, plants } from "./Plants.ts"
import { plainDocument, type Scenario, type Trouble } from "./Scenario.ts"
import { type Report, simulate, simulateScenario } from "./Simulation.ts"
import { TenantId } from "../../src/domain/Ids.ts"

/** Seeds that once found something, or that meet every kind of fault between them. */
const seeds = [1, 2, 3, 16, 19, 25, 39, 60, 145, ...Array.from({ length: 15 }, (_, nth) => 201 + nth)]

const told = ({ digest, seed, tail, violation }: Report) =>
  `seed ${seed}, digest ${digest}: ${violation?.invariant} (${violation?.detail})\n${tail.slice(-12).join("\n")}`

/** The first seed, of those up to the limit, whose history shows the plant. */
const firstFinding = Effect.fnUntraced(function* (plant: PlantName, candidates: ReadonlyArray<number>) {
  for (const seed of candidates) {
    const { violation } = yield* simulate(seed, { plant: plants[plant] })
    if (violation !== undefined) return violation.invariant
  }
  return undefined
})

const planted: ReadonlyArray<readonly [PlantName, string]> = [
  ["a store that forgets the fence when it saves a page", "nothing is written under an attempt that is over"],
  ["a store that forgets the fence when it finishes a document", "nothing is written under an attempt that is over"],
  ["a store whose claim ignores the lease", "only a queued document is claimed"],
  ["a store that loses a page", "the first result of a page stays"],
  ["a store that never reclaims an expired lease", "every history ends"],
  ["a scheduler that leaks a turn", "no turn of a worker is lost"],
  ["a reader that skips a page", "no attempt reads a page again that came out"]
]

/** The same sixty documents, with the same troubles, under these limits. */
const sixty = (inFlight: number): Scenario => {
  const dice = new Dice("sixty")
  const tenant = TenantId.make("acme")
  const documents = Array.from({ length: 60 }, (_, index) => {
    const costs = new Dice(`sixty ${index}`)
    const pages = dice.skewed(1, 60)
    const pageCosts = Array.from({ length: pages }, () => costs.skewed(1, 100))
    const page = dice.int(1, pages)
    const kinds = ["fails", "fails once", "kills", "kills by memory", "corrupt", "empty"] as const
    const trouble = new Map<number, Trouble>([[page, dice.pick<Trouble>(kinds)]])
    return { ...plainDocument(index, tenant), pages, pageMillis: (page: number) => pageCosts[page - 1] ?? 1, trouble }
  })
  return {
    seed: "sixty",
    capacity: Math.min(inFlight, 8),
    limits: { globalDocuments: inFlight, documentPages: Math.min(inFlight, 16) },
    tenants: [{ id: tenant, weight: 1, documents: inFlight, backlog: 1000 }],
    documents,
    steps: documents.map((document) => ({ at: 0, action: { _tag: "Submit", document } })),
    shares: false,
    hasty: false
  }
}

describe("the simulation", () => {
  it.live("finds every invariant kept, seed by seed", () =>
    Effect.gen(function* () {
      for (const seed of seeds) {
        const report = yield* simulate(seed)
        assert.isUndefined(report.violation, told(report))
      }
    })
  )

  it.live("gives the same history for the same seed, and another for another", () =>
    Effect.gen(function* () {
      const first = yield* simulate(7)
      assert.strictEqual((yield* simulate(7)).digest, first.digest)
      assert.notStrictEqual((yield* simulate(8)).digest, first.digest)
    })
  )

  for (const [plant, invariant] of planted) {
    it.live(`finds ${plant}`, () =>
      Effect.gen(function* () {
        const candidates = Array.from({ length: 40 }, (_, nth) => nth + 1)
        assert.strictEqual(yield* firstFinding(plant, candidates), invariant)
      })
    )
  }

  it.live("finds a scheduler that ignores the weights", () =>
    Effect.gen(function* () {
      const found = yield* firstFinding("a scheduler that ignores the weights", [25, 50, 75])
      assert.strictEqual(found, "shares of worker time follow the weights")
    })
  )

  it.live("gets the same results with 1, 8 and 64 documents in flight", () =>
    Effect.gen(function* () {
      const results = new Set<string>()
      for (const inFlight of [1, 8, 64]) {
        const report = yield* simulateScenario(sixty(inFlight))
        assert.isUndefined(report.violation, told(report))
        results.add(report.results)
      }
      assert.strictEqual(results.size, 1)
    })
  )
})
