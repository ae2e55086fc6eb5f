import { assert, describe, it } from "@effect/vitest"
import { FairQueue } from "../../../src/actors/scheduling/FairQueue.ts"
import { Shares } from "../../../src/actors/scheduling/FairShares.ts"
import { tenant } from "../../support/engine.ts"

const [a, b] = [tenant("a"), tenant("b")]
const [leastWeight, greatestWeight] = [0.001, 1_000]

/** Milliseconds of worker time that the tenant is ahead of the floor. */
const debt = (shares: Shares, owner = a) => (shares.virtualTime(owner) - shares.floor) * shares.weight(owner)

const use = (shares: Shares, millis: number, owner = a) => {
  shares.charge(owner, millis)
  shares.settle(owner, millis, millis)
}

/** Shares whose floor is not zero, because another tenant waited and was served before. */
const sharesInUse = () => {
  const shares = new Shares()
  const queue = new FairQueue<string>(shares)
  for (let n = 0; n < 100; n++) queue.add({ tenant: b, priority: 5 }, "b")
  for (let n = 0; n < 50; n++) {
    queue.take()
    use(shares, 10, b)
  }
  assert.isAbove(shares.floor, 0)
  return { shares, queue }
}

describe("the shares", () => {
  for (const [before, after] of [
    [1, 10],
    [10, 1],
    [leastWeight, greatestWeight],
    [greatestWeight, leastWeight]
  ] as const) {
    it(`keep what a tenant owes when its weight changes from ${before} to ${after}`, () => {
      const { shares } = sharesInUse()
      shares.setWeight(a, before)
      use(shares, 700)
      assert.closeTo(debt(shares), 700, 1e-3)
      shares.setWeight(a, after)
      assert.closeTo(debt(shares), 700, 1e-3)
    })

    it(`take back what a turn was charged when the weight changes from ${before} to ${after} meanwhile`, () => {
      const { shares } = sharesInUse()
      shares.setWeight(a, before)
      use(shares, 300)
      shares.charge(a, 64)
      shares.charge(a, 20)
      shares.setWeight(a, after)
      shares.settle(a, 64, 500)
      shares.settle(a, 20, 0)
      assert.closeTo(debt(shares), 800, 1e-3)
    })
  }

  it("keep what a tenant may catch up with when its weight changes", () => {
    const { queue, shares } = sharesInUse()
    shares.opens(a, 1)
    // Others are served, while it has a document open and waits for nothing.
    for (let n = 0; n < 40; n++) {
      queue.take()
      use(shares, 10, b)
    }
    queue.add({ tenant: a, priority: 5 }, "a")
    assert.closeTo(debt(shares), -250, 1e-6)
    shares.setWeight(a, 5)
    assert.closeTo(debt(shares), -250, 1e-6)
  })

  it("order what waits already anew when a weight changes", () => {
    const { queue, shares } = sharesInUse()
    use(shares, 100)
    queue.add({ tenant: a, priority: 5 }, "a")
    assert.strictEqual(queue.next(), b)
    use(shares, 50, b)
    assert.strictEqual(queue.next(), b)
    // It is 100 ms ahead as before, but of ten times as much.
    shares.setWeight(a, 10)
    assert.strictEqual(queue.next(), a)
    shares.setWeight(a, 1)
    assert.strictEqual(queue.next(), b)
  })

  it("void all debts when nothing waits and nothing runs, those that a lower weight made larger too", () => {
    const shares = new Shares()
    use(shares, 100)
    shares.charge(b, 10)
    use(shares, 500)
    shares.setWeight(a, leastWeight)
    shares.settle(b, 10, 10)
    assert.isAtMost(debt(shares), 0)
  })

  it("hold for the least and the greatest weight", () => {
    const shares = new Shares()
    const queue = new FairQueue<string>(shares)
    const weights = { great: greatestWeight, half: greatestWeight / 2, one: 1, least: leastWeight }
    const used = new Map<string, number>()
    for (const [name, weight] of Object.entries(weights)) {
      shares.setWeight(tenant(name), weight)
      shares.opens(tenant(name), 1)
      queue.add({ tenant: tenant(name), priority: 5 }, name)
    }
    const turns = 1_600_000
    for (let turn = 0; turn < turns; turn++) {
      const name = queue.take()
      if (name === undefined) break
      shares.charge(tenant(name), 64)
      shares.settle(tenant(name), 64, 10)
      used.set(name, (used.get(name) ?? 0) + 1)
      queue.add({ tenant: tenant(name), priority: 5 }, name)
    }
    const total = greatestWeight * 1.5 + 1 + leastWeight
    assert.closeTo((used.get("great") ?? 0) / turns, greatestWeight / total, 1e-3)
    assert.closeTo((used.get("half") ?? 0) / turns, weights.half / total, 1e-3)
    assert.closeTo((used.get("one") ?? 0) / turns, 1 / total, 1e-5)
    // One turn at its start, and one in a million after that.
    assert.include([2, 3], used.get("least"))
  })
})
