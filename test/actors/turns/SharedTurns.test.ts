import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { FairShares } from "../../../src/actors/scheduling/FairShares.ts"
import { PageScheduler } from "../../../src/actors/scheduling/PageScheduler.ts"
import { OpenPlaces } from "../../../src/actors/turns/OpenPlaces.ts"
import * as SharedTurns from "../../../src/actors/turns/SharedTurns.ts"
import { Turns, TurnsUnavailable } from "../../../src/actors/turns/Turns.ts"
import { makeTurnsActor, type TurnsActor } from "../../../src/actors/turns/TurnsActor.ts"
import { TenantId } from "../../../src/domain/Ids.ts"
import { PdfEngine } from "../../../src/services/PdfEngine.ts"
import { CurrentPool, PoolName } from "../../../src/services/pools/Pools.ts"

const never: Pick<PdfEngine["Service"], "open" | "read" | "close" | "status"> = {
  open: () => Effect.never,
  read: () => {
    throw new Error("nothing is read here")
  },
  close: () => Effect.void,
  status: Effect.succeed({ workers: [], replaced: 0 })
}

/** Runners over one actor that gives turns, and what goes wrong on the way to it. */
const makeCluster = Effect.gen(function* () {
  const scope = yield* Effect.scope
  const rebuilt = Effect.gen(function* () {
    const own = yield* Scope.fork(scope)
    const actor = yield* Effect.provideService(makeTurnsActor(), Scope.Scope, own)
    return { actor, own }
  })
  let current: { readonly actor: TurnsActor; readonly own: Scope.Closeable } | undefined = yield* rebuilt
  const faults = { request: new Set<string>(), answer: new Set<string>(), repeat: new Set<string>() }
  const gone = new TurnsUnavailable({ detail: "scripted" })

  const take = (runner: PoolName): Turns["Service"]["take"] =>
    Effect.fnUntraced(function* (news) {
      const to = current
      if (to === undefined || faults.request.delete(runner)) return yield* gone
      if (faults.repeat.has(runner))
        yield* Effect.forkScoped(to.actor.take(news)).pipe(Effect.provideService(Scope.Scope, scope))
      const loses = faults.answer.delete(runner)
      const answer = yield* to.actor.take(news)
      return loses || current !== to ? yield* gone : answer
    })

  const runner = Effect.fnUntraced(function* (text: string, capacity: number) {
    const name = PoolName.make(text)
    const own = yield* Scope.fork(scope, "parallel")
    const engine = Layer.succeed(PdfEngine, { ...never, capacity, ready: () => capacity, onReady: () => Effect.void })
    const built = yield* SharedTurns.layer.pipe(
      Layer.provideMerge(Layer.mergeAll(FairShares.layer, OpenPlaces.layer)),
      Layer.provide([engine, Layer.succeed(Turns, { runner: name, take: take(name) })]),
      Layer.fresh,
      Layer.buildWithScope(own)
    )
    const scheduler = Context.get(built, PageScheduler)
    const running: Array<string | undefined> = []
    /** Work that goes on until its latch opens, and tells where it runs. */
    const work = Effect.fnUntraced(function* (tenant: string, more: { readonly isNewcomer?: boolean } = {}) {
      const done = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<string | undefined>()
      const turn = {
        tenant: TenantId.make(tenant),
        priority: 0,
        estimatedMillis: 50,
        document: { key: tenant, millisLeft: 1_000_000 },
        ...more
      }
      const reading = Effect.gen(function* () {
        const pool = yield* CurrentPool
        running.push(pool?.name)
        yield* Deferred.succeed(begun, pool?.name)
        return yield* pool === undefined
          ? Deferred.await(done)
          : Effect.raceFirst(Deferred.await(done), Deferred.await(pool.lost))
      })
      const fiber = yield* Effect.forkIn(scheduler.run(turn)(reading), scope)
      return {
        fiber,
        begun: Deferred.await(begun),
        isBegun: Deferred.isDone(begun),
        end: Deferred.succeed(done, undefined)
      }
    })
    return { work, running, stop: Scope.close(own, Exit.void), scheduler, shares: Context.get(built, FairShares) }
  })

  return {
    faults,
    runner,
    loseActor: Effect.suspend(() => {
      const lost = current
      current = undefined
      return lost === undefined ? Effect.void : Scope.close(lost.own, Exit.void)
    }),
    rebuildActor: Effect.map(rebuilt, (built) => {
      current = built
    })
  }
})

const begin = TestClock.adjust("1100 millis")
/** In small steps: what one runner says sets off what others do. */
const soon = Effect.repeat(TestClock.adjust("5 millis"), { times: 10 })

describe("turns shared by several runners", () => {
  it.effect("uses the own workers first, then those of other runners, and gives each back", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.runner("one", 1)
      yield* cluster.runner("two", 1)
      yield* begin
      const works = yield* Effect.forEach([1, 2, 3], () => one.work("a"))
      yield* soon
      assert.deepStrictEqual(one.running, [undefined, "two"])
      assert.strictEqual(one.scheduler.turns(), 3)
      yield* works[1]?.end ?? Effect.void
      yield* soon
      assert.deepStrictEqual(one.running, [undefined, "two", "two"])
    })
  )

  it.effect("holds a turn until its work has ended: pages that are still to come belong to it", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.runner("one", 0)
      yield* cluster.runner("two", 1)
      yield* begin
      const first = yield* one.work("a")
      yield* one.work("a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(one.running, ["two"])
      yield* first.end
      yield* soon
      assert.deepStrictEqual(one.running, ["two", "two"])
    })
  )

  it.effect("gives a turn once, although what is said of it is lost on either way, or said twice", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.runner("one", 0)
      yield* cluster.runner("two", 2)
      yield* begin
      for (const fault of ["request", "answer", "repeat"] as const) {
        cluster.faults[fault].add("one")
        const works = yield* Effect.forEach([1, 2, 3, 4], () => one.work("a"))
        const before = one.running.length
        yield* TestClock.adjust("1 second")
        assert.strictEqual(one.running.length, before + 2, fault)
        for (const { end } of works) {
          yield* end
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual(one.running.length, before + 4, fault)
      }
    })
  )

  it.effect("goes on with a new actor, which gives nothing that a runner still holds", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.runner("one", 1)
      const two = yield* cluster.runner("two", 1)
      yield* begin
      const held = yield* Effect.forEach([1, 2], () => one.work("a"))
      yield* soon
      yield* cluster.loseActor
      const waiting = yield* two.work("b")
      yield* TestClock.adjust("3 seconds")
      yield* cluster.rebuildActor
      yield* TestClock.adjust("5 seconds")
      assert.isFalse(yield* waiting.isBegun)
      yield* held[0]?.end ?? Effect.void
      yield* soon
      assert.isTrue(yield* waiting.isBegun)
      assert.deepStrictEqual([one.running, two.running], [[undefined, "two"], ["one"]])
    })
  )

  it.effect("ends the turns in a pool that falls silent, within three seconds, and gives others instead", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.runner("one", 1)
      const two = yield* cluster.runner("two", 1)
      yield* begin
      const works = yield* Effect.forEach([1, 2], () => one.work("a"))
      yield* soon
      yield* two.stop
      yield* TestClock.adjust("3 seconds")
      const exit = works[1]?.fiber.pollUnsafe()
      assert.isTrue(exit !== undefined && Exit.isFailure(exit))
      assert.include(String(exit), "the page workers of two are lost")
      assert.isUndefined(works[0]?.fiber.pollUnsafe())
      assert.strictEqual(one.scheduler.turns(), 1)
    })
  )

  it.effect("forgets requests that are withdrawn before or while they are given", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.runner("one", 1)
      yield* begin
      const [first, second] = yield* Effect.forEach([1, 2], () => one.work("a"))
      yield* soon
      if (first === undefined || second === undefined) return assert.fail("no work")
      yield* Fiber.interrupt(second.fiber)
      yield* Fiber.interrupt(first.fiber)
      const third = yield* one.work("a")
      yield* Fiber.interrupt(third.fiber)
      yield* one.work("a")
      yield* soon
      assert.isAtLeast(one.running.length, 2)
      assert.isUndefined(one.running.at(-1))
    })
  )

  it.effect("knows how its tenants stand to those of other runners", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.runner("one", 1)
      const two = yield* cluster.runner("two", 1)
      yield* begin
      const hot = yield* one.work("hot")
      yield* one.work("hot")
      yield* one.work("hot")
      yield* soon
      yield* TestClock.adjust("400 millis")
      yield* hot.end
      yield* soon
      yield* two.work("other")
      yield* soon
      yield* TestClock.adjust("1 second")
      // It waits where the least served tenant waits, not where it would stand alone.
      assert.isAtLeast(two.shares.floor, 50)
      assert.strictEqual(two.shares.floor, one.shares.floor)
    })
  )

  it.effect("refuses what waits when it is closed, and offers no worker any more", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.runner("one", 1)
      const two = yield* cluster.runner("two", 0)
      yield* begin
      const first = yield* one.work("a")
      const second = yield* one.work("a")
      yield* soon
      yield* one.scheduler.close
      const third = yield* one.work("a")
      const other = yield* two.work("b")
      yield* first.end
      yield* TestClock.adjust("5 seconds")
      for (const { fiber } of [second, third]) assert.include(String(fiber.pollUnsafe()), "SchedulerClosed")
      assert.isFalse(yield* other.isBegun)
    })
  )
})
