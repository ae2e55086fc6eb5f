import { assert, describe, it } from "@effect/vitest"
import { FairQueue, type Turn } from "../../src/actors/FairQueue.ts"
import { TenantId } from "../../src/domain/Ids.ts"

const turn = (tenant: string, options: Partial<Omit<Turn, "tenant">> = {}): Turn => ({
  tenant: TenantId.make(tenant),
  weight: 1,
  priority: 5,
  estimatedMillis: 10,
  ...options
})

/** Gives turns for as long as anyone waits; every turn takes what `cost` says. */
const serve = (queue: FairQueue<string>, turns: number, cost: (turn: Turn) => number) => {
  const used = new Map<string, number>()
  for (let served = 0; served < turns; served++) {
    const next = queue.take()
    if (next === undefined) break
    const millis = cost(next.turn)
    queue.settle(next.turn, millis)
    used.set(next.turn.tenant, (used.get(next.turn.tenant) ?? 0) + millis)
    queue.add(next.turn, next.item)
  }
  return used
}

describe("FairQueue", () => {
  it("shares time by weight, whatever the turns cost", () => {
    const queue = new FairQueue<string>()
    queue.add(turn("a", { weight: 1 }), "a")
    queue.add(turn("b", { weight: 2 }), "b")
    queue.add(turn("c", { weight: 4 }), "c")
    const cost: Record<string, number> = { a: 50, b: 5, c: 17 }
    const used = serve(queue, 20_000, ({ tenant }) => cost[tenant] ?? 0)
    const total = [...used.values()].reduce((sum, millis) => sum + millis, 0)
    assert.closeTo((used.get("a") ?? 0) / total, 1 / 7, 0.01)
    assert.closeTo((used.get("b") ?? 0) / total, 2 / 7, 0.01)
    assert.closeTo((used.get("c") ?? 0) / total, 4 / 7, 0.01)
  })

  it("gives a newcomer its turn next, however deep the backlog of another is", () => {
    const queue = new FairQueue<string>()
    for (let i = 0; i < 10_000; i++) queue.add(turn("busy"), `busy ${i}`)
    for (let i = 0; i < 100; i++) {
      const next = queue.take()
      if (next) queue.settle(next.turn, 60)
    }
    queue.add(turn("quiet"), "quiet")
    const firstTwo = [queue.take()?.item, queue.take()?.item]
    assert.include(firstTwo, "quiet")
  })

  it("earns a tenant nothing to have been idle", () => {
    const queue = new FairQueue<string>()
    queue.add(turn("early"), "early")
    serve(queue, 1000, () => 10)
    queue.add(turn("late"), "late")
    const used = serve(queue, 1000, () => 10)
    assert.closeTo((used.get("late") ?? 0) / 10_000, 0.5, 0.02)
  })

  it("forgives no debt to a tenant that leaves and comes back", () => {
    const queue = new FairQueue<string>()
    queue.add(turn("steady"), "steady")
    queue.add(turn("greedy"), "greedy")
    const used = { steady: 0, greedy: 0 }
    for (let i = 0; i < 1000; i++) {
      const next = queue.take()
      if (next === undefined) break
      const greedy = next.item === "greedy"
      const millis = greedy ? 500 : 10
      used[greedy ? "greedy" : "steady"] += millis
      queue.settle(next.turn, millis)
      queue.add(next.turn, next.item)
    }
    assert.isBelow(Math.abs(used.greedy - used.steady), 1000)
  })

  it("orders one tenant's turns by priority, then by age", () => {
    const queue = new FairQueue<string>()
    queue.add(turn("a"), "first")
    queue.add(turn("a", { priority: 9 }), "urgent")
    queue.add(turn("a"), "second")
    assert.deepStrictEqual([queue.take()?.item, queue.take()?.item, queue.take()?.item], ["urgent", "first", "second"])
  })

  it("skips a turn that was withdrawn", () => {
    const queue = new FairQueue<string>()
    const withdraw = queue.add(turn("a"), "gone")
    queue.add(turn("b"), "kept")
    withdraw()
    assert.strictEqual(queue.take()?.item, "kept")
    assert.isUndefined(queue.take())
  })

  it("forgets tenants that owe nothing", () => {
    const queue = new FairQueue<string>()
    for (let i = 0; i < 20_000; i++) {
      queue.add(turn(`tenant-${i}`), "once")
      const next = queue.take()
      if (next) queue.settle(next.turn, 10)
    }
    assert.isBelow(queue.accounts, 5000)
  })
})
