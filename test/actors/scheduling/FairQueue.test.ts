import { assert, describe, it } from "@effect/vitest"
import { FairQueue, takeFirst } from "../../../src/actors/scheduling/FairQueue.ts"
import { Shares } from "../../../src/actors/scheduling/FairShares.ts"
import { TenantId } from "../../../src/domain/Ids.ts"

const tenant = (name: string) => TenantId.make(name)
const estimatedMillis = 10

const makeQueue = (weights: Readonly<Record<string, number>> = {}) => {
  const shares = new Shares()
  for (const [name, weight] of Object.entries(weights)) shares.setWeight(tenant(name), weight)
  const queue = new FairQueue<string>(shares)
  const add = (name: string, item = name, priority = 5) => queue.add({ tenant: tenant(name), priority }, item)
  /** Gives the next turn, which takes what `cost` says; items are named for their tenants. */
  const serveOne = (cost: (item: string) => number) => {
    const item = queue.take()
    if (item === undefined) return undefined
    const owner = tenant(item.split(" ")[0] ?? "")
    shares.charge(owner, estimatedMillis)
    shares.settle(owner, estimatedMillis, cost(item))
    return item
  }
  /** Gives turns to who always comes back for another. */
  const serve = (turns: number, cost: (item: string) => number) => {
    const used = new Map<string, number>()
    for (let served = 0; served < turns; served++) {
      const item = serveOne(cost)
      if (item === undefined) break
      used.set(item, (used.get(item) ?? 0) + cost(item))
      add(item)
    }
    return used
  }
  return { shares, queue, add, serve, serveOne }
}

const totalOf = (used: ReadonlyMap<string, number>) => [...used.values()].reduce((sum, millis) => sum + millis, 0)

describe("FairQueue", () => {
  it("shares time by weight, whatever the turns cost", () => {
    const { add, serve } = makeQueue({ b: 2, c: 4 })
    for (const name of ["a", "b", "c"]) add(name)
    const cost: Record<string, number> = { a: 50, b: 5, c: 17 }
    const used = serve(20_000, (item) => cost[item] ?? 0)
    const total = totalOf(used)
    assert.closeTo((used.get("a") ?? 0) / total, 1 / 7, 0.01)
    assert.closeTo((used.get("b") ?? 0) / total, 2 / 7, 0.01)
    assert.closeTo((used.get("c") ?? 0) / total, 4 / 7, 0.01)
  })

  it("weighs what waits already by a weight that is changed", () => {
    const { add, serve, shares } = makeQueue()
    add("a")
    add("b")
    serve(1000, () => 10)
    shares.setWeight(tenant("b"), 3)
    const used = serve(4000, () => 10)
    assert.closeTo((used.get("b") ?? 0) / totalOf(used), 0.75, 0.01)
  })

  it("gives a newcomer its turn next, however deep the backlog of another is", () => {
    const { add, queue, serveOne } = makeQueue()
    for (let i = 0; i < 10_000; i++) add("busy", `busy ${i}`)
    for (let i = 0; i < 100; i++) serveOne(() => 60)
    add("quiet")
    assert.include([queue.take(), queue.take()], "quiet")
  })

  it("gives a newcomer its turn next, however many others wait", () => {
    const { add, serve, queue } = makeQueue()
    for (let i = 0; i < 100; i++) add(`busy-${i}`)
    let turns = 0
    serve(1000, () => 60 + ((turns++ * 37) % 41))
    add("quiet")
    assert.include([queue.take(), queue.take()], "quiet")
  })

  it("lets those who go first keep a busy tenant waiting for no longer than it takes to fall behind", () => {
    const shares = new Shares()
    const [first, others] = [new FairQueue<TenantId>(shares), new FairQueue<TenantId>(shares)]
    const [busy, ...small] = Array.from({ length: 21 }, (_, n) => tenant(`tenant-${n}`))
    const comes = (owner: TenantId) =>
      (owner !== busy && shares.isWithinShare(owner) ? first : others).add({ tenant: owner, priority: 5 }, owner)
    for (const owner of [busy, ...small]) {
      if (owner === undefined) continue
      shares.opens(owner, 1)
      comes(owner)
    }
    let [sinceBusy, longest, used] = [0, 0, 0]
    for (let turns = 0; turns < 20_000; turns++) {
      const owner = takeFirst(shares, first, others)
      if (owner === undefined) break
      shares.charge(owner, 20)
      shares.settle(owner, 20, 20)
      sinceBusy = owner === busy ? 0 : sinceBusy + 20
      if (owner === busy) used += 20
      longest = Math.max(longest, sinceBusy)
      comes(owner)
    }
    // It is behind by 500 ms after 21 times as much of all.
    assert.isAtMost(longest, 21 * 500 + 500)
    assert.closeTo(used / 400_000, 1 / 21, 0.005)
  })

  it("earns a tenant nothing to have been idle", () => {
    const { add, serve } = makeQueue()
    add("early")
    serve(1000, () => 10)
    add("late")
    const used = serve(1000, () => 10)
    assert.closeTo((used.get("late") ?? 0) / 10_000, 0.5, 0.02)
  })

  it("forgives no debt to a tenant that leaves and comes back", () => {
    const { add, serve } = makeQueue()
    add("steady")
    add("greedy")
    const used = serve(1000, (item) => (item === "greedy" ? 500 : 10))
    assert.isBelow(Math.abs((used.get("greedy") ?? 0) - (used.get("steady") ?? 0)), 1000)
  })

  it("orders one tenant's items by priority, then by age", () => {
    const { add, queue } = makeQueue()
    add("a", "first")
    add("a", "urgent", 9)
    add("a", "second")
    assert.deepStrictEqual([queue.take(), queue.take(), queue.take()], ["urgent", "first", "second"])
  })

  it("skips what was withdrawn", () => {
    const { add, queue } = makeQueue()
    const withdraw = add("a", "gone")
    add("b", "kept")
    withdraw()
    withdraw()
    assert.strictEqual(queue.size, 1)
    assert.strictEqual(queue.take(), "kept")
    assert.isUndefined(queue.take())
  })

  it("shares one order with other queues over the same shares", () => {
    const { add, queue, shares } = makeQueue()
    const gate = new FairQueue<string>(shares)
    gate.add({ tenant: tenant("a"), priority: 0 }, "a")
    gate.add({ tenant: tenant("b"), priority: 0 }, "b")
    add("a")
    queue.take()
    shares.charge(tenant("a"), 10)
    shares.settle(tenant("a"), 10, 50)
    assert.deepStrictEqual([gate.take(), gate.take()], ["b", "a"])
  })

  it("forgets tenants that owe nothing", () => {
    const { add, serveOne, shares } = makeQueue()
    for (let i = 0; i < 20_000; i++) {
      add(`tenant-${i}`)
      serveOne(() => 10)
    }
    assert.isBelow(shares.accounts, 5000)
  })
})
