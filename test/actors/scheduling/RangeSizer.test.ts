import { assert, describe, it } from "@effect/vitest"
import { RangeSizer } from "../../../src/actors/scheduling/RangeSizer.ts"

describe("RangeSizer", () => {
  it("leaves every lane something to do", () => {
    assert.strictEqual(new RangeSizer().size(4, 2), 2)
    assert.strictEqual(new RangeSizer().size(1, 6), 1)
  })

  it("begins with a few pages, until their time is known", () => {
    const sizer = new RangeSizer()
    assert.strictEqual(sizer.size(1000, 2), 4)
    sizer.observe(4, 20)
    assert.isAbove(sizer.size(1000, 2), 8)
  })

  it("grows ranges of quick pages and shrinks ranges of slow ones", () => {
    const quick = new RangeSizer()
    const slow = new RangeSizer()
    for (let i = 0; i < 30; i++) {
      quick.observe(10, 20)
      slow.observe(1, 500)
    }
    assert.isAtLeast(quick.size(1000, 2), 30)
    assert.strictEqual(slow.size(1000, 2), 1)
    assert.isAtLeast(slow.estimate(2), 900)
  })
})
