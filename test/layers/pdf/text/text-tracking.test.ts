import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { textOfPage } from "../../../support/glyphs.ts"
import { show, widthOf } from "../../../support/helvetica.ts"
import { makePdf } from "../../../support/pdf.ts"

const texts = ["RING PHYSICS ISSUES", "SUMMARY", "ANNUAL REPORT 2023", "Introduction", "HEAD & SHOULDERS", "I AM A CAT"]

const literal = (text: string): string => `(${text.replace(/[\\()]/g, "\\$&")})`

/** `apart` is in parts of the font size. */
const ways: Readonly<Record<string, (text: string, size: number, apart: number) => string>> = {
  "character spacing": (text, size, apart) => `BT /F1 ${size} Tf ${apart * size} Tc 72 700 Td ${literal(text)} Tj ET`,
  "offsets between letters": (text, size, apart) =>
    `BT /F1 ${size} Tf 72 700 Td [${[...text].map((letter) => `${literal(letter)} ${-1000 * apart}`).join(" ")}] TJ ET`,
  "offsets between letters and words": (text, size, apart) => {
    const words = text
      .split(" ")
      .map((word) => [...word].map((letter) => `${literal(letter)} ${-1000 * apart}`).join(" "))
    return `BT /F1 ${size} Tf 72 700 Td [${words.join(` ${-278 - 1000 * apart} `)}] TJ ET`
  },
  "a place for each letter": (text, size, apart) =>
    [...text]
      .map((letter, index) => show(letter, 72 + (widthOf(text.slice(0, index)) + index * apart) * size, 700, size))
      .filter((_, index) => text[index] !== " ")
      .join("\n")
}

const read = (content: string) => textOfPage(makePdf({ pages: [{ content }] }))

describe("letters set apart", () => {
  it.effect.each(Object.keys(ways))("are words when they are set apart by %s", (way) =>
    Effect.gen(function* () {
      for (const text of texts) {
        for (const [size, apart] of [
          [12, 0.125],
          [8, 0.2],
          [20, 0.3],
          [12, 0.6],
          [12, 0.8]
        ] as const) {
          assert.strictEqual(yield* read(ways[way]?.(text, size, apart) ?? ""), text, `${size} ${apart}`)
        }
      }
    })
  )

  it.effect("are words between ordinary lines, and beside ordinary words", () =>
    Effect.gen(function* () {
      const line = show("an ordinary line of text", 72, 720, 12)
      const apart = "BT /F1 12 Tf 2 Tc 72 700 Td (BY ITSELF) Tj 0 Tc ( and so on) Tj ET"
      assert.strictEqual(yield* read(`${line}\n${apart}`), "an ordinary line of text\nBY ITSELF and so on")
    })
  )

  it.effect.each([
    "A B C D E F",
    "1 2 3 4 5 6 7",
    "J R R Tolkien and C S Lewis",
    "y = a x + b z - c",
    "A C G T T A G C A",
    "if a is b or I am I x y z"
  ])("stay apart where the file has a blank between them: %s", (text) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* read(`BT /F1 12 Tf 72 700 Td (${text}) Tj ET`), text)
    })
  )

  it.effect.each(["12345678", "YNYYNNY", "ABCDEF", "MTWTFSS"])("stay apart in columns: %s", (letters) =>
    Effect.gen(function* () {
      const content = [...letters].map((letter, index) => show(letter, 72 + 18 * index, 700, 12)).join("\n")
      assert.strictEqual(yield* read(content), [...letters].join(" "))
    })
  )

  it.effect("stay apart as the variables of a formula", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* read("BT /F1 12 Tf 72 700 Td [(a) -200 (b) -200 (c) -200 (x) -200 (y)] TJ ET"),
        "a b c x y"
      )
    })
  )

  it.effect("are no words where character spacing alone parts words", () =>
    Effect.gen(function* () {
      const pieces = ["r", "=", "0", "but", "the", "second"].map(
        (word) => `0 Tc (${word.slice(0, -1)}) Tj 3 Tc (${word.slice(-1)}) Tj`
      )
      assert.strictEqual(yield* read(`BT /F1 12 Tf 72 700 Td ${pieces.join(" ")} ET`), "r = 0 but the second")
    })
  )
})
