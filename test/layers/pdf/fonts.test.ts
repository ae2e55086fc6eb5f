import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PdfObject } from "../../support/pdf.ts"
import { codesOf, firstMore, onePage, readFirst, shows, stream } from "./written.ts"

const total = "BT /F2 12 Tf 72 680 Td (Total due 1,250.00 EUR) Tj ET"

const withFont = (font: PdfObject, content = total, more: ReadonlyArray<PdfObject> = []) =>
  readFirst(onePage({ content: shows("Invoice 1042") + content, fonts: `/F2 ${firstMore} 0 R`, more: [font, ...more] }))

const simple = "/Type /Font /Subtype /Type1 /BaseFont /Helvetica"

const toUnicode = (codes: Readonly<Record<number, string>>) =>
  stream(
    `/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def
    1 begincodespacerange <00> <FF> endcodespacerange ${Object.keys(codes).length} beginbfchar ${Object.entries(codes)
      .map(([code, meaning]) => `<${Number(code).toString(16).padStart(2, "0")}> <${meaning}>`)
      .join(" ")} endbfchar endcmap end end`
  )

describe("a font with a fault", () => {
  for (const [what, font] of [
    ["an encoding that is an array", `<< ${simple} /Encoding [/WinAnsiEncoding] >>`],
    ["an encoding that is a number", `<< ${simple} /Encoding 5 >>`],
    ["a wrong entry in its differences", `<< ${simple} /Encoding << /Differences [65 /A (x) /B] >> >>`],
    ["no subtype", "<< /Type /Font /BaseFont /Helvetica >>"],
    ["no name", "<< /Type /Font /Subtype /Type1 >>"],
    ["no name in its descriptor either", "<< /Type /Font /Subtype /TrueType /FontDescriptor << /Flags 32 >> >>"],
    [
      "a program that is no stream",
      "<< /Type /Font /Subtype /TrueType /BaseFont /Arial /FontDescriptor << /FontName /Arial /Flags 32 /FontFile2 7 >> >>"
    ],
    ["no dictionary", "17"]
  ] as const) {
    it.effect(`is read in spite of ${what}, and the page tells`, () =>
      Effect.gen(function* () {
        const page = yield* withFont(font)
        assert.deepInclude(page, { status: "ok", text: "Invoice 1042\nTotal due 1,250.00 EUR" })
        assert.deepStrictEqual([...new Set(codesOf(page))], ["FONT_DAMAGED"])
      })
    )
  }

  it.effect("is told of when it is not there at all", () =>
    Effect.gen(function* () {
      const page = yield* readFirst(onePage({ content: shows("Invoice 1042") + total }))
      assert.include(page.text, "Total due 1,250.00 EUR")
      assert.include(codesOf(page), "FONT_DAMAGED")
    })
  )

  it.effect("that is sound is told nothing of", () =>
    Effect.gen(function* () {
      assert.isUndefined((yield* withFont(`<< ${simple} >>`)).warnings)
    })
  )
})

describe("the meaning of codes", () => {
  it.effect("is what the encoding says where ToUnicode leaves one out", () =>
    Effect.gen(function* () {
      const font = `<< ${simple} /Encoding << /Differences [1 /minus /multiply /f_i /one.oldstyle] >> /ToUnicode ${firstMore + 1} 0 R >>`
      const content = "BT /F2 12 Tf 72 680 Td (A\\001B\\002C\\003D\\004E) Tj ET"
      const letters = { 65: "0041", 66: "0042", 67: "0043", 68: "0044", 69: "0045" }
      const page = yield* withFont(font, content, [toUnicode(letters)])
      assert.strictEqual(page.text, "Invoice 1042\nA−B×CfiD1E")
      assert.isUndefined(page.warnings)
    })
  )

  it.effect("is what parts of a glyph's name say where there is no ToUnicode", () =>
    Effect.gen(function* () {
      const font = `<< ${simple} /Encoding << /Differences [1 /f_f_i /Q.alt] >> >>`
      const page = yield* withFont(font, "BT /F2 12 Tf 72 680 Td (o\\001ce \\002) Tj ET")
      assert.strictEqual(page.text, "Invoice 1042\noffice Q")
    })
  )

  it.effect("is missing when nothing tells it, and the page says so", () =>
    Effect.gen(function* () {
      const type3 = `<< /Type /Font /Subtype /Type3 /FontBBox [0 0 750 750] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 1
        /LastChar 2 /Widths [750 750] /Encoding << /Differences [1 /glyph1 /glyph2] >>
        /CharProcs << /glyph1 ${firstMore + 1} 0 R /glyph2 ${firstMore + 1} 0 R >> >>`
      const square = stream("750 0 0 0 750 750 d1 0 0 750 750 re f")
      const page = yield* withFont(type3, "BT /F2 12 Tf 72 680 Td (\\001\\002\\001) Tj ET", [square])
      assert.deepInclude(page, { status: "ok", text: "Invoice 1042" })
      assert.deepStrictEqual(codesOf(page), ["TEXT_MISSING"])
    })
  )

  for (const [what, encoding] of [
    ["by ToUnicode", `/Encoding /WinAnsiEncoding /ToUnicode ${firstMore + 1} 0 R`],
    ["by the name of its glyph", "/Encoding << /BaseEncoding /WinAnsiEncoding /Differences [45 /uni00AD] >>"],
    [
      "by the name that it has in lists of glyphs",
      "/Encoding << /BaseEncoding /WinAnsiEncoding /Differences [45 /sfthyphen] >>"
    ]
  ] as const) {
    it.effect(`of a soft hyphen ${what} is a hyphen, in a line and at its end`, () =>
      Effect.gen(function* () {
        const content = "BT /F2 12 Tf 14 TL 72 680 Td (-412,00 for 1-12 months, an exam-) Tj T* (ple) Tj ET"
        const codes = Array.from({ length: 95 }, (_, index) => index + 32)
        const meanings = Object.fromEntries(
          codes.map((code) => [code, code === 45 ? "00ad" : code.toString(16).padStart(4, "0")])
        )
        const page = yield* withFont(`<< ${simple} ${encoding} >>`, content, [toUnicode(meanings)])
        assert.include(page.text, "-412,00 for 1-12 months, an exam-\nple")
      })
    )
  }

  it.effect("of a joiner is kept: letters take their form from it", () =>
    Effect.gen(function* () {
      const meanings = { 65: "0645", 66: "06cc", 67: "200c", 68: "0634", 69: "0648" }
      const font = `<< ${simple} /FirstChar 65 /LastChar 69 /Widths [500 500 0 500 500] /ToUnicode ${firstMore + 1} 0 R >>`
      const page = yield* withFont(font, "BT /F2 12 Tf 72 680 Td (EDCBA) Tj ET", [toUnicode(meanings)])
      assert.include(page.text, "\u0645\u06cc\u200c\u0634\u0648")
    })
  )
})
