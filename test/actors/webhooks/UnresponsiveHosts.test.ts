import { assert, describe, it } from "@effect/vitest"
import { shortestDelayMillis } from "../../../src/actors/webhooks/DeliveryBackoff.ts"
import { makeUnresponsiveHosts } from "../../../src/actors/webhooks/UnresponsiveHosts.ts"
import { acme, globex } from "../../conformance/documentStoreFixtures.ts"

const origin = "https://a.example"

describe("a host that did not answer", () => {
  it("is held against what was due by then or soon after, for half a minute, and for its tenant alone", () => {
    const silence = makeUnresponsiveHosts()
    silence.add(acme, origin, 10_000)
    assert.isDefined(silence.about(acme, origin, 0, 10_000))
    assert.isDefined(silence.about(acme, origin, 12_000, 39_999))
    assert.isUndefined(silence.about(acme, origin, 12_000, 40_000))
    assert.isUndefined(silence.about(acme, origin, 10_000 + shortestDelayMillis, 20_000))
    assert.isUndefined(silence.about(acme, "https://b.example", 0, 10_000))
    assert.isUndefined(silence.about(globex, origin, 0, 10_000))
  })

  it("is held against other hosts of the tenant once it is the fourth", () => {
    const silence = makeUnresponsiveHosts()
    for (const n of [1, 2, 3]) silence.add(acme, `https://dead${n}.example`, 0)
    assert.isUndefined(silence.about(acme, origin, 0, 0))
    silence.add(acme, "https://dead4.example", 0)
    assert.include(silence.about(acme, origin, 0, 0), "several hosts")
    assert.isUndefined(silence.about(globex, origin, 0, 0))
  })
})
