import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { makePdf, textPage } from "../support/pdf.ts"
import { Visitor, visitorOf, whyNoBrowser } from "./browser.ts"

/** A far side that answers with facts about a page, and refuses the second page. */
const farSide = Effect.acquireRelease(
  Effect.callback<ReturnType<typeof createServer>>((resume) => {
    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk: Buffer) => (body += chunk.toString()))
      request.on("end", () => {
        const refused = body.includes('"page":2')
        response.writeHead(refused ? 422 : 200, { "content-type": "application/json" })
        response.end(refused ? '{"error":"no"}' : '{"facts":["one"]}')
      })
    })
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.closeAllConnections())
)

const visitor = Layer.unwrap(
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-test-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true }))
    )
    const address = (yield* farSide).address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const path = join(folder, "pipelines.json")
    const facts = {
      type: "http",
      kind: "page",
      downstream: "model",
      send: { json: { page: "{{page}}", text: "{{text}}" } },
      answer: "json"
    }
    writeFileSync(
      path,
      JSON.stringify({
        downstreams: { model: { url: `http://127.0.0.1:${port}/` } },
        stages: { facts },
        pipelines: { facts: ["facts"] }
      })
    )
    return visitorOf({ PIPELINES_FILE: path, OCR: "off" })
  })
)

const title = whyNoBrowser === undefined ? "a document with stages" : `(skipped: ${whyNoBrowser})`

describe.skipIf(whyNoBrowser !== undefined)(title, () => {
  layer(visitor, { timeout: "5 minutes" })((it) => {
    it.effect("shows what they made and what they failed to do, and its pages as they look", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { url, visit } = yield* Visitor
          const { complaints, page } = yield* visit
          yield* Effect.promise(async () => {
            const answer = await fetch(`${url}/v1/documents?name=facts.pdf&pipeline=facts`, {
              method: "POST",
              headers: { "content-type": "application/pdf" },
              body: Buffer.from(makePdf({ pages: [textPage(["first"]), textPage(["second"])] }))
            })
            assert.strictEqual(answer.status, 202)
            const [{ id }] = Object(await answer.json()).documents
            await page.goto(`${url}/#/documents/${id}`)
            const stages = page.getByRole("region", { name: "Stages" })
            await stages.getByText("Pipeline facts").waitFor()
            await stages.getByText("1 page, 1 failed").waitFor()
            // No page has failed.
            await page.getByRole("button", { name: "Try again", exact: true }).waitFor()
            await page.getByLabel("Text of page 1").getByText("first").waitFor()
            const made = page.getByRole("list", { name: "What stages made of the page" })
            const download = page.waitForEvent("download")
            await made.getByRole("button", { name: "Download facts" }).click()
            assert.strictEqual((await download).suggestedFilename(), "page-1.facts-1.json")
            await page.getByRole("button", { name: "Image" }).click()
            const image = page.getByRole("img", { name: "Page 1 as it looks" })
            await image.waitFor()
            await page.waitForFunction(`document.querySelector(".picture img").naturalWidth > 100`)
            await page.getByRole("button", { name: "Next page" }).click()
            await made.getByText("STAGE_FAILED").waitFor()
            await page.getByRole("img", { name: "Page 2 as it looks" }).waitFor()
          })
          assert.deepStrictEqual(complaints, [])
        })
      )
    )
  })
})
