import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Visitor, visitorOf, whyNoBrowser } from "./browser.ts"

const file = {
  downstreams: {
    ocr: { concurrency: 4, tokens: { limit: 1_000_000, per: "1 day" } },
    parser: { concurrency: { initial: 2, min: 1, max: 8 } }
  }
}

/** A server that has two downstreams, and a browser. */
const visitor = Layer.unwrap(
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-test-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true }))
    )
    const path = join(folder, "pipelines.json")
    writeFileSync(path, JSON.stringify(file))
    return visitorOf({ PIPELINES_FILE: path })
  })
)

const title = whyNoBrowser === undefined ? "the dashboard's downstreams" : `(skipped: ${whyNoBrowser})`

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  layer(visitor, { timeout: "5 minutes" })((it) => {
    it.effect("are shown with what they may be asked for, paused, and changed", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { url, visit } = yield* Visitor
          const { complaints, page } = yield* visit
          yield* Effect.promise(async () => {
            await page.goto(`${url}/#/downstreams`)
            const card = page.locator("li.downstream").filter({ hasText: "ocr" })
            await card.getByText("0 of 4 calls under way").waitFor()
            await card.getByText("1,000,000 of 1,000,000 tokens left").waitFor()
            await page.getByText("(between 1 and 8, as its far side allows)").waitFor()
            await card.getByRole("switch").click()
            await card.getByText("paused").first().waitFor()
            assert.strictEqual(await card.getByRole("switch").getAttribute("aria-checked"), "false")
            await card.getByRole("switch").click()
            await card.getByText("is called").waitFor()
            await card.getByRole("button", { name: "Change limits of ocr" }).click()
            await page.getByRole("spinbutton", { name: "Calls at once" }).fill("9")
            await page.getByRole("spinbutton", { name: "Tokens" }).fill("50")
            await page.getByRole("textbox", { name: "Tokens: per" }).fill("soon")
            await page.getByRole("button", { name: "Change", exact: true }).click()
            await page.getByText("a positive duration").waitFor()
            await page.getByRole("textbox", { name: "Tokens: per" }).fill("1h")
            await page.getByRole("button", { name: "Change", exact: true }).click()
            await card.getByText("0 of 9 calls under way").waitFor()
            await card.getByText("50 of 50 tokens left").waitFor()
          })
          assert.deepStrictEqual(complaints, [])
        })
      )
    )
  })
})
