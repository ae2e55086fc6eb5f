import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { PDFDocumentLoadingTask, PDFWorker } from "pdfjs-dist/legacy/build/pdf.mjs"
import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs"
import { canReportGlyphs } from "../../../src/layers/pdf/pdfjs/PdfJsGlyphs.ts"
import { canQuicken, makePdfJsWorker, quicken } from "../../../src/layers/pdf/pdfjs/PdfJsWorker.ts"
import { patches } from "../../../src/layers/pdf/pdfjs/patches/All.ts"
import { applyPatches } from "../../../src/layers/pdf/pdfjs/patches/Patch.ts"
import { firstExtraObject } from "../../../examples/pdf-writer.ts"
import type { Page } from "../../support/pdf.ts"
import { makePdf, textPage } from "../../support/pdf.ts"

const url = import.meta.resolve("pdfjs-dist/legacy/build/pdf.worker.mjs")

// Under another address Node loads the library's own file once more, as it is.
const untouched = Effect.promise(() => import(`${url}?untouched`))

const itemsOf = (task: PDFDocumentLoadingTask) =>
  Effect.promise(async () => {
    const document = await task.promise
    const pages = []
    for (let number = 1; number <= document.numPages; number++) {
      const page = await document.getPage(number)
      const { items } = await page.getTextContent({ disableNormalization: true })
      // The names of fonts count the documents that were opened. What pdf.js does not report by itself is tested below.
      const texts = items.filter((item) => "str" in item)
      const own = { fontName: "", glyphs: undefined, places: [], colour: 0, mode: 0, drawnBefore: 0 }
      pages.push(texts.map((item) => ({ ...item, ...own })))
    }
    await task.destroy()
    return pages
  })

const settings = { useSystemFonts: true, verbosity: 0 }
const withWorker = (worker: PDFWorker, bytes: Uint8Array) =>
  itemsOf(getDocument({ ...settings, data: new Uint8Array(bytes), worker }))
const byItself = (bytes: Uint8Array) => itemsOf(getDocument({ ...settings, data: new Uint8Array(bytes) }))

const typeThree =
  "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 750 750] /FontMatrix [0.002 0 0 0.003 0 0] /FirstChar 97 /LastChar 98 " +
  `/Widths [1000 800] /Encoding << /Differences [97 /a /b] >> /CharProcs << /a ${firstExtraObject + 1} 0 R /b ${firstExtraObject + 1} 0 R >> >>`
const square = { entries: "", bytes: new TextEncoder().encode("1000 0 0 0 750 750 d1 0 0 750 750 re f") }

const form = {
  entries: `/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Matrix [0.9 0 0 1.1 0 0] /Resources << /Font << /F9 ${firstExtraObject} 0 R >> >>`,
  bytes: new TextEncoder().encode("BT /F9 1 Tf 12 0 0 12 60 500 Tm (abba) Tj 0.9 0 0 0.4 60 300 Tm (ab ba) Tj ET")
}

const huge = "1".padEnd(31, "0")

const pages: ReadonlyArray<Page> = [
  textPage(
    Array.from({ length: 60 }, (_, row) => `Row ${row} of a page with more pieces of text than go into a chunk`)
  ),
  { text: [0, 30, 90, 135, 180, 270].map((angle) => ({ text: `turned by ${angle}`, x: 300, y: 400, angle })) },
  {
    content:
      "q 0.7 0.1 -0.2 1.3 13.37 7.1 cm BT /F1 11.3 Tf 83 Tz 4 Ts 0.3 Tc 2 Tw 1 0.1 0 1 60 500 Tm (Scaled, skewed) Tj ET Q"
  },
  { content: "BT /F1 -12 Tf 14 TL 1 0 0 -1 60 500 Tm [(Ker) -300 (ned) 120 (text)] TJ T* (next) Tj -5 Ts (low) ' ET" },
  { content: "/Fm Do", xObjects: `/Fm ${firstExtraObject + 2} 0 R` },
  {
    content: `q ${huge} 0 0 ${huge} 0 0 cm BT /F1 ${huge} Tf ${huge} 0 0 ${huge} 0 0 Tm (far away) Tj ET Q BT /F1 0 Tf (none) Tj ET`
  },
  { rotate: 90, mediaBox: [-100, -50, 400, 700], text: [{ text: "elsewhere", x: -20, y: 10 }] }
]

describe("the worker half of pdf.js", () => {
  it("still has the lines that are made quicker, and those that report glyphs", () => {
    const source = readFileSync(fileURLToPath(url), "utf8")
    assert.isTrue(canQuicken(source))
    assert.isTrue(canReportGlyphs(quicken(source)))
  })

  it("has every place that a patch changes, once", () => {
    const source = readFileSync(fileURLToPath(url), "utf8")
    for (const { find } of patches) {
      const place = source.indexOf(find)
      assert.isAtLeast(place, 0, find)
      assert.strictEqual(source.lastIndexOf(find), place, find)
    }
    assert.throws(() => applyPatches(source, [{ find: "no line of pdf.js", replace: "" }]), /other lines/)
  })

  it.effect("finds the same text at the same places, to the last bit, as it does by itself", () =>
    Effect.gen(function* () {
      const bytes = makePdf({ pages, objects: [typeThree, square, form] })
      const quickened = yield* Effect.flatMap(makePdfJsWorker, (worker) => withWorker(worker, bytes))
      yield* untouched
      const expected = yield* byItself(bytes)
      assert.strictEqual(expected.length, pages.length)
      for (const items of expected) assert.isAbove(items.length, 0)
      // Unlike strict equality this tells 0 from -0, and finds NaN equal to itself.
      assert.deepStrictEqual(quickened, expected)
    })
  )

  it.effect("reports where glyphs stand, the character spacing and the blanks before them", () =>
    Effect.gen(function* () {
      const content = "BT /F1 10 Tf 2 Tc 60 500 Td [(A) -100 (V B)] TJ ET"
      const bytes = makePdf({ pages: [{ content }] })
      const items = yield* Effect.flatMap(makePdfJsWorker, (worker) =>
        Effect.promise(async () => {
          const document = await getDocument({ ...settings, data: bytes, worker }).promise
          return (await (await document.getPage(1)).getTextContent({ disableNormalization: true })).items
        })
      )
      const places = items.flatMap((item) => {
        const found: unknown = Reflect.get(item, "places")
        return Array.isArray(found) ? [found.map((value) => Math.round(Number(value) * 100) / 100)] : []
      })
      // A is 6.67 wide, and 2 + 1 before V, which is as wide; then 2 + a blank of 2.78 + 2.
      assert.deepStrictEqual(places, [
        [0, 6.67, 0, 9.67, 16.34, 2],
        [0, 6.67, -1]
      ])
    })
  )
})
