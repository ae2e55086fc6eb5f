import { assert, describe, it } from "@effect/vitest"
import { DocumentId } from "../../../src/domain/Ids.ts"
import { Outgoing } from "../../../src/layers/cluster/Outgoing.ts"
import { acme, tenant } from "../../support/engine.ts"

const one = DocumentId.make("01900000-0000-7000-8000-000000000001")
const idOf = (number: number) => DocumentId.make(`01900000-0000-7000-8000-${String(number).padStart(12, "0")}`)

describe("messages on their way to a tenant", () => {
  it("are one message while another is under way, and one delivery", () => {
    const outgoing = new Outgoing()
    assert.isTrue(outgoing.add(acme, { _tag: "Wake" }))
    assert.isFalse(outgoing.add(acme, { _tag: "Wake" }))
    assert.isTrue(outgoing.add(tenant("globex"), { _tag: "Wake" }))
    assert.deepStrictEqual(outgoing.next(acme), { wake: true, stops: [] })
    assert.isFalse(outgoing.add(acme, { _tag: "Stop", documentId: one, attempt: 3 }))
    assert.isFalse(outgoing.add(acme, { _tag: "Stop", documentId: one, attempt: 2 }))
    assert.isFalse(outgoing.add(acme, { _tag: "Wake" }))
    assert.deepStrictEqual(outgoing.next(acme), { wake: true, stops: [{ documentId: one, attempt: 3 }] })
    assert.isUndefined(outgoing.next(acme))
    assert.strictEqual(outgoing.size, 1)
    assert.isTrue(outgoing.add(acme, { _tag: "Wake" }))
  })

  it("are bounded, however many documents are to be stopped", () => {
    const outgoing = new Outgoing()
    for (let number = 0; number < 3_000; number++) {
      outgoing.add(acme, { _tag: "Stop", documentId: idOf(number), attempt: 1 })
    }
    assert.lengthOf(outgoing.next(acme)?.stops ?? [], 1_024)
  })
})
