import { assert, describe, it } from "@effect/vitest"
import { amountUntilEnd, timeUntilEnd, type EndInput } from "../../../src/actors/estimates/WaitModel.ts"

const none = { documents: 0, millis: 0 }

describe("what a tenant has done when a document ends", () => {
  it("is the document alone when it is alone", () => {
    assert.deepStrictEqual(amountUntilEnd({ slots: 1, open: [], ahead: none, own: 100 }), { low: 100, high: 100 })
  })

  it("is everything before it when documents are read one by one", () => {
    const { high, low } = amountUntilEnd({ slots: 1, open: [50], ahead: { documents: 3, millis: 300 }, own: 100 })
    assert.deepStrictEqual([low, high], [450, 450])
  })

  it("is less of a long document beside it, as both get equal parts", () => {
    const { high, low } = amountUntilEnd({ slots: 2, open: [10_000], ahead: none, own: 100 })
    assert.deepStrictEqual([low, high], [200, 200])
  })

  it("is more when others come behind it", () => {
    const { high, low } = amountUntilEnd({ slots: 3, open: [], ahead: none, own: 100 })
    assert.deepStrictEqual([low, high], [100, 300])
  })

  it("does not depend on looking at every document of a deep backlog", () => {
    const { low } = amountUntilEnd({ slots: 2, open: [], ahead: { documents: 10_000, millis: 1_000_000 }, own: 100 })
    assert.closeTo(low, 1_000_100, 200)
  })
})

const input: EndInput = {
  capacity: 2,
  weight: 1,
  amount: { low: 1_000, high: 1_000, error: 0 },
  lanes: 2,
  own: { millis: 100, error: 0, lanes: 2 },
  competitors: [],
  warming: 0
}
const doubt = 1.15

describe("the end of a document", () => {
  it("is when the tenant has done its part with all workers, if it is alone", () => {
    const { high, low } = timeUntilEnd(input)
    assert.closeTo(low, 500 / doubt, 1e-9)
    assert.closeTo(high, 500 * doubt + 500, 1e-9)
  })

  it("lies between what competitors have now and what they may have", () => {
    const competitors = [{ millis: 200, error: 0, weight: 1, behind: 0 }]
    const { high, low } = timeUntilEnd({ ...input, competitors })
    assert.closeTo(low, 600 / doubt, 1e-9)
    assert.closeTo(high, 1_000 * doubt + 500, 1e-9)
  })

  it("comes later behind heavier competitors, and those who have had less", () => {
    const competitor = { millis: 1e9, error: 0, weight: 3, behind: 0 }
    assert.closeTo(timeUntilEnd({ ...input, competitors: [competitor] }).low, 2_000 / doubt, 1e-9)
    assert.closeTo(timeUntilEnd({ ...input, competitors: [{ ...competitor, behind: 500 }] }).low, 2_750 / doubt, 1e-9)
    assert.closeTo(timeUntilEnd({ ...input, competitors: [{ ...competitor, behind: -500 }] }).low, 1_250 / doubt, 1e-9)
  })

  it("is not before the document's own work is done by the workers it can use", () => {
    const { low } = timeUntilEnd({ ...input, own: { millis: 1_000, error: 0, lanes: 1 } })
    assert.closeTo(low, 1_000 / doubt, 1e-9)
  })

  it("is less certain the more documents differ", () => {
    const sure = timeUntilEnd(input)
    const unsure = timeUntilEnd({ ...input, amount: { ...input.amount, error: 0.2 } })
    assert.isBelow(unsure.low, sure.low)
    assert.isAbove(unsure.high, sure.high)
  })

  it("may be half as late or twice as late by the same doubt, also of a document that is alone and whose pages are known", () => {
    const amount = { low: 1_000, high: 1_000, error: 0.5 }
    const { high, low } = timeUntilEnd({ ...input, amount, own: { millis: 1_000, error: 0.5, lanes: 2 } })
    assert.closeTo(low, 250 / doubt, 1e-9)
    assert.closeTo(high, 1_000 * doubt + 500, 1e-9)
  })

  it("may come sooner, but not later, while workers get faster", () => {
    const { high, low } = timeUntilEnd({ ...input, warming: 0.85 })
    assert.closeTo(low, 250, 1e-9)
    assert.strictEqual(high, timeUntilEnd(input).high)
  })

  it("is as uncertain among competitors as alone, as each of its own milliseconds takes several", () => {
    const amount = { low: 1_000, high: 1_000, error: 0.5 }
    const competitors = [{ millis: 1e9, error: 0, weight: 3, behind: 0 }]
    const { high, low } = timeUntilEnd({ ...input, amount, competitors })
    assert.closeTo(low, 1_000 / doubt, 1e-9)
    assert.closeTo(high, 4_000 * doubt + 500, 1e-9)
  })

  it("does not depend on what the work of competitors costs as long as they get no further than their shares", () => {
    const competitor = { millis: 1e9, weight: 1, behind: 0 }
    const [sure, unsure] = [0, 2].map((error) => timeUntilEnd({ ...input, competitors: [{ ...competitor, error }] }))
    assert.deepStrictEqual(unsure, sure)
  })
})
