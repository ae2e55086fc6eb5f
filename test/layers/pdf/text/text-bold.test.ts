import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { textOfPage } from "../../../support/glyphs.ts"
import { show, widthOf } from "../../../support/helvetica.ts"
import { makePdf } from "../../../support/pdf.ts"

const texts = ["BOLD TEXT", "BOOKKEEPER", "illicit fill", "Hello, World 1001"]

/** Where each letter starts. */
const starts = (text: string, size: number): ReadonlyArray<readonly [letter: string, x: number]> =>
  [...text].map((letter, index) => [letter, 72 + widthOf(text.slice(0, index)) * size] as const)

interface Copies {
  readonly size: number
  /** In parts of the size. */
  readonly shift: number
  readonly drop: number
  readonly count: number
}

const offsets = ({ size, shift, drop, count }: Copies): ReadonlyArray<readonly [dx: number, dy: number]> =>
  Array.from({ length: count }, (_, index) => [index * shift * size, -index * drop * size] as const)

const ways: Readonly<Record<string, (text: string, copies: Copies) => ReadonlyArray<string>>> = {
  "letter by letter": (text, copies) =>
    starts(text, copies.size).flatMap(([letter, x]) =>
      offsets(copies).map(([dx, dy]) => show(letter, x + dx, 700 + dy, copies.size))
    ),
  "one after the other, letter by letter": (text, copies) =>
    offsets(copies).flatMap(([dx, dy]) =>
      starts(text, copies.size).map(([letter, x]) => show(letter, x + dx, 700 + dy, copies.size))
    ),
  "as a whole": (text, copies) => offsets(copies).map(([dx, dy]) => show(text, 72 + dx, 700 + dy, copies.size)),
  "as a whole and then word by word": (text, copies) => [
    show(text, 72, 700, copies.size),
    ...text.split(" ").map((word, index, words) => {
      const before = words.slice(0, index).map((other) => `${other} `)
      return show(word, 72 + widthOf(before.join("")) * copies.size + copies.shift * copies.size, 700, copies.size)
    })
  ]
}

const copies: ReadonlyArray<Copies> = [
  { size: 12, shift: 0.025, drop: 0, count: 2 },
  { size: 7, shift: 0.01, drop: 0, count: 4 },
  { size: 24, shift: 0.05, drop: 0, count: 3 },
  { size: 12, shift: 0.03, drop: 0.03, count: 2 },
  { size: 12, shift: 0, drop: 0.04, count: 3 }
]

describe("text that is printed more than once for weight", () => {
  it.effect.each(Object.keys(ways))("is read once when it is printed %s", (way) =>
    Effect.gen(function* () {
      for (const text of texts) {
        for (const each of copies) {
          const content = ways[way]?.(text, each).join("\n") ?? ""
          assert.strictEqual(yield* textOfPage(makePdf({ pages: [{ content }] })), text, JSON.stringify(each))
        }
      }
    })
  )

  it.effect("is read once when the copy goes on in other text", () =>
    Effect.gen(function* () {
      const content = [show("Mississippi", 72, 700, 12), show("Mississippi and more", 72.4, 700, 12)].join("\n")
      assert.strictEqual(yield* textOfPage(makePdf({ pages: [{ content }] })), "Mississippi and more")
    })
  )

  it.effect("keeps letters that are doubled and placed one by one", () =>
    Effect.gen(function* () {
      for (const text of ["BOOK", "llama", "WWII 1001", "bookkeeper"]) {
        const content = starts(text, 12).map(([letter, x]) => show(letter, x, 700, 12))
        assert.strictEqual(yield* textOfPage(makePdf({ pages: [{ content: content.join("\n") }] })), text)
      }
    })
  )

  it.effect("keeps the same word in two places of a line", () =>
    Effect.gen(function* () {
      const content = [show("one", 72, 700, 12), show("one", 100, 700, 12), show("two", 86, 690, 12)].join("\n")
      assert.strictEqual(yield* textOfPage(makePdf({ pages: [{ content }] })), "one one\ntwo")
    })
  )
})
