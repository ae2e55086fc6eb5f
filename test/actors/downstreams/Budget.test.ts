import { assert, describe, it } from "@effect/vitest"
import { Budget } from "../../../src/actors/downstreams/Budget.ts"

const day = 86_400_000

describe("A budget of a day", () => {
  it("counts what was used in it before this process began", () => {
    const budget = new Budget({ limit: 100, per: day })
    budget.read(40, 0, 1_000)
    assert.strictEqual(budget.left(2_000), 60)
    assert.strictEqual(budget.left(day), 100)
  })

  it("does not count what was used yesterday, nor lose what was charged, when midnight comes while that is read", () => {
    const budget = new Budget({ limit: 100, per: day })
    budget.charge(10, day + 1)
    budget.read(90, 0, day + 2)
    assert.isTrue(budget.isRead)
    assert.strictEqual(budget.left(day + 3), 90)
  })
})
