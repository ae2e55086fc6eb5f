import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { pageOfGlyphs, textOfPage } from "../../../support/glyphs.ts"

/** A file with one line, whose glyphs stand for these characters from left to right. */
const drawn = (glyphs: ReadonlyArray<string>) => pageOfGlyphs([{ glyphs, x: 72, y: 700 }])

/** Each glyph a piece of its own, the last first, but for blanks. */
const drawnSingly = (glyphs: ReadonlyArray<string>) =>
  pageOfGlyphs(
    glyphs
      .map((glyph, index) => ({ glyphs: [glyph], x: 72 + 6 * index, y: 700 }))
      .filter(({ glyphs: [glyph] }) => glyph !== " ")
      .toReversed()
  )

/** Each word a piece of its own. */
const drawnByWord = (glyphs: ReadonlyArray<string>) => {
  const words: Array<{ readonly glyphs: Array<string>; readonly x: number; readonly y: number }> = []
  glyphs.forEach((glyph, index) => {
    if (glyph === " ") return
    if (index === 0 || glyphs[index - 1] === " ") words.push({ glyphs: [], x: 72 + 6 * index, y: 700 })
    words.at(-1)?.glyphs.push(glyph)
  })
  return pageOfGlyphs(words)
}

const looks = new Map([..."()[]{}<>«»"].map((bracket, index, all) => [bracket, all[index ^ 1] ?? bracket]))

/**
 * The glyphs of a line of right-to-left text as they stand from left to right. `parts` come in the order of reading; every
 * second one is read from left to right.
 */
const asItLooks = (parts: ReadonlyArray<string>, mirrored = true): ReadonlyArray<string> =>
  parts
    .map((part, index) =>
      index % 2 === 1
        ? [...part]
        : [...part].toReversed().map((letter) => (mirrored ? (looks.get(letter) ?? letter) : letter))
    )
    .toReversed()
    .flat()

describe("right-to-left text", () => {
  it.effect("gives the letters of an Arabic ligature in the order of reading", () =>
    Effect.gen(function* () {
      const lamKhah = "\ufccb"
      assert.strictEqual(yield* textOfPage(drawn(["\u0637", "\ufeee", "\ufec4", lamKhah, "\u0627"])), "الخطوط")
      const lamAlef = "\ufefc"
      assert.strictEqual(yield* textOfPage(drawn(["\ufee1", lamAlef, "\ufeb3"])), "سلام")
    })
  )

  it.effect("puts Hebrew presentation forms into the order of reading", () =>
    Effect.gen(function* () {
      const wideLamed = "\ufb25"
      const wideMem = "\ufb26"
      assert.strictEqual(yield* textOfPage(drawn([wideMem, "ו", wideLamed, "ש"])), "שלום")
      assert.strictEqual(yield* textOfPage(drawn([wideMem, wideLamed])), "לם")
    })
  )

  const lines: ReadonlyArray<ReadonlyArray<string>> = [
    ["דוח לשנת ", "2024", " (רבעון ", "3", ") מחיר ", "1,250.50", ' ש"ח'],
    ["שלום (עולם)"],
    ["(שלום) עולם"],
    ["א (ב [ג] ד) ה"],
    ["ראה [", "12", "] וגם «שלום»"],
    ["שלום <עולם> טוב"],
    ["שלום (", "PDF", ") עולם"],
    ["שלום ", "foo (bar)", " עולם"],
    ["שלום ", "Effect 4.1", " עולם"],
    ["אתר ", "https://example.org/a", " כאן"],
    ["עלה ב־", "5.5%", " השנה"],
    ["טלפון ", "03-1234567", " פקס"],
    ["תאריך ", "12/05/2023", "."],
    ["בין ", "10", " ", "20", " שנים"],
    ["السلام عليكم (مرحبا) ", "2023", " عام"],
    ["عام ", "٢٠٢٣", " (يوم ", "١٢", ")"],
    ["می\u200cخواهم (", "3", ") کتاب\u200cها"]
  ]

  it.effect.each(lines.map((parts) => ({ text: parts.join(""), parts })))(
    "is read in its order, with words and numbers of the other direction: $text",
    ({ text, parts }) =>
      Effect.gen(function* () {
        const glyphs = asItLooks(parts)
        assert.strictEqual(yield* textOfPage(drawn(glyphs)), text)
        assert.strictEqual(yield* textOfPage(drawnByWord(glyphs)), text)
        assert.strictEqual(yield* textOfPage(drawnSingly(glyphs)), text)
      })
  )

  it.effect("has brackets that enclose when the font names them after their meaning", () =>
    Effect.gen(function* () {
      for (const parts of lines.slice(0, 5)) {
        assert.strictEqual(yield* textOfPage(drawn(asItLooks(parts, false))), parts.join(""))
      }
    })
  )

  it.effect("keeps the letters of a glyph that stands for several in their order", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* textOfPage(drawn(["ج", "ا", "ت", "ن", "لإ", "ا"])), "الإنتاج")
      assert.strictEqual(yield* textOfPage(drawn(["م", "ه", "ا", "و", "خ", "ی\u200c", "م"])), "می\u200cخواهم")
    })
  )

  it.effect("is put into a line of Latin text as it is read, with the brackets of that", () =>
    Effect.gen(function* () {
      const glyphs = [..."The word (", ...[..."שלום עולם"].toReversed(), ..."), and so on."]
      assert.strictEqual(yield* textOfPage(drawn(glyphs)), "The word (שלום עולם), and so on.")
    })
  )

  it.effect("keeps joiners, in other scripts too", () =>
    Effect.gen(function* () {
      for (const text of ["क्\u200dष र्\u200cक", "shelf\u200cful"]) {
        assert.strictEqual(yield* textOfPage(drawn([...text])), text)
      }
      assert.strictEqual(yield* textOfPage(drawn([..."ی\u200dر ج \u06dd"].toReversed())), "ی\u200dر ج \u06dd")
    })
  )
})
