import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { FairShares } from "../../../src/actors/scheduling/FairShares.ts"
import { PageScheduler } from "../../../src/actors/scheduling/PageScheduler.ts"
import type { TenantId } from "../../../src/domain/Ids.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { PdfEngine } from "../../../src/services/PdfEngine.ts"
import { makeScriptedEngine, type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { tenant } from "../../support/engine.ts"

const first = tenant("first")
const second = tenant("second")

/** Page 1 is read in 20 ms, page 2 takes its worker with it after 20 ms, page 3 hangs. */
const script: ScriptedDocument = {
  ...soundDocument(3, "20 millis"),
  page: (page) =>
    page === 3
      ? { _tag: "Hang" }
      : page === 2
        ? { _tag: "Death", takes: "20 millis" }
        : { _tag: "Page", takes: "20 millis" }
}

/** Turns of an engine whose workers take five seconds to start, and what is charged for them. */
const makeTurns = (capacity: number) =>
  Effect.gen(function* () {
    const engine = makeScriptedEngine(() => script, { capacity, starting: "5 seconds" })
    const services = yield* Layer.build(
      PageScheduler.layer.pipe(
        Layer.provideMerge(Layer.merge(FairShares.layer, engine.layer)),
        Layer.provide(EngineConfig.layer())
      )
    )
    return yield* Effect.gen(function* () {
      const scheduler = yield* PageScheduler
      const shares = yield* FairShares
      const { read } = yield* PdfEngine
      const charged: Array<readonly [tenant: TenantId, millis: number, at: number]> = []
      shares.onUse((owner, millis) => charged.push([owner, millis, clock.currentTimeMillisUnsafe()]))
      const clock = yield* Clock.Clock
      const turn = (owner: TenantId, page: number) =>
        Stream.runDrain(
          read({ key: owner, location: { _tag: "Bytes", bytes: new Uint8Array() }, password: undefined }, [page], 1)
        ).pipe(
          scheduler.run({ tenant: owner, priority: 5, estimatedMillis: 10 }),
          Effect.forkChild({ startImmediately: true })
        )
      return { charged, shares, turn }
    }).pipe(Effect.provide(services))
  })

describe("a turn of a worker that is late", () => {
  it.effect("is charged from when the worker is there, and not for its start", () =>
    Effect.gen(function* () {
      const { charged, turn } = yield* makeTurns(2)
      yield* turn(first, 1)
      yield* turn(second, 1)
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(charged, [
        [first, 20, 5020],
        [second, 20, 5020]
      ])
    })
  )

  it.effect("goes to who has had the least when the worker is there, not to who came first", () =>
    Effect.gen(function* () {
      const { charged, shares, turn } = yield* makeTurns(1)
      shares.opens(second, 1)
      yield* turn(first, 1)
      shares.charge(first, 100)
      yield* turn(second, 1)
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(charged, [
        [second, 20, 5020],
        [first, 20, 5040]
      ])
    })
  )

  it.effect("is charged up to the death of its worker, and nobody for the start of the next one", () =>
    Effect.gen(function* () {
      const { charged, turn } = yield* makeTurns(1)
      const dying = yield* turn(first, 2)
      yield* turn(second, 1)
      yield* TestClock.adjust("11 seconds")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(dying)))
      assert.deepStrictEqual(charged, [
        [first, 20, 5020],
        [second, 20, 10_040]
      ])
    })
  )

  it.effect("is charged up to its interruption, and with nothing before its worker is there", () =>
    Effect.gen(function* () {
      const { charged, turn } = yield* makeTurns(1)
      const early = yield* turn(first, 1)
      const late = yield* turn(first, 3)
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.interrupt(early)
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.interrupt(late)
      yield* turn(second, 1)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(charged, [
        [first, 1000, 6000],
        [second, 20, 6020]
      ])
    })
  )
})
