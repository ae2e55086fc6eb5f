import { assert, describe, it } from "@effect/vitest"
import type { TextSpan } from "../../../src/domain/document/PageLayout.ts"
import { wordsOf } from "../../../src/domain/rendering/Words.ts"
import { layoutOf, line, paragraph, simpleTable, span } from "../../support/layouts.ts"

const wordsOfLine = (...spans: ReadonlyArray<TextSpan>) => wordsOf(layoutOf(paragraph(line(spans))))

describe("The words of a layout", () => {
  it("stand in their order within their span, and fill it", () => {
    const whole = span("One wide word", {}, 100)
    const words = wordsOfLine(whole)
    assert.deepStrictEqual(
      words.map(({ text }) => text),
      ["One", "wide", "word"]
    )
    assert.strictEqual(words[0]?.x, 100)
    const last = words[2]
    assert.closeTo((last?.x ?? 0) + (last?.width ?? 0), whole.box.x + whole.box.width, 0.1)
    assert.isTrue(words.every(({ height, y }) => y === whole.box.y && height === whole.box.height))
  })

  it("go on from one span to the next, unless a blank or what hides them is between", () => {
    const texts = (...spans: ReadonlyArray<TextSpan>) => wordsOfLine(...spans).map(({ text }) => text)
    assert.deepStrictEqual(texts(span("W", { bold: true }), span("ord and", {}, 80)), ["Word", "and"])
    assert.deepStrictEqual(texts(span("a "), span("b", {}, 80)), ["a", "b"])
    assert.deepStrictEqual(texts(span("a"), span("b", { hidden: "tiny" }, 80)), ["a", "b"])
  })

  it("begin at the right where they are read from there, and at the top in turned lines", () => {
    const [first, second] = wordsOfLine(span("אבג דה"))
    assert.isAbove(first?.x ?? 0, second?.x ?? 0)
    const turned: TextSpan = { text: "up and down", size: 10, box: { x: 50, y: 100, width: 10, height: 60 } }
    const [up, and] = wordsOfLine(turned)
    assert.strictEqual(up?.x, 50)
    assert.isBelow(up?.y ?? 0, and?.y ?? 0)
  })

  it("are found in cells of tables, too", () => {
    assert.strictEqual(wordsOf(layoutOf(simpleTable(1, [["a b"], ["c"]]))).length, 3)
  })
})
