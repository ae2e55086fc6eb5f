// Pages whose glyphs are placed one by one: each stands where the test says, and for the characters that it says.
import { Effect } from "effect"
import { openPdf } from "../../src/layers/pdf/worker/Reader.ts"
import { writeObjects } from "./pdf.ts"

export interface PlacedGlyphs {
  /** The characters of each glyph. Each is half as wide as it is high, or as wide if `wide`. */
  readonly glyphs: ReadonlyArray<string>
  readonly x: number
  readonly y: number
  readonly size?: number
}

/** A file with one page on which each of `placed` is one piece of text. */
export const pageOfGlyphs = (placed: ReadonlyArray<PlacedGlyphs>, wide = false): Uint8Array => {
  const codes = new Map<string, string>()
  const codeOf = (glyph: string): string => {
    const code = codes.get(glyph) ?? (codes.size + 1).toString(16).padStart(4, "0")
    codes.set(glyph, code)
    return code
  }
  const content = placed.map(
    ({ glyphs, x, y, size = 12 }) => `BT /F1 ${size} Tf 1 0 0 1 ${x} ${y} Tm <${glyphs.map(codeOf).join("")}> Tj ET`
  )
  const pairs = Array.from(
    codes,
    ([glyph, code]) => `<${code}> <${Buffer.from(glyph, "utf16le").swap16().toString("hex")}>`
  )
  const map = `begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange
    ${pairs.length} beginbfchar ${pairs.join("\n")} endbfchar endcmap`
  return writeObjects([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R
       /Resources << /Font << /F1 5 0 R >> >> >>`,
    { entries: "", bytes: new TextEncoder().encode(content.join("\n")) },
    "<< /Type /Font /Subtype /Type0 /BaseFont /Test /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 8 0 R >>",
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Test /FontDescriptor 7 0 R /DW ${wide ? 1000 : 500}
       /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>`,
    `<< /Type /FontDescriptor /FontName /Test /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 800
       /Descent -200 /CapHeight 700 /StemV 80 >>`,
    { entries: "", bytes: new TextEncoder().encode(map) }
  ])
}

/** The text of a file's first page. */
export const textOfPage = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const reader = yield* openPdf(bytes, undefined)
  return (yield* reader.readPage(1)).text
})
