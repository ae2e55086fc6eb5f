import { assert, describe, it } from "@effect/vitest"
import { AdaptiveLimit } from "../../src/actors/AdaptiveLimit.ts"

const bounds = { least: 1, most: 8 }

/** Observes so many ends, each with the limit in use unless it is said how much is under way. */
const observe = (limit: AdaptiveLimit, count: number, slowness: number, underWay?: number) => {
  for (let n = 0; n < count; n++) limit.observe(slowness, underWay ?? limit.limit)
}

/** One that knows what is usual, and has come down to the least because everything then was slow. */
const slowedDown = () => {
  const limit = new AdaptiveLimit(bounds)
  observe(limit, 300, 1)
  observe(limit, 40, 8)
  return limit
}

describe("the adaptive limit", () => {
  it("begins with the most", () => {
    assert.strictEqual(new AdaptiveLimit(bounds).limit, 8)
  })

  it("stays there while work takes as long as ever, give or take", () => {
    const limit = new AdaptiveLimit(bounds)
    for (let n = 0; n < 1000; n++) {
      limit.observe(n % 3 === 0 ? 1.3 : 0.9, limit.limit)
      assert.strictEqual(limit.limit, 8)
    }
  })

  it("falls when work takes longer", () => {
    const limit = new AdaptiveLimit(bounds)
    observe(limit, 300, 1)
    observe(limit, 10, 8)
    assert.isBelow(limit.limit, 8)
    observe(limit, 30, 8)
    assert.strictEqual(limit.limit, 1)
  })

  it("rises again when a spike is over and the limit is in use", () => {
    const limit = slowedDown()
    assert.strictEqual(limit.limit, 1)
    observe(limit, 60, 1)
    assert.isAbove(limit.limit, 2)
    observe(limit, 100, 1)
    assert.strictEqual(limit.limit, 8)
  })

  it("takes what stays slow for usual in the end", () => {
    const limit = slowedDown()
    observe(limit, 1500, 8)
    assert.strictEqual(limit.limit, 8)
  })

  it("does not move while the limit is not in use", () => {
    const fallen = slowedDown()
    observe(fallen, 500, 1, 0)
    assert.strictEqual(fallen.limit, 1)
    const full = new AdaptiveLimit(bounds)
    observe(full, 300, 1)
    observe(full, 100, 8, 7)
    assert.strictEqual(full.limit, 8)
  })

  it("never leaves its bounds, whatever it is told", () => {
    for (const bounded of [
      { least: 1, most: 1 },
      { least: 2, most: 5 }
    ]) {
      const limit = new AdaptiveLimit(bounded)
      const values = [1, 1e9, 0.001, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e9, 1e9, 1e-9, 3]
      for (let n = 0; n < 5000; n++) {
        limit.observe(values[(n * 7 + Math.floor(n / 13)) % values.length] ?? 1, limit.limit + (n % 2))
        assert.isAtLeast(limit.limit, bounded.least)
        assert.isAtMost(limit.limit, bounded.most)
      }
    }
  })
})
