import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { deflateSync } from "node:zlib"
import { codesOf, firstMore, onePage, readFirst, shows, stream } from "./written.ts"

const count = 40
const lines = Array.from({ length: count }, (_, index) => `line ${index} of the page`)
const operators = lines.map((line, index) => shows(line, 740 - 14 * index))

/** The bytes in ASCII 85, with other characters in their middle. */
const ascii85 = (bytes: Buffer, between = ""): string => {
  let text = ""
  for (let at = 0; at < bytes.length; at += 4) {
    if (at === Math.floor(bytes.length / 8) * 4) text += between
    const group = Buffer.concat([bytes.subarray(at, at + 4), Buffer.alloc(4)]).readUInt32BE(0)
    const digits = [52_200_625, 614_125, 7_225, 85, 1].map((power) =>
      String.fromCharCode(33 + (Math.floor(group / power) % 85))
    )
    text += group === 0 ? "z" : digits.slice(0, Math.min(4, bytes.length - at) + 1).join("")
  }
  return `${text}~>`
}

/** The bytes in LZW that never makes codes longer: the table is cleared before that. */
const lzw = (bytes: Buffer): Buffer => {
  const bits = [...bytes].flatMap((byte, index) => [...(index % 200 === 0 ? [256] : []), byte])
  const text = bits.map((code) => code.toString(2).padStart(9, "0")).join("")
  return Buffer.from((text.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, "0"), 2)))
}

/** The page with these operators in place of those of line 10. */
const broken = (instead: string) => operators.map((one, index) => (index === 10 ? instead : one)).join("")

describe("content that is damaged in the middle", () => {
  for (const [what, instead] of [
    ["a parenthesis that is not closed", "BT /F1 12 Tf 72 600 Td (line (10 of the page) Tj ET\n"],
    ["a parenthesis that closes nothing", "BT /F1 12 Tf 72 600 Td (line) 10) Tj ET\n"],
    ["a string of digits that does not end", "BT /F1 12 Tf 72 600 Td <41 42 ZZ Tj ET\n"],
    ["an array that does not end", "BT /F1 12 Tf 72 600 Td [(ten) TJ ET\n"],
    ["a dictionary that does not end", "<</A\nBT /F1 12 Tf 72 600 Td (ten) Tj ET\n"],
    ["numbers without an operator", `${"1 ".repeat(40)}\n`],
    ["operators with wrong operands", "BT null 3 Tf /None gs /None Do (a) (b) Td ET\n"]
  ] as const) {
    it.effect(`is read to its end in spite of ${what}, and tells`, () =>
      Effect.gen(function* () {
        const page = yield* readFirst(onePage({ content: broken(instead) }))
        assert.strictEqual(page.status, "ok")
        const found = new Set(page.text.split(/\n+/))
        assert.deepStrictEqual(
          lines.filter((line, index) => index !== 10 && !found.has(line)),
          []
        )
        assert.include(codesOf(page), "CONTENT_CUT")
      })
    )
  }

  it.effect("loses no more than two lines to a string without an end", () =>
    Effect.gen(function* () {
      const page = yield* readFirst(onePage({ content: broken("BT /F1 12 Tf 72 600 Td (line 10 Tj ET\n") }))
      for (const line of lines.slice(12)) assert.include(page.text, line)
      assert.deepStrictEqual(codesOf(page), ["CONTENT_CUT"])
    })
  )

  it.effect("costs no more for many strings without an end than for one", () =>
    Effect.gen(function* () {
      const page = yield* readFirst(onePage({ content: `${operators.join("")}${"((((\n".repeat(20_000)}` }))
      for (const line of lines) assert.include(page.text, line)
      assert.include(codesOf(page), "CONTENT_CUT")
    })
  )
})

describe("content that breaks off", () => {
  const packed = deflateSync(Buffer.from(operators.map((one, index) => `${one}% ${index ** 9}\n`).join("")))
  const flate = "/Filter /FlateDecode"

  it.effect("is read as far as it goes, and tells", () =>
    Effect.gen(function* () {
      const page = yield* readFirst(onePage({ content: stream(packed.subarray(0, packed.length / 2), flate) }))
      assert.strictEqual(page.status, "ok")
      assert.include(page.text, "line 3 of the page")
      assert.notInclude(page.text, "line 39 of the page")
      assert.deepStrictEqual(codesOf(page), ["CONTENT_CUT"])
    })
  )

  it.effect("tells also when it is a part of the content, or of a form", () =>
    Effect.gen(function* () {
      const cut = stream(packed.subarray(0, packed.length / 2), flate)
      const inParts = { content: shows("whole"), page: `/Contents [4 0 R ${firstMore} 0 R]`, more: [cut] }
      assert.deepStrictEqual(codesOf(yield* readFirst(onePage(inParts))), ["CONTENT_CUT"])
      const form = stream(
        packed.subarray(0, packed.length / 2),
        `${flate} /Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >>`
      )
      const page = yield* readFirst(
        onePage({
          content: `${shows("whole", 100)}/Fm Do`,
          resources: `/XObject << /Fm ${firstMore} 0 R >>`,
          more: [form]
        })
      )
      assert.include(page.text, "whole")
      assert.deepStrictEqual(codesOf(page), ["CONTENT_CUT"])
    })
  )

  it.effect("tells when a part of it is missing, and fails when all of it is", () =>
    Effect.gen(function* () {
      const part = yield* readFirst(onePage({ content: shows("first part"), page: "/Contents [4 0 R 99 0 R]" }))
      assert.deepInclude(part, { status: "ok", text: "first part" })
      assert.deepStrictEqual(codesOf(part), ["CONTENT_CUT"])
      const whole = yield* readFirst(onePage({ content: shows("not referred to"), page: "/Contents 99 0 R" }))
      assert.deepInclude(whole, { status: "failed", text: "" })
    })
  )

  /** ASCII 85 and LZW of the content, with something else in the middle. */
  const half = Buffer.from(lines.map((line, index) => shows(line, 740 - 14 * index)).join(""), "latin1")
  for (const [what, content, least] of [
    ["an image that does not end", broken("BI /W 4 /H 4 /BPC 8 /CS /G ID abcdefgh\n"), 9],
    ["characters that ASCII 85 does not know", stream(ascii85(half, "\u0080v\u0081vvv"), "/Filter /ASCII85Decode"), 9],
    [
      "codes that LZW does not define",
      stream(Buffer.concat([lzw(half), Buffer.alloc(64, 0xab)]), "/Filter /LZWDecode"),
      9
    ]
  ] as const) {
    it.effect(`tells when it has ${what}`, () =>
      Effect.gen(function* () {
        const page = yield* readFirst(onePage({ content }))
        assert.include(page.text, `line ${least} of the page`)
        assert.include(codesOf(page), "CONTENT_CUT")
      })
    )
  }

  it.effect("fails when nothing of it can be decoded", () =>
    Effect.gen(function* () {
      const page = yield* readFirst(onePage({ content: stream(packed, "/Filter /LZWDecode") }))
      assert.deepInclude(page, { status: "failed", text: "" })
    })
  )

  for (const [what, content] of [
    ["ASCII 85", stream(ascii85(half), "/Filter /ASCII85Decode")],
    ["LZW", stream(Buffer.concat([lzw(half), Buffer.of(0x80, 0x80)]), "/Filter /LZWDecode")],
    ["images within it", broken("BI /W 4 /H 2 /BPC 8 /CS /G ID abcdefgh EI\n")]
  ] as const) {
    it.effect(`warns of nothing in sound content with ${what}`, () =>
      Effect.gen(function* () {
        const page = yield* readFirst(onePage({ content }))
        assert.include(page.text, "line 39 of the page")
        assert.isUndefined(page.warnings)
      })
    )
  }

  it.effect("warns of nothing where only the checksum is missing", () =>
    Effect.gen(function* () {
      const page = yield* readFirst(onePage({ content: stream(packed.subarray(0, packed.length - 4), flate) }))
      for (const line of lines) assert.include(page.text, line)
      assert.isUndefined(page.warnings)
    })
  )
})
