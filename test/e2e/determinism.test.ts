// Real files, really read: how many documents are in flight changes nothing of what is found in them.
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { layerMemory } from "../../src/layers/Engine.ts"
import { brokenPage, makePdf, textPage } from "../support/pdf.ts"

const examples = new URL("../../examples/", import.meta.url)
const tenant = TenantId.make("acme")
const copies = 13

const files: ReadonlyArray<Uint8Array> = [
  ...readdirSync(examples)
    .filter((name) => name.endsWith(".pdf"))
    .toSorted()
    .map((name) => new Uint8Array(readFileSync(new URL(name, examples)))),
  makePdf({ pages: [textPage(["before"]), brokenPage, textPage(["after"])] })
]

/** What was found in every file, the time it took aside. */
const digestAt = (documents: number) =>
  Effect.gen(function* () {
    const ingestion = yield* Ingestion
    const read = Effect.fnUntraced(function* (bytes: Uint8Array, index: number) {
      const document = yield* ingestion.submit(tenant, Stream.make(bytes), { name: `${index}`, force: true })
      yield* Stream.runDrain(ingestion.follow(tenant, document.id))
      const { metadata, outline, status } = yield* ingestion.status(tenant, document.id)
      const pages = yield* ingestion.pages(tenant, document.id, { from: 1, limit: 500, detail: true })
      return { status, metadata, outline, pages: pages.map((page) => ({ ...page, elapsedMillis: 0 })) }
    })
    const all = Array.from({ length: copies * files.length }, (_, index) => index)
    const results = yield* Effect.forEach(
      all,
      (index) => read(files[index % files.length] ?? new Uint8Array(), index),
      {
        concurrency: "unbounded"
      }
    )
    return createHash("sha256").update(JSON.stringify(results)).digest("hex")
  }).pipe(
    Effect.provide(layerMemory({ workers: 2, limits: { globalDocuments: documents, tenantDocuments: documents } }))
  )

describe("The same files", () => {
  it.live("give the same results with 1, 8 and 64 documents in flight", () =>
    Effect.gen(function* () {
      const alone = yield* digestAt(1)
      assert.strictEqual(yield* digestAt(8), alone)
      assert.strictEqual(yield* digestAt(64), alone)
    })
  )
})
