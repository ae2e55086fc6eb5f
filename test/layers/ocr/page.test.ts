import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodeLayout } from "../../../src/domain/document/LayoutBytes.ts"
import type { GreyImage, OcrLine, OcrReading } from "../../../src/services/Ocr.ts"
import { inAnyOrientation } from "../../../src/layers/ocr/AnyOrientation.ts"
import { toPage } from "../../../src/layers/ocr/OcrPage.ts"
import { linesOfTsv } from "../../../src/layers/ocr/Tsv.ts"
import { densest, turned } from "../../../src/layers/ocr/Turning.ts"

/** One line of words, in pixels of a page with two pixels a point: letters 14 high stand on the line. */
const line = (text: string, x: number, y: number, confidence = 95, block = 1): OcrLine => {
  let at = x
  const words = text.split(" ").map((word) => {
    const width = 11 * word.length
    const placed = { text: word, confidence, x: at, y: y - 14, width, height: /[gjpqy,]/.test(word) ? 18 : 14 }
    at += width + 6
    return placed
  })
  return { block, direction: 0, words }
}

const reading = (lines: ReadonlyArray<OcrLine>, confidence = 95): OcrReading => ({ orientation: 0, lines, confidence })
const page = { width: 500, height: 400 }
const textOf = (lines: ReadonlyArray<OcrLine>, confidence?: number) =>
  toPage(reading(lines, confidence), page, 1_000, true)?.reading.text

describe("a recognised page", () => {
  it("has its columns one after the other, and its blocks in points", () => {
    const lines = (column: string) =>
      Array.from({ length: 12 }, (_, row) => `in the ${column} column there is line ${row}`)
    const [left, right] = [lines("first"), lines("other")]
    const rows = left.flatMap((text, index) => [
      line(text, 60, 100 + 26 * index),
      line(right[index] ?? "", 540, 100 + 26 * index)
    ])
    const found = toPage(reading(rows), page, 1_000, true)
    assert.strictEqual(found?.reading.text.replaceAll(/\s+/g, " "), [...left, ...right].join(" "))
    const layout = found?.reading.layout === undefined ? undefined : decodeLayout(found.reading.layout)
    assert.deepStrictEqual(
      layout?.blocks.map(({ _tag }) => _tag),
      ["paragraph", "paragraph"]
    )
    assert.closeTo(layout?.blocks[0]?.box.x ?? 0, 30, 1)
    assert.deepStrictEqual([layout?.width, layout?.height, layout?.isRecognized], [500, 400, true])
    assert.deepStrictEqual(found?.warnings, [])
  })

  it("has no blanks between Chinese words, and one between others", () => {
    let at = 60
    const words = ["开发", "人员", "，", "的", "工作"].map((text) => {
      // The ink of a comma is at the left of its place.
      const place = 22 * text.length
      const width = text === "，" ? 6 : place - 4
      const word = { text, confidence: 90, x: at, y: 80, width, height: 20 }
      at += place
      return word
    })
    assert.strictEqual(textOf([{ block: 1, direction: 0, words }]), "开发人员，的工作")
    assert.strictEqual(textOf([line("one two", 60, 100)]), "one two")
  })

  it("says when its text is not sure, and leaves out what is noise on a picture", () => {
    const unsure = toPage(reading([line("perhaps this", 60, 100, 65)], 65), page, 1_000, false)
    assert.deepStrictEqual(
      unsure?.warnings.map(({ code }) => code),
      ["TEXT_UNSURE"]
    )
    assert.isUndefined(unsure?.reading.layout)
    assert.strictEqual(textOf([line("read well", 60, 100, 90), line("~;| .,", 60, 200, 12)], 50), "read well")
    assert.isUndefined(textOf([line("~;| .,", 60, 200, 12)], 12))
    // On a page that is text, a line of code may have little confidence.
    assert.strictEqual(textOf([line("read well", 60, 100, 90), line("^[x]*", 60, 126, 12)])?.includes("^[x]*"), true)
  })
})

describe("rows of tesseract", () => {
  it("become lines of words, whatever else is among them", () => {
    const row = (line: number, word: number, text: string, box = "10\t20\t30\t12") =>
      `5\t1\t1\t1\t${line}\t${word}\t${box}\t91.5\t${text}`
    const tsv = [
      "level\tpage_num",
      row(1, 1, "one"),
      row(1, 2, "two"),
      "garbage",
      row(2, 1, "down", "5\t5\t10\t60"),
      row(3, 1, " ")
    ]
    assert.deepStrictEqual(
      linesOfTsv(tsv.join("\n")).map(({ direction, words }) => [direction, ...words.map(({ text }) => text)]),
      [
        [0, "one", "two"],
        [90, "down"]
      ]
    )
  })
})

describe("an image", () => {
  it("is turned by quarters, and back", () => {
    const image: GreyImage = { width: 3, height: 2, bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) }
    assert.deepStrictEqual([...turned(image, 90).bytes], [4, 1, 5, 2, 6, 3])
    assert.deepStrictEqual([...turned(image, 180).bytes], [6, 5, 4, 3, 2, 1])
    assert.deepStrictEqual(turned(turned(image, 90), 270), image)
  })

  it("is tried where it is darkest", () => {
    const image: GreyImage = { width: 400, height: 300, bytes: new Uint8Array(120_000).fill(255) }
    for (let y = 200; y < 260; y++) image.bytes.fill(0, y * 400 + 300, y * 400 + 380)
    const part = densest(image, 100)
    assert.deepStrictEqual([part.width, part.height], [100, 100])
    assert.isAbove(part.bytes.filter((value) => value === 0).length, 4_000)
  })

  it.effect("that is read well is read once; a picture is not read a third time", () =>
    Effect.gen(function* () {
      const image: GreyImage = { width: 40, height: 30, bytes: new Uint8Array(1_200) }
      let calls = 0
      const with_ = (confidence: number) =>
        inAnyOrientation(() => Effect.sync(() => (calls++, [line("some words", 0, 20, confidence)])), 200)(image)
      assert.strictEqual((yield* with_(90)).confidence, 90)
      assert.strictEqual(calls, 1)
      assert.strictEqual((yield* with_(30)).orientation, 0)
      assert.strictEqual(calls, 3)
    })
  )
})
