// Documents that say very much about themselves, as an older release stored them: no answer grows with what others stored.
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { largestMetadata, outlineOmitted, portionBytes } from "../../../src/domain/document/Portions.ts"
import { acceptedId, temporaryFolder, until } from "../../support/service.ts"
import { get, postPdf } from "../client.ts"
import { eventsOf, serviceAt } from "../live.ts"

const count = 12

/** Writes to the database of a service that runs, beside it. */
const stored = (folder: string, statement: string, ...values: ReadonlyArray<string>) =>
  Effect.sync(() => {
    const database = new DatabaseSync(join(folder, "documents.db"))
    database.prepare(statement).run(...values)
    database.close()
  })

const titled = (length: number) =>
  JSON.stringify({
    title: "t".repeat(length),
    encrypted: false,
    hasJavaScript: false,
    hasAttachments: false,
    hasForms: false,
    hasXfa: false
  })

const listOf = (json: { readonly documents?: unknown }): ReadonlyArray<{ readonly id: string }> =>
  Array.isArray(json.documents) ? json.documents : []

describe("documents with huge outlines and titles", () => {
  it.live("make no list, no event and no look at one of them large, and are all listed", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const ids: Array<string> = []
        for (let n = 0; n < count; n++) ids.push(yield* Effect.flatMap(postPdf("/v1/documents?force=true"), acceptedId))
        yield* until(get("/v1/documents?status=completed&limit=200"), ({ json }) => listOf(json).length === count)

        const outline = JSON.stringify(Array.from({ length: 3_000 }, () => ({ title: "x".repeat(2_000), depth: 0 })))
        assert.isAbove(outline.length, 6_000_000)
        yield* stored(folder, "UPDATE document_details SET outline = ?", outline)
        const list = yield* get("/v1/documents?limit=200")
        assert.strictEqual(listOf(list.json).length, count)
        assert.isBelow(list.text.length, 20_000)
        assert.notInclude(list.text, '"outline"')
        const one = yield* get(`/v1/documents/${ids[0]}`)
        assert.deepStrictEqual(one.json.warnings, [outlineOmitted])
        assert.isBelow(one.text.length, 4_000)
        const events = yield* Stream.runCollect(eventsOf(`/v1/documents/${ids[0]}/events`))
        assert.isBelow(Math.max(...events.map(({ data }) => data.length)), 4_000)

        // As large as is told: a list of all of them would have three megabytes.
        yield* stored(
          folder,
          "UPDATE document_details SET metadata = ?, outline = '[]'",
          titled(largestMetadata - 1_000)
        )
        const seen: Array<string> = []
        for (let cursor = ""; ;) {
          const { json, text } = yield* get(`/v1/documents?limit=200${cursor}`)
          assert.isBelow(text.length, portionBytes + 10_000)
          seen.push(...listOf(json).map(({ id }) => id))
          if (json.nextCursor === undefined) break
          cursor = `&cursor=${json.nextCursor}`
        }
        assert.deepStrictEqual(seen, ids.toReversed())

        yield* stored(folder, "UPDATE document_details SET metadata = ?", titled(largestMetadata))
        const bare = yield* get("/v1/documents?limit=200")
        assert.strictEqual(listOf(bare.json).length, count)
        assert.isBelow(bare.text.length, 20_000)
      }).pipe(Effect.provide(serviceAt(folder, () => soundDocument(2))))
    })
  )
})
