import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import type { RenderingOptions } from "../../../src/actors/renderings/Rendering.ts"
import { makeRenderDocument } from "../../../src/actors/renderings/RenderDocument.ts"
import type { PageLayout } from "../../../src/domain/document/PageLayout.ts"
import type { PageResult } from "../../../src/domain/document/Page.ts"
import { failure } from "../../../src/domain/Failure.ts"
import { DocumentLayout } from "../../../src/http/api/Renderings.ts"
import { encodeLayout } from "../../../src/domain/document/LayoutBytes.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../../src/services/store/Documents.ts"
import * as StoreMemory from "../../../src/services/store/memory/StoreMemory.ts"
import { accept, acme, claim, documentId, openedPdf, page } from "../../conformance/storeFixtures.ts"
import { heading, layoutOf, paragraph, textBlock } from "../../support/layouts.ts"

const laidOut = (number: number, layout: PageLayout, changes: Partial<PageResult> = {}): PageResult =>
  page(number, { layout: encodeLayout(layout).bytes, ...changes })

/** A document with these pages of the number that the file has, completed. */
const stored = Effect.fnUntraced(function* (
  pages: ReadonlyArray<PageResult>,
  pageCount = pages.length,
  outline = false
) {
  const queue = yield* DocumentQueue
  yield* accept(1)
  const { fence } = yield* claim()
  yield* queue.opened(fence, { ...openedPdf, pageCount, outline: outline ? openedPdf.outline : [] })
  yield* queue.savePages(fence, pages)
  yield* queue.finish(fence, { status: pages.length < pageCount ? "partial" : "completed" })
})

/** Counts the reads of pages. */
const rendering = Effect.gen(function* () {
  const documents = yield* Documents
  let reads = 0
  const counted = Documents.of({
    ...documents,
    pages: (tenant, id, options) => {
      reads++
      return documents.pages(tenant, id, options)
    }
  })
  const render = yield* makeRenderDocument(counted)
  const text = Effect.fnUntraced(function* (options: RenderingOptions) {
    const { text, withoutLayout } = yield* render(acme, documentId(1), options)
    return { text: yield* Stream.mkString(text), withoutLayout }
  })
  return { text, reads: () => reads }
})

const test = <E>(title: string, body: Effect.Effect<void, E, Documents | DocumentQueue>) =>
  it.effect(title, () => body.pipe(Effect.provide(StoreMemory.layerMemory)))

const three = [
  laidOut(1, layoutOf(heading(2, "1 Begin"), paragraph("It begins and"))),
  laidOut(2, layoutOf(paragraph("goes on."), heading(1, "1.1 Next"))),
  laidOut(3, layoutOf(heading(1, "2 End"), paragraph("Done.")))
]

describe("a stored document", () => {
  test(
    "is rendered as a whole, or from one page to another with the levels of the whole",
    Effect.gen(function* () {
      yield* stored(three)
      const { text } = yield* rendering
      const whole = "# 1 Begin\n\nIt begins and goes on.\n\n## 1.1 Next\n\n# 2 End\n\nDone.\n"
      assert.deepStrictEqual(yield* text({ format: "markdown" }), { text: whole, withoutLayout: [] })
      assert.strictEqual((yield* text({ format: "markdown", from: 2, to: 2 })).text, "goes on.\n\n## 1.1 Next\n")
      assert.strictEqual((yield* text({ format: "markdown", from: 9 })).text, "")
      assert.match(
        (yield* text({ format: "html", from: 3 })).text,
        /<title>1.pdf<\/title>[^]*<h1 dir="auto">2 End<\/h1>/
      )
      assert.match((yield* text({ format: "plain", to: 1 })).text, /^1 Begin\n\nIt begins and\n$/)
    })
  )

  test(
    "comes as JSON with an outline of its headings, as the contract says",
    Effect.gen(function* () {
      yield* stored(three)
      const { text } = yield* rendering
      const json = Schema.decodeUnknownSync(Schema.fromJsonString(DocumentLayout))(
        (yield* text({ format: "json" })).text
      )
      assert.strictEqual(json.outlineSource, "headings")
      assert.deepStrictEqual(
        json.outline.map(({ depth, title }) => `${depth} ${title}`),
        ["0 1 Begin", "1 1.1 Next", "0 2 End"]
      )
      assert.deepStrictEqual(
        json.pages.map(({ number }) => number),
        [1, 2, 3]
      )
      assert.deepNestedInclude(json.pages[1], { "layout.blocks[1]._tag": "heading", "layout.blocks[1].level": 2 })
    })
  )

  test(
    "keeps the outline that its file has",
    Effect.gen(function* () {
      yield* stored(three, 3, true)
      const { text } = yield* rendering
      const json = Schema.decodeUnknownSync(Schema.fromJsonString(DocumentLayout))(
        (yield* text({ format: "json" })).text
      )
      assert.strictEqual(json.outlineSource, "file")
      assert.deepStrictEqual(json.outline, openedPdf.outline)
    })
  )

  test(
    "shows the text of pages without layout, or whose layout cannot be read, and names them",
    Effect.gen(function* () {
      yield* stored([page(1), laidOut(2, layoutOf(paragraph("Two."))), page(3, { layout: Uint8Array.of(1, 2) })])
      const { text } = yield* rendering
      assert.deepStrictEqual(yield* text({ format: "markdown" }), {
        text: "text of page 1\n\nTwo.\n\ntext of page 3\n",
        withoutLayout: [
          [1, 1],
          [3, 3]
        ]
      })
    })
  )

  test(
    "marks missing pages only when asked",
    Effect.gen(function* () {
      const error = failure("PAGE_UNREADABLE", "broken")
      yield* stored([laidOut(1, layoutOf(paragraph("One."))), page(3, { status: "failed", error, text: "" })], 4)
      const { text } = yield* rendering
      assert.strictEqual((yield* text({ format: "markdown" })).text, "One.\n")
      assert.strictEqual(
        (yield* text({ format: "markdown", marks: true })).text,
        "One.\n\n[page 2 is missing: not read]\n\n[page 3 is missing: PAGE_UNREADABLE]\n\n[page 4 is missing: not read]\n"
      )
    })
  )

  test(
    "of many pages is read twice in small portions, and the second time only what is wanted",
    Effect.gen(function* () {
      const pages = Array.from({ length: 100 }, (_, index) =>
        laidOut(index + 1, layoutOf(textBlock("header", ["Report"], { y: 30 }), paragraph(`Text ${index + 1}.`)))
      )
      yield* stored(pages)
      const { reads, text } = yield* rendering
      const whole = (yield* text({ format: "markdown" })).text
      assert.strictEqual(whole.split("\n\n").length, 100)
      assert.notInclude(whole, "Report")
      const before = reads()
      assert.isAtLeast(before, 14)
      assert.strictEqual((yield* text({ format: "markdown", from: 50, to: 51 })).text, "Text 50.\n\nText 51.\n")
      assert.strictEqual(reads(), before + 1)
    })
  )
})
