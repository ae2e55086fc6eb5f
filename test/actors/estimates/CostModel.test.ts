import { assert, describe, it } from "@effect/vitest"
import { CostLedger, workOf } from "../../../src/actors/estimates/CostModel.ts"
import { DocumentId, type TenantId } from "../../../src/domain/Ids.ts"
import { acme, tenant } from "../../support/engine.ts"

const documentId = DocumentId.make("01900000-0000-7000-8000-000000000001")

/** Documents of these sizes, each page taking so long. */
const read = (ledger: CostLedger, owner: TenantId, sizes: ReadonlyArray<number>, millis: number) => {
  for (const pages of sizes) {
    ledger.heard({ _tag: "DocumentOpened", tenantId: owner, documentId, pages })
    for (let page = 1; page <= pages; page++) {
      ledger.used(owner, millis)
      ledger.heard({ _tag: "PageDone", tenantId: owner, documentId, page, status: "ok" })
    }
    ledger.heard({ _tag: "DocumentEnded", tenantId: owner, documentId, status: "completed" })
  }
}

const times = (count: number, size: number) => Array.from({ length: count }, () => size)

describe("the costs of documents", () => {
  it("are a guess at first", () => {
    const costs = new CostLedger().costs(acme)
    assert.isAbove(costs.millisPerPage, 0)
    assert.isAbove(costs.pagesPerDocument, 0)
    assert.isAtLeast(costs.spread, 1)
    assert.isAtLeast(costs.error, 1)
  })

  it("become what was measured", () => {
    const ledger = new CostLedger()
    read(ledger, acme, times(60, 10), 40)
    const costs = ledger.costs(acme)
    assert.closeTo(workOf(costs, { pages: 0, opened: 0, unopened: 1 }).millis, 400, 10)
    assert.closeTo(costs.pagesPerDocument, 10, 0.1)
    assert.closeTo(costs.spread, 0, 1e-6)
  })

  it("follow a change", () => {
    const ledger = new CostLedger()
    read(ledger, acme, times(200, 1), 5)
    read(ledger, acme, times(200, 20), 50)
    const { millis } = workOf(ledger.costs(acme), { pages: 0, opened: 0, unopened: 1 })
    assert.closeTo(millis / ledger.costs(acme).pagesPerDocument, 50, 3)
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

  it("tell opening from reading, when the tenant has one document open", () => {
    const ledger = new CostLedger()
    const subject = { tenantId: acme, documentId }
    ledger.heard({ _tag: "DocumentStarted", ...subject, attempt: 1 })
    ledger.used(acme, 400)
    ledger.heard({ _tag: "DocumentOpened", ...subject, pages: 200 })
    ledger.used(acme, 40)
    for (let page = 1; page <= 8; page++) ledger.heard({ _tag: "PageDone", ...subject, page, status: "ok" })
    const costs = ledger.costs(acme)
    assert.isAbove(costs.openingMillis, 150)
    assert.isBelow(costs.millisPerPage, 30)
    // What is not known of the opening may not make pages free.
    assert.isAbove(costs.millisPerPage, 5)
  })

  it("add up to what was measured, whatever is believed of opening", () => {
    const ledger = new CostLedger()
    read(ledger, acme, times(100, 1), 5)
    assert.closeTo(workOf(ledger.costs(acme), { pages: 0, opened: 0, unopened: 1 }).millis, 5, 0.5)
  })

  it("do not take for opening what may be the reading of another document", () => {
    const ledger = new CostLedger()
    const before = ledger.costs(acme).openingMillis
    const other = DocumentId.make("01900000-0000-7000-8000-000000000002")
    ledger.heard({ _tag: "DocumentStarted", tenantId: acme, documentId: other, attempt: 1 })
    ledger.heard({ _tag: "DocumentStarted", tenantId: acme, documentId, attempt: 1 })
    ledger.used(acme, 400)
    ledger.heard({ _tag: "DocumentOpened", tenantId: acme, documentId, pages: 5 })
    assert.strictEqual(ledger.costs(acme).openingMillis, before)
  })

  it("are the less in doubt the more pages were measured, but never beyond doubt", () => {
    const ledger = new CostLedger()
    const errors = [ledger.costs(acme).error]
    for (const size of [2, 10, 40, 400, 400]) {
      read(ledger, acme, [size], 10)
      errors.push(ledger.costs(acme).error)
    }
    for (const [index, error] of errors.slice(1).entries()) assert.isAtMost(error, errors[index] ?? 0)
    assert.isBelow(errors[3] ?? 1, 0.4)
    assert.isAtLeast(errors.at(-1) ?? 0, 0.1)
  })

  it("leave room for workers that get faster, until they have worked for a while", () => {
    const ledger = new CostLedger()
    assert.isAtLeast(ledger.costs(acme).warming, 0.5)
    read(ledger, tenant("other"), times(100, 20), 50)
    assert.isBelow(ledger.costs(acme).warming, 0.05)
  })

  it("tell how much pages of one document differ from those of another", () => {
    const [even, uneven] = [new CostLedger(), new CostLedger()]
    for (let n = 0; n < 40; n++) {
      read(even, acme, [10], 20)
      read(uneven, acme, [10], n % 2 === 0 ? 4 : 36)
    }
    assert.isBelow(even.costs(acme).roughness, 0.2)
    assert.isAbove(uneven.costs(acme).roughness, 0.5)
  })
})

describe("the work of some documents", () => {
  const costs = {
    openingMillis: 20,
    millisPerPage: 10,
    pagesPerDocument: 5,
    spread: 1,
    roughness: 0.5,
    error: 0.1,
    sizeError: 0,
    warming: 0
  }

  it("is their pages, and opening those that were not opened", () => {
    assert.strictEqual(workOf(costs, { pages: 7, opened: 2, unopened: 0 }).millis, 70)
    assert.strictEqual(workOf(costs, { pages: 7, opened: 2, unopened: 3 }).millis, 70 + 3 * 70)
    assert.deepStrictEqual(workOf(costs, { pages: 0, opened: 0, unopened: 0 }), { millis: 0, error: 0 })
  })

  it("is in doubt also when the pages are known, and the less the more documents there are, down to what holds for all", () => {
    const one = workOf(costs, { pages: 10, opened: 1, unopened: 0 }).error
    const many = workOf(costs, { pages: 10_000, opened: 1_000, unopened: 0 }).error
    assert.closeTo(one, Math.hypot(0.5, 0.1), 1e-9)
    assert.isAtLeast(many, 0.1)
    assert.isBelow(many, 0.11)
    assert.isAbove(workOf(costs, { pages: 0, opened: 0, unopened: 1 }).error, one)
  })
})
