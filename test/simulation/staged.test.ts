import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type PlantName, plants } from "./Plants.ts"
import { simulateScenario } from "./Simulation.ts"
import { planStaged } from "./StagedScenario.ts"

const planted: ReadonlyArray<readonly [PlantName, number, ReadonlyArray<string>]> = [
  ["a store that forgets the fence when it saves artifacts", 2, ["nothing is written under an attempt that is over"]],
  ["a store whose claim forgets artifacts", 1, ["what is stored of a stage is not asked for again"]],
  [
    "a store that loses an artifact",
    1,
    ["what is told as stored of a stage is stored", "what is stored of a stage is not asked for again"]
  ]
]
/** Seeds in which a plant has to show. */
const within = 6

describe("the simulation of stages", () => {
  for (const seed of [3, 7, 9, 12, 14, 17]) {
    it.live(`finds every invariant kept in seed ${seed}`, () =>
      Effect.map(simulateScenario(planStaged(String(seed))), ({ digest, tail, violation }) =>
        assert.isUndefined(
          violation,
          `digest ${digest}: ${violation?.invariant} (${violation?.detail})\n${tail.slice(-12).join("\n")}`
        )
      )
    )
  }

  for (const [plant, from, rules] of planted) {
    it.live(`finds ${plant}`, () =>
      Effect.gen(function* () {
        let found: string | undefined
        for (let seed = from; seed < from + within && found === undefined; seed++) {
          const report = yield* simulateScenario(planStaged(String(seed)), { plant: plants[plant] })
          found = report.violation?.invariant
        }
        assert.include([...rules], found)
      })
    )
  }
})
