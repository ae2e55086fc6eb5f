import { assert, describe, it } from "@effect/vitest"
import { CostLedger } from "../../src/actors/WorkCosts.ts"
import { DocumentId, type TenantId } from "../../src/domain/Ids.ts"
import { acme, tenant } from "../support/engine.ts"

const documentId = DocumentId.make("01900000-0000-7000-8000-000000000001")

/** Documents of these sizes, each page taking so long. */
const read = (ledger: CostLedger, owner: TenantId, sizes: ReadonlyArray<number>, millis: number) => {
  for (const pages of sizes) {
    ledger.heard({ _tag: "DocumentOpened", tenantId: owner, documentId, pages })
    ledger.used(owner, pages * millis)
    for (let page = 1; page <= pages; page++) {
      ledger.heard({ _tag: "PageDone", tenantId: owner, documentId, page, status: "ok" })
    }
  }
}

const times = (count: number, size: number) => Array.from({ length: count }, () => size)

describe("the costs of documents", () => {
  it("are a guess at first", () => {
    const costs = new CostLedger().costs(acme)
    assert.isAbove(costs.millisPerPage, 0)
    assert.isAbove(costs.pagesPerDocument, 0)
    assert.strictEqual(costs.spread, 1)
  })

  it("become what was measured", () => {
    const ledger = new CostLedger()
    read(ledger, acme, times(60, 10), 40)
    const costs = ledger.costs(acme)
    assert.closeTo(costs.millisPerPage, 40, 1)
    assert.closeTo(costs.pagesPerDocument, 10, 0.1)
    assert.closeTo(costs.spread, 0, 1e-6)
  })

  it("follow a change", () => {
    const ledger = new CostLedger()
    read(ledger, acme, times(200, 1), 5)
    read(ledger, acme, times(200, 20), 50)
    assert.closeTo(ledger.costs(acme).millisPerPage, 50, 3)
    assert.closeTo(ledger.costs(acme).pagesPerDocument, 20, 4)
  })

  it("are each tenant's own, and those of all for a tenant that nothing is known of", () => {
    const ledger = new CostLedger()
    read(ledger, acme, times(60, 10), 40)
    read(ledger, tenant("other"), times(60, 1), 5)
    assert.isAbove(ledger.costs(acme).millisPerPage, 35)
    assert.isBelow(ledger.costs(tenant("other")).millisPerPage, 10)
    assert.closeTo(ledger.costs(tenant("new")).pagesPerDocument, 5, 2)
  })

  it("tell how much documents differ", () => {
    const ledger = new CostLedger()
    read(
      ledger,
      acme,
      Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? 10 : 30)),
      1
    )
    assert.closeTo(ledger.costs(acme).spread, 0.5, 0.01)
  })

  it("are forgotten of the tenants that were silent longest when there are too many", () => {
    const ledger = new CostLedger()
    for (let n = 0; n < 10_100; n++) ledger.used(tenant(`t${n}`), 1)
    assert.strictEqual(ledger.tenants, 10_000)
  })
})
