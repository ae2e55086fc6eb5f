import { assert, describe, it } from "@effect/vitest"
import { deflateRawSync } from "node:zlib"
import {
  decodeLayout,
  encodeLayout,
  mostEncodedBytes,
  mostLayoutBytes
} from "../../../src/domain/document/LayoutBytes.ts"
import { heading, item, layoutOf, line, paragraph, simpleTable, span } from "../../support/layouts.ts"

describe("bytes of layouts", () => {
  it("hold all of a layout", () => {
    const styled = paragraph(line([span("a", { bold: true, hidden: "tiny", link: "https://example.org/" }), span("ß")]))
    const layout = layoutOf(heading(1, "Title"), styled, item("•", "x"), simpleTable(1, [["a"], ["b"]]))
    const { bytes, isCut } = encodeLayout(layout)
    assert.isFalse(isCut)
    assert.deepStrictEqual(decodeLayout(bytes), layout)
  })

  it("hold the first blocks of a layout that is larger than is kept, and say so", () => {
    const block = paragraph("x".repeat(300_000))
    const { bytes, isCut } = encodeLayout(layoutOf(...Array.from({ length: 30 }, () => block)))
    assert.isTrue(isCut)
    assert.isAtMost(bytes.length, mostEncodedBytes)
    const kept = decodeLayout(bytes)?.blocks.length ?? 0
    assert.isTrue(kept > 10 && kept < 15, `${kept} blocks`)
  })

  it("that hold no layout, or one that would fill the memory, are refused", () => {
    const packed = (value: unknown) => deflateRawSync(JSON.stringify(value))
    assert.isUndefined(decodeLayout(Uint8Array.of(1, 2, 3)))
    assert.isUndefined(decodeLayout(new Uint8Array()))
    assert.isUndefined(decodeLayout(packed(null)))
    assert.isUndefined(decodeLayout(packed({ width: 1, height: 1, blocks: [{ _tag: "script" }], source: "geometry" })))
    assert.isUndefined(decodeLayout(packed({ width: "1", height: 1, blocks: [], source: "geometry" })))
    assert.isUndefined(decodeLayout(deflateRawSync(" ".repeat(mostLayoutBytes + 1))))
  })
})
