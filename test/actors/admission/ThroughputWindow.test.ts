import { assert, describe, it } from "@effect/vitest"
import { RetryAfterSlots } from "../../../src/actors/admission/retryAfter/RetryAfterSlots.ts"
import { ThroughputWindows } from "../../../src/actors/admission/retryAfter/ThroughputWindow.ts"
import { acme, tenant } from "../../support/engine.ts"

describe("how fast a queue drains", () => {
  it("is measured over the last half minute, without the time in which nothing waited", () => {
    const rates = new ThroughputWindows()
    rates.begin(acme, 0)
    assert.isUndefined(rates.perSecond(acme, 1_000))
    for (let at = 1_000; at <= 10_000; at += 1_000) rates.observe(acme, at)
    assert.strictEqual(rates.perSecond(acme, 10_000), 1)
    // Of the ten that left, the last one did so after ten seconds.
    rates.begin(acme, 25_000)
    assert.strictEqual(rates.perSecond(acme, 25_000), 1)
    for (let at = 25_500; at <= 30_000; at += 500) rates.observe(acme, at)
    assert.strictEqual(rates.perSecond(acme, 30_000), 2)
    rates.observe(tenant("other"), 200_000)
    assert.strictEqual(rates.size, 1)
  })

  it("is remembered for a while as it was when something was last waited for", () => {
    const rates = new ThroughputWindows()
    rates.begin(acme, 0)
    for (let at = 1_000; at <= 10_000; at += 1_000) rates.observe(acme, at)
    rates.begin(acme, 39_000)
    assert.strictEqual(rates.perSecond(acme, 39_000), 1)
    rates.begin(acme, 60_000)
    assert.strictEqual(rates.perSecond(acme, 60_000), 1)
  })
})

describe("the moments at which places are promised", () => {
  it("follow when the queue turns out to drain faster or slower than was thought", () => {
    const appointments = new RetryAfterSlots()
    for (let n = 0; n < 9; n++) appointments.next(acme, 0, 10_000)
    assert.strictEqual(appointments.next(acme, 0, 10_000), 100)
    assert.strictEqual(appointments.next(acme, 0, 1_000), 11)
    assert.strictEqual(appointments.next(acme, 6_000, 2_000), 12)
    assert.strictEqual(appointments.next(acme, 6_000, 1_000_000), 300)
  })

  it("are forgotten once they have passed", () => {
    const appointments = new RetryAfterSlots()
    for (let n = 0; n < 100; n++) appointments.next(tenant(`t${n}`), 0, 500)
    assert.strictEqual(appointments.sharers(acme, 500), 101)
    assert.strictEqual(appointments.sharers(acme, 2_000), 1)
  })
})
