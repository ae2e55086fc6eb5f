import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Dice } from "./Dice.ts"
import { type PlantName, plants } from "./Plants.ts"
import { plainDocument } from "./PlainDocument.ts"
import type { Scenario, Trouble } from "./Scenario.ts"
import { type Report, simulate, simulateScenario } from "./Simulation.ts"
import { TenantId } from "../../src/domain/Ids.ts"

/** They meet every kind of fault between them. */
const seeds = [
  2,
  6,
  7,
  8,
  12,
  16,
  18,
  19,
  22,
  25,
  31,
  33,
  34,
  43,
  56,
  118,
  145,
  ...Array.from({ length: 14 }, (_, nth) => 201 + nth)
]

const told = ({ digest, seed, tail, violation }: Report) =>
  `seed ${seed}, digest ${digest}: ${violation?.invariant} (${violation?.detail})\n${tail.slice(-12).join("\n")}`

const fence = "nothing is written under an attempt that is over"

/** Where to begin to look for what was planted, and the rules by which it may show. */
const planted: ReadonlyArray<readonly [PlantName, number, ReadonlyArray<string>]> = [
  ["a store that forgets the fence when it saves a page", 2, [fence]],
  ["a store that forgets the fence when it finishes a document", 8, [fence]],
  ["a store whose claim ignores the lease", 3, ["only a queued document is claimed"]],
  ["a store that loses a page", 1, ["the first result of a page stays", "a claim knows every finished page"]],
  [
    "a store that never reclaims an expired lease",
    2,
    [fence, "a lease that nobody works under ends", "every history ends"]
  ],
  ["a scheduler that leaks a turn", 1, ["no turn of a worker is lost", "every history ends"]],
  ["a scheduler that ignores the weights", 25, ["shares of worker time follow the weights"]],
  [
    "a reader that skips a page",
    1,
    ["no attempt reads a page again that came out", "a page gets the result it deserves"]
  ],
  ["a registry whose lowered limits on documents do not count", 112, ["no tenant runs more documents than its limit"]],
  ["a registry whose lowered limits on pages do not count", 12, ["pages in flight stay within the page gate"]],
  ["a registry whose raised limits do not count", 10, ["no document waits beside a free permit"]],
  ["a registry whose lowered backlogs do not count", 11, ["the limits of the moment count"]],
  ["a registry whose rates do not count", 16, ["nobody is let in faster than its rate"]],
  ["a store that starts what is paused", 10, ["nothing of a paused tenant starts"]],
  ["a store that accepts beyond the backlog", 212, ["nothing is accepted beyond the backlog"]],
  ["a gate that wants its permits back too early", 12, ["no document gives way without having got on"]],
  ["a gate that wants its permits back for nobody", 10, ["no document gives way to nobody"]],
  ["a gate that bears no lead", 12, ["documents change places as rarely as fairness allows"]],
  ["a store that takes nothing back", 7, ["what is taken back is gone"]],
  ["a store where nothing expires", 12, ["what has waited too long expires"]],
  ["a store where documents expire too early", 12, ["nothing expires before its time"]],
  ["a store that never removes what has ended", 12, ["what was kept for long enough is removed"]],
  ["a store that removes too early", 12, ["nothing is removed before its time"]],
  ["blobs that are never removed", 12, ["no bytes are left that nobody refers to"]],
  ["a store that forgets what was fetched", 22, ["a source is not fetched again once its bytes are there"]],
  [
    "a store without references to blobs",
    6,
    ["the bytes of a document stay as long as it does", "a document that is read has every page"]
  ],
  [
    "a registry that is never refreshed",
    6,
    [
      "all processes together run no more documents of a tenant than its limit",
      "no tenant runs more documents than its limit",
      "pages in flight stay within the page gate"
    ]
  ],
  [
    "a store that counts the documents of each process for itself",
    6,
    ["all processes together run no more documents of a tenant than its limit"]
  ],
  [
    "turns of runners without a fence",
    18,
    [
      "calls of the workers stay within their capacity",
      "runners go on while there is work",
      "no turn of a worker is lost"
    ]
  ],
  ["a turn that is given twice", 18, ["calls of the workers stay within their capacity"]],
  ["an offer that is lost", 18, ["runners go on while there is work", "no document waits beside a free permit"]],
  ["a dead runner that keeps its turns", 43, ["runners go on while there is work", "no turn of a worker is lost"]]
]
/** Seeds in which a plant has to show. */
const within = 25

const findingOf = Effect.fnUntraced(function* (plant: PlantName, from: number) {
  for (let seed = from; seed < from + within; seed++) {
    const { violation } = yield* simulate(seed, { plant: plants[plant] })
    if (violation !== undefined) return violation.invariant
  }
  return undefined
})

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
    hasty: false,
    hoursLater: false
  }
}

describe("the simulation", () => {
  for (const seed of seeds) {
    it.live(`finds every invariant kept in seed ${seed}`, () =>
      Effect.map(simulate(seed), (report) => assert.isUndefined(report.violation, told(report)))
    )
  }

  it.live("gives the same history for the same seed, and another for another", () =>
    Effect.gen(function* () {
      const first = yield* simulate(7)
      assert.strictEqual((yield* simulate(7)).digest, first.digest)
      assert.notStrictEqual((yield* simulate(8)).digest, first.digest)
    })
  )

  for (const [plant, from, rules] of planted) {
    it.live(`finds ${plant}`, () => Effect.map(findingOf(plant, from), (found) => assert.include([...rules], found)))
  }

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
