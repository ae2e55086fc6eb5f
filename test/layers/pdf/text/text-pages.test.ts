import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { EncodedLines } from "../../../../src/domain/document/Page.ts"
import { openPdf } from "../../../../src/layers/pdf/worker/Reader.ts"
import type { Page, PlacedText } from "../../../support/pdf.ts"
import { makePdf } from "../../../support/pdf.ts"

const read = Effect.fnUntraced(function* (page: Page) {
  const reader = yield* openPdf(makePdf({ pages: [page] }), undefined)
  const result = yield* reader.readPage(1)
  return { ...result, lines: yield* Schema.decodeEffect(EncodedLines)(result.lines) }
})

const columns = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): ReadonlyArray<PlacedText> =>
  left.flatMap((text, index) => [
    { text, x: 50, y: 700 - 14 * index, size: 10 },
    { text: right[index] ?? "", x: 310, y: 700 - 14 * index, size: 10 }
  ])

describe("text of whole pages", () => {
  it.effect("reads columns that the file writes row by row", () =>
    Effect.gen(function* () {
      const left = [
        "A tenant sends many documents at once,",
        "and each of them may have a thousand",
        "pages. The engine takes them all and",
        "reads them fairly."
      ]
      const right = [
        "Another tenant has a single page. It is",
        "read at once, whatever waits before it,",
        "because what is shared is the time of",
        "the workers."
      ]
      const page = yield* read({
        text: [
          { text: "How pages are shared between the tenants of one engine", x: 110, y: 740, size: 14 },
          ...columns(left, right)
        ]
      })
      assert.strictEqual(
        page.text,
        ["How pages are shared between the tenants of one engine", "", ...left, "", ...right].join("\n")
      )
    })
  )

  it.effect("writes ligatures of a font as letters", () =>
    Effect.gen(function* () {
      const page = yield* read({
        text: [{ text: "\u00dere, \u00dfow and co\u00b6-\u00deve", x: 72, y: 700, font: "ligatures" }]
      })
      assert.include(page.text, "fire, flow and")
      assert.include(page.text, "-five")
    })
  )

  it.effect("joins what kerning takes apart and parts what only a gap parts", () =>
    Effect.gen(function* () {
      const page = yield* read({
        content: "BT /F1 12 Tf 72 700 Td [(W) 120 (ater) -400 (A) 80 (V) 70 (A) -278 (end)] TJ ET"
      })
      assert.strictEqual(page.text, "Water AVA end")
    })
  )

  it.effect("shows text that is printed twice for weight once", () =>
    Effect.gen(function* () {
      const page = yield* read({
        text: [0, 0.4].map((shift) => ({ text: "Heavy heading", x: 72 + shift, y: 700, size: 16 }))
      })
      assert.strictEqual(page.text, "Heavy heading")
    })
  )

  it.effect.each([
    { rotate: 0, width: 595, height: 842, x: 72, y: 133.2 },
    { rotate: 90, width: 842, height: 595, x: 697.8, y: 72 },
    { rotate: 180, width: 595, height: 842, x: 460.63, y: 697.8 },
    { rotate: 270, width: 842, height: 595, x: 133.2, y: 460.63 }
  ])("gives boxes on a page turned by $rotate degrees", ({ rotate, width, height, x, y }) =>
    Effect.gen(function* () {
      const page = yield* read({ rotate, text: [{ text: "Turned page", x: 72, y: 700 }] })
      assert.deepInclude(page, { rotation: rotate, width, height, text: "Turned page" })
      assert.approximately(page.lines[0]?.x ?? 0, x, 0.05)
      assert.approximately(page.lines[0]?.y ?? 0, y, 0.05)
    })
  )

  it.effect("takes the corner of the page as the origin, wherever the media box begins", () =>
    Effect.gen(function* () {
      const page = yield* read({ mediaBox: [100, 200, 300, 400], text: [{ text: "corner", x: 110, y: 380, size: 10 }] })
      assert.deepInclude(page, { width: 200, height: 200 })
      assert.deepInclude(page.lines[0], { x: 10, y: 12 })
    })
  )

  it.effect("reads lines set at an angle", () =>
    Effect.gen(function* () {
      const page = yield* read({ text: [{ text: "Confidential draft", x: 100, y: 300, size: 40, angle: 45 }] })
      assert.strictEqual(page.text, "Confidential draft")
      assert.isAbove(page.lines[0]?.height ?? 0, 100)
    })
  )
})
