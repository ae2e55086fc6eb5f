import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { openPdf } from "../../src/layers/pdf/Reader.ts"
import { writeObjects } from "../support/pdf.ts"

/** A file with one line, whose glyphs stand for these characters from left to right. */
const drawn = (glyphs: ReadonlyArray<string>) => {
  const codes = glyphs.map((_, index) => (0x41 + index).toString(16))
  const pairs = glyphs.map(
    (glyph, index) => `<${codes[index]}> <${Buffer.from(glyph, "utf16le").swap16().toString("hex")}>`
  )
  const map = `begincmap 1 begincodespacerange <00> <ff> endcodespacerange
    ${pairs.length} beginbfchar ${pairs.join("\n")} endbfchar endcmap`
  return writeObjects([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R
       /Resources << /Font << /F1 5 0 R >> >> >>`,
    { entries: "", bytes: new TextEncoder().encode(`BT /F1 12 Tf 72 700 Td <${codes.join("")}> Tj ET`) },
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
    { entries: "", bytes: new TextEncoder().encode(map) }
  ])
}

const readOne = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const reader = yield* openPdf(bytes, undefined)
  return (yield* reader.readPage(1)).text
})

describe("right-to-left text", () => {
  it.effect("gives the letters of an Arabic ligature in the order of reading", () =>
    Effect.gen(function* () {
      const lamKhah = "\ufccb"
      assert.strictEqual(yield* readOne(drawn(["\u0637", "\ufeee", "\ufec4", lamKhah, "\u0627"])), "الخطوط")
      const lamAlef = "\ufefc"
      assert.strictEqual(yield* readOne(drawn(["\ufee1", lamAlef, "\ufeb3"])), "سلام")
    })
  )

  it.effect("puts Hebrew presentation forms into the order of reading", () =>
    Effect.gen(function* () {
      const wideLamed = "\ufb25"
      const wideMem = "\ufb26"
      assert.strictEqual(yield* readOne(drawn([wideMem, "ו", wideLamed, "ש"])), "שלום")
      assert.strictEqual(yield* readOne(drawn([wideMem, wideLamed])), "לם")
    })
  )
})
