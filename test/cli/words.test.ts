import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { etaOf, tenantLines } from "../../src/cli/Describe.ts"
import { reasonOf } from "../../src/cli/CommandFailure.ts"
import { outcomeLine } from "../../src/cli/ingest/ItemResult.ts"
import { unstopped } from "../../src/cli/Text.ts"
import type { Waiting } from "../../src/domain/document/Waiting.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import type { TenantState } from "../../src/domain/tenant/TenantState.ts"
import { warning } from "../../src/domain/document/Warning.ts"

describe("What a person is told", () => {
  const utc = (text: string) => DateTime.makeUnsafe(text)
  const waiting = (low: string, high: string): Waiting => ({ gate: "tenant", eta: { low: utc(low), high: utc(high) } })

  it("has a date with a time that is of another day", () => {
    const today = utc("2030-05-01T08:00:00Z")
    const [soon, tomorrow] = ["2030-05-01T09:00:00Z", "2030-05-02T09:30:00Z"]
    assert.strictEqual(etaOf(waiting(soon, soon), today), "09:00:00")
    assert.strictEqual(etaOf(waiting(soon, tomorrow), today), "09:00:00 to 2030-05-02 09:30:00")
    assert.strictEqual(etaOf(waiting(soon, soon)), "2030-05-01 09:00:00")
    assert.strictEqual(etaOf(waiting(soon, tomorrow)), "2030-05-01 09:00:00 to 2030-05-02 09:30:00")
  })

  it("compares what a tenant received only with a share that it is entitled to", () => {
    const shareLine = (share: TenantState["share"]) =>
      tenantLines({
        tenantId: TenantId.make("acme"),
        paused: false,
        limits: { documents: 2, weight: 1, backlog: 10, pages: 6 },
        backlog: 0,
        running: 0,
        storedBytes: 0,
        share,
        noisy: false,
        fairness: 1
      }).find((line) => line.startsWith("share"))
    for (const [entitled, expected] of [
      [0, "93 % (1 min), 100 % (15 min)"],
      [0.5, "93 % of 50 % (1 min), 100 % (15 min)"],
      [0.001, "93 % of < 1 % (1 min), 100 % (15 min)"]
    ] as const) {
      const line = shareLine({ entitled, received1m: 0.93, received15m: 1 })
      assert.strictEqual(line?.replace(/^share +/, ""), expected)
    }
  })

  it("has no stop before another mark, whoever wrote the text", () => {
    for (const [text, expected] of [
      ["The file is encrypted.", "The file is encrypted"],
      ["it is damaged ", "it is damaged"],
      ["and so on...", "and so on..."],
      ["why?", "why?"]
    ] as const) {
      assert.strictEqual(unstopped(text), expected)
    }
    const error = { code: "PASSWORD_REQUIRED", detail: "The file is encrypted and needs a password." }
    const warnings = [warning("OUTLINE_CUT")]
    assert.notMatch(outcomeLine({ file: "a.pdf", status: "failed", pages: 1, error, warnings, out: "x" }), /\.[,;:.]/)
    assert.strictEqual(reasonOf(new Error("It failed.", { cause: new Error("no room") })), "It failed: no room")
  })
})
