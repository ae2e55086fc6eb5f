import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { FairShares } from "../../src/actors/FairShares.ts"
import { ShareLedger, ShareMeter } from "../../src/actors/ShareMeter.ts"
import { makeScriptedEngine, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import { tenant } from "../support/engine.ts"

const [gold, iron, tin] = [tenant("gold"), tenant("iron"), tenant("tin")]
const both = [
  { tenant: gold, weight: 3 },
  { tenant: iron, weight: 1 }
]

/** Seconds in which both have work and receive this much of it. */
const busy = (ledger: ShareLedger, seconds: number, goldMillis: number, ironMillis: number, from = 0) => {
  for (let second = from; second < from + seconds; second++) {
    ledger.entitle(both, 1_000, second * 1_000)
    ledger.use(gold, goldMillis, second * 1_000)
    ledger.use(iron, ironMillis, second * 1_000)
  }
}

describe("the ledger of shares", () => {
  it("tells what tenants are entitled to by weight, and what they receive", () => {
    const ledger = new ShareLedger()
    busy(ledger, 60, 600, 400)
    const share = ledger.share(gold, 59_000)
    assert.closeTo(share.entitled, 0.75, 1e-9)
    assert.closeTo(share.received1m, 0.6, 1e-9)
    assert.closeTo(share.received15m, 0.6, 1e-9)
  })

  it("is fair when all receive the same part of what they are entitled to", () => {
    const ledger = new ShareLedger()
    busy(ledger, 60, 300, 100)
    assert.closeTo(ledger.fairness(59_000), 1, 1e-9)
    busy(ledger, 60, 400, 0, 60)
    assert.closeTo(ledger.fairness(119_000), 0.5, 1e-9)
  })

  it("forgets after a minute, and after a quarter of an hour", () => {
    const ledger = new ShareLedger()
    busy(ledger, 60, 1_000, 0)
    busy(ledger, 60, 0, 1_000, 60)
    assert.strictEqual(ledger.share(gold, 119_000).received1m, 0)
    assert.closeTo(ledger.share(gold, 119_000).received15m, 0.5, 1e-9)
    assert.deepStrictEqual(ledger.share(gold, 1_100_000), { entitled: 0, received1m: 0, received15m: 0 })
  })

  it("keeps a quarter of an hour, however long it runs and however many tenants come and go", () => {
    const ledger = new ShareLedger()
    for (let second = 0; second < 10_000; second++) ledger.use(tenant(`t${second}`), 1, second * 1_000)
    assert.strictEqual(ledger.buckets, 180)
  })

  it("says nothing against anybody while nobody has work", () => {
    const ledger = new ShareLedger()
    ledger.entitle([], 1_000, 0)
    assert.strictEqual(ledger.fairness(0), 1)
    assert.deepStrictEqual(ledger.share(tin, 0), { entitled: 0, received1m: 0, received15m: 0 })
  })
})

describe("the meter of shares", () => {
  const engine = makeScriptedEngine(() => soundDocument(1), { capacity: 2 })
  const layer = ShareMeter.layer.pipe(Layer.provideMerge(FairShares.layer), Layer.provide(engine.layer))

  it.effect("divides the workers' time between the tenants with work, as seconds pass", () =>
    Effect.gen(function* () {
      const shares = yield* FairShares
      const meter = yield* ShareMeter
      shares.setWeight(gold, 3)
      shares.opens(gold, 1)
      shares.opens(iron, 1)
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
      const meter = yield* ShareMeter
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(meter.efficiency(), 1)
    }).pipe(Effect.provide(layer))
  )
})
