import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Ingestion } from "../../../src/actors/Ingestion.ts"
import { TenantId } from "../../../src/domain/Ids.ts"
import { layerMemory } from "../../../src/layers/Engine.ts"
import { decodeLayout } from "../../../src/domain/document/LayoutBytes.ts"
import { makePdf, textPage } from "../../support/pdf.ts"
import { engineWith, inMemory, pdfOf, read } from "./engine.ts"

const words = ["A heading stands here", "and this is a line of text below it."]
const pdf = makePdf({ pages: [textPage(words), textPage(words)] })

describe("Page workers", () => {
  it.live("send the layout of each page as bytes", () =>
    Effect.gen(function* () {
      const [first] = yield* read(pdfOf("laid out", inMemory(pdf)), [1])
      const layout = first?.layout === undefined ? undefined : decodeLayout(first.layout)
      assert.isAbove(layout?.blocks.length ?? 0, 0)
      assert.include(JSON.stringify(layout), "A heading stands here")
    }).pipe(Effect.provide(engineWith({ workers: 1 })))
  )

  it.live("send none when they are started without", () =>
    Effect.gen(function* () {
      const [first] = yield* read(pdfOf("text only", inMemory(pdf)), [1])
      assert.include(first?.text, "A heading stands here")
      assert.isFalse(first !== undefined && "layout" in first)
    }).pipe(Effect.provide(engineWith({ workers: 1, layout: false })))
  )

  it.live("and the engine around them render a document", () =>
    Effect.gen(function* () {
      const ingestion = yield* Ingestion
      const tenant = TenantId.make("acme")
      const { id } = yield* ingestion.submit(tenant, pdf, { name: "a.pdf" })
      yield* Stream.runDrain(ingestion.follow(tenant, id))
      const { text, withoutLayout } = yield* ingestion.render(tenant, id, { format: "markdown" })
      assert.deepStrictEqual(withoutLayout, [])
      const markdown = yield* Stream.mkString(text)
      assert.strictEqual(markdown.split("this is a line of text below it.").length, 3, markdown)
      const json = yield* Stream.mkString((yield* ingestion.render(tenant, id, { format: "json" })).text)
      assert.strictEqual(JSON.parse(json).pages.length, 2)
    }).pipe(Effect.provide(layerMemory()))
  )
})
