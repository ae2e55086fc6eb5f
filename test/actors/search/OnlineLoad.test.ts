import { assert, describe, it } from "@effect/vitest"
import { OnlineLoad } from "../../../src/actors/search/OnlineLoad.ts"

describe("the load of the online class", () => {
  it("lets in what will have its place within the longest wait, as searches took lately", () => {
    const load = new OnlineLoad(2, 500)
    assert.isTrue(load.enter())
    load.took(400)
    assert.isTrue(load.enter())
    assert.isTrue(load.enter())
    // Three wait, and two of 400 ms end at a time: the fourth would wait 600 ms.
    assert.isFalse(load.enter())
    load.leave()
    assert.isTrue(load.enter())
  })

  it("says after which time there are places, at least a second", () => {
    const load = new OnlineLoad(1, 60_000)
    assert.strictEqual(load.secondsUntilFree, 1)
    load.took(2_500)
    load.enter()
    load.enter()
    assert.strictEqual(load.secondsUntilFree, 5)
  })
})
