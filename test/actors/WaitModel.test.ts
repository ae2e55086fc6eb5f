import { assert, describe, it } from "@effect/vitest"
import { amountUntilEnd, finish, type Question } from "../../src/actors/WaitModel.ts"

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

const question: Question = {
  capacity: 2,
  weight: 1,
  amount: { low: 1_000, high: 1_000, variance: 0 },
  lanes: 2,
  own: { millis: 100, lanes: 2 },
  rivals: []
}
const doubt = 0.15

describe("the end of a document", () => {
  it("is when the tenant has done its part with all workers, if it is alone", () => {
    const { high, low } = finish(question)
    assert.closeTo(low, 500 * (1 - doubt), 1e-9)
    assert.closeTo(high, 500 * (1 + doubt) + 500, 1e-9)
  })

  it("lies between what rivals have now and what they may have", () => {
    const rivals = [{ millis: 200, variance: 0, weight: 1, behind: 0 }]
    const { high, low } = finish({ ...question, rivals })
    assert.closeTo(low, 600 * (1 - doubt), 1e-9)
    assert.closeTo(high, 1_000 * (1 + doubt) + 500, 1e-9)
  })

  it("comes later behind heavier rivals, and those who have had less", () => {
    const rival = { millis: 1e9, variance: 0, weight: 3, behind: 0 }
    assert.closeTo(finish({ ...question, rivals: [rival] }).low, 2_000 * (1 - doubt), 1e-9)
    assert.closeTo(finish({ ...question, rivals: [{ ...rival, behind: 500 }] }).low, 2_750 * (1 - doubt), 1e-9)
    assert.closeTo(finish({ ...question, rivals: [{ ...rival, behind: -500 }] }).low, 1_250 * (1 - doubt), 1e-9)
  })

  it("is not before the document's own work is done by the workers it can use", () => {
    const { low } = finish({ ...question, own: { millis: 1_000, lanes: 1 } })
    assert.closeTo(low, 1_000 * (1 - doubt), 1e-9)
  })

  it("is less certain the more documents differ", () => {
    const sure = finish(question)
    const unsure = finish({ ...question, amount: { ...question.amount, variance: 200 ** 2 } })
    assert.isBelow(unsure.low, sure.low)
    assert.isAbove(unsure.high, sure.high)
  })
})
