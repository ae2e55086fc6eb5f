import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { FairShares } from "../../../src/actors/scheduling/FairShares.ts"
import { UsageLedger, UsageMeter } from "../../../src/actors/scheduling/UsageMeter.ts"
import { makeScriptedEngine, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { tenant } from "../../support/engine.ts"

const [gold, iron, tin] = [tenant("gold"), tenant("iron"), tenant("tin")]
const both = [
  { tenant: gold, weight: 3, waits: true },
  { tenant: iron, weight: 1, waits: true }
]

/** Seconds in which both have work and receive this much of it. */
const busy = (ledger: UsageLedger, seconds: number, goldMillis: number, ironMillis: number, from = 0) => {
  for (let second = from; second < from + seconds; second++) {
    ledger.entitle(both, 1_000, second * 1_000)
    ledger.use(gold, goldMillis, second * 1_000)
    ledger.use(iron, ironMillis, second * 1_000)
  }
}

describe("the ledger of shares", () => {
  it("tells what tenants are entitled to by weight, and what they receive", () => {
    const ledger = new UsageLedger()
    busy(ledger, 60, 600, 400)
    const share = ledger.share(gold, 59_000)
    assert.closeTo(share.entitled, 0.75, 1e-9)
    assert.closeTo(share.received1m, 0.6, 1e-9)
    assert.closeTo(share.received15m, 0.6, 1e-9)
  })

  it("is fair when all receive the same part of what they are entitled to", () => {
    const ledger = new UsageLedger()
    busy(ledger, 60, 300, 100)
    assert.closeTo(ledger.fairness(59_000), 1, 1e-9)
    busy(ledger, 60, 400, 0, 60)
    assert.closeTo(ledger.fairness(119_000), 0.5, 1e-9)
  })

  /** Two of equal weight for a minute, of whom the one is served so, and waits in so many of the seconds. */
  const fairnessWhen = (goldMillis: number, ironMillis: number, goldWaits: number) => {
    const ledger = new UsageLedger()
    for (let second = 0; second < 60; second++) {
      const active = [
        { tenant: gold, weight: 1, waits: second % 10 < goldWaits * 10 },
        { tenant: iron, weight: 1, waits: true }
      ]
      ledger.entitle(active, 1_000, second * 1_000)
      ledger.use(gold, goldMillis, second * 1_000)
      ledger.use(iron, ironMillis, second * 1_000)
    }
    return ledger.fairness(59_000)
  }

  it("holds against nobody what a tenant could not use that waited for nothing", () => {
    assert.closeTo(fairnessWhen(100, 900, 0), 1, 1e-9)
    assert.closeTo(fairnessWhen(0, 1_000, 0), 1, 1e-9)
    assert.isBelow(fairnessWhen(100, 900, 1), 0.65)
    // The more it waited, the more it could have used.
    const half = fairnessWhen(100, 900, 0.5)
    assert.isAbove(half, fairnessWhen(100, 900, 0.8))
    assert.isBelow(half, fairnessWhen(100, 900, 0.2))
  })

  it("divides what one tenant could not use between the others by weight", () => {
    const ledger = new UsageLedger()
    const active = [
      { tenant: gold, weight: 2, waits: true },
      { tenant: iron, weight: 1, waits: true },
      { tenant: tin, weight: 5, waits: false }
    ]
    for (let second = 0; second < 60; second++) {
      ledger.entitle(active, 1_000, second * 1_000)
      for (const [owner, millis] of [
        [gold, 600],
        [iron, 300],
        [tin, 100]
      ] as const) {
        ledger.use(owner, millis, second * 1_000)
      }
    }
    assert.closeTo(ledger.fairness(59_000), 1, 1e-9)
  })

  for (const [least, greatest] of [
    [0.001, 1_000],
    [Number.MIN_VALUE, 1],
    [1, Number.MAX_VALUE],
    [Number.MIN_VALUE, Number.MAX_VALUE]
  ] as const) {
    it(`is a number from 0 to 1 with weights of ${least} and ${greatest}`, () => {
      for (const [leastMillis, millis] of [
        [0, 1_000],
        [1_000, 0],
        [0, 0],
        [64, 936]
      ] as const) {
        for (const waits of [true, false]) {
          const ledger = new UsageLedger()
          for (let second = 0; second < 60; second++) {
            const active = [
              { tenant: gold, weight: greatest, waits },
              { tenant: iron, weight: greatest, waits },
              { tenant: tin, weight: least, waits: true }
            ]
            ledger.entitle(active, 1_000, second * 1_000)
            ledger.use(gold, millis / 2, second * 1_000)
            ledger.use(iron, millis / 2, second * 1_000)
            ledger.use(tin, leastMillis, second * 1_000)
          }
          const fairness = ledger.fairness(59_000)
          assert.isAtLeast(fairness, 0)
          assert.isAtMost(fairness, 1)
          // A share of less than one turn in a minute is neither kept nor exceeded.
          if (millis > 0) assert.closeTo(fairness, 1, 1e-9)
          assert.isAtMost(ledger.share(tin, 59_000).entitled, 1e-3)
          assert.closeTo(ledger.share(gold, 59_000).entitled, 0.5, 1e-3)
        }
      }
    })
  }

  it("forgets after a minute, and after a quarter of an hour", () => {
    const ledger = new UsageLedger()
    busy(ledger, 60, 1_000, 0)
    busy(ledger, 60, 0, 1_000, 60)
    assert.strictEqual(ledger.share(gold, 119_000).received1m, 0)
    assert.closeTo(ledger.share(gold, 119_000).received15m, 0.5, 1e-9)
    assert.deepStrictEqual(ledger.share(gold, 1_100_000), { entitled: 0, received1m: 0, received15m: 0 })
  })

  it("keeps a quarter of an hour, however long it runs and however many tenants come and go", () => {
    const ledger = new UsageLedger()
    for (let second = 0; second < 10_000; second++) ledger.use(tenant(`t${second}`), 1, second * 1_000)
    assert.strictEqual(ledger.buckets, 180)
  })

  it("says nothing against anybody while nobody has work", () => {
    const ledger = new UsageLedger()
    ledger.entitle([], 1_000, 0)
    assert.strictEqual(ledger.fairness(0), 1)
    assert.deepStrictEqual(ledger.share(tin, 0), { entitled: 0, received1m: 0, received15m: 0 })
  })
})

describe("the meter of shares", () => {
  const engine = makeScriptedEngine(() => soundDocument(1), { capacity: 2 })
  const layer = UsageMeter.layer.pipe(Layer.provideMerge(FairShares.layer), Layer.provide(engine.layer))

  it.effect("divides the workers' time between the tenants with work, as seconds pass", () =>
    Effect.gen(function* () {
      const shares = yield* FairShares
      const meter = yield* UsageMeter
      shares.setWeight(gold, 3)
      shares.opens(gold, 1)
      shares.opens(iron, 1)
      shares.waits(iron)
      for (let second = 0; second < 30; second++) {
        for (const [owner, millis] of [
          [gold, 1_500],
          [iron, 300]
        ] as const) {
          shares.charge(owner, millis)
          shares.settle(owner, millis, millis)
        }
        yield* TestClock.adjust("1 second")
      }
      const share = yield* meter.share(gold)
      assert.closeTo(share.entitled, 0.75, 1e-9)
      assert.closeTo(share.received1m, 1_500 / 1_800, 1e-9)
      assert.closeTo(meter.efficiency(), 0.9, 0.03)
      assert.isBelow(yield* meter.fairness, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("does not take idle workers for slow ones", () =>
    Effect.gen(function* () {
      const meter = yield* UsageMeter
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(meter.efficiency(), 1)
    }).pipe(Effect.provide(layer))
  )
})
