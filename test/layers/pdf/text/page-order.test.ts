import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { prose, readText, set } from "./laidOut.ts"

/** Which of the words are in the text, in its order. */
const order = (text: string, words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words.toSorted((one, other) => text.indexOf(one) - text.indexOf(other))

describe("the order of reading", () => {
  it.effect("has the notes of all columns after the last column, and before the foot of the page", () =>
    Effect.gen(function* () {
      const { page } = yield* readText([
        ...set(["ALPHA " + prose(1, 40)[0], ...prose(14, 40)], { y: 140 }),
        ...set(["1 NOTEONE in small letters"], { y: 700, size: 8 }),
        ...set(["BETA " + prose(1, 40)[0], ...prose(14, 40)], { x: 320, y: 140 }),
        ...set(["2 NOTETWO in small letters"], { x: 320, y: 700, size: 8 }),
        ...set(["PAGEFOOT"], { x: 280, y: 810, size: 9 })
      ])
      const expected = ["ALPHA", "BETA", "NOTEONE", "NOTETWO", "PAGEFOOT"]
      assert.deepStrictEqual(order(page.text, expected.toReversed()), expected)
    })
  )

  it.effect("has cards one after the other, each below its heading", () =>
    Effect.gen(function* () {
      const card = (x: number, name: string) => [
        ...set([`${name} purpose`], { x, y: 200, size: 16 }),
        ...set([`${name} makes all things so much`, `easier for everyone of us at ${name}`], { x, y: 230 })
      ]
      const { page } = yield* readText([
        ...set(["Three cards"], { y: 120, size: 20 }),
        ...card(72, "One"),
        ...card(250, "Two"),
        ...card(430, "Three")
      ])
      assert.strictEqual(
        page.text.replace(/\n+/g, "|"),
        [
          "Three cards",
          ...["One", "Two", "Three"].map(
            (name) => `${name} purpose|${name} makes all things so much|easier for everyone of us at ${name}`
          )
        ].join("|")
      )
    })
  )

  it.effect("has turned labels where they stand, and a stamp along the margin last", () =>
    Effect.gen(function* () {
      const labels = ["Jan", "Feb", "Mar"].map((text, index) => ({
        text,
        x: 120 + 60 * index,
        y: 560,
        size: 8,
        angle: 90
      }))
      const stamp = {
        text: "A stamp that runs along the margin of this page from its foot to its head",
        x: 30,
        y: 200,
        angle: 90
      }
      const { page } = yield* readText([
        stamp,
        ...set(["100", "50", "0"], { x: 80, y: 160, pitch: 40 }),
        ...labels,
        ...set(["Source: a survey", ...prose(3)], { y: 320 })
      ])
      const expected = ["100", "Jan", "Mar", "Source", "stamp"]
      assert.deepStrictEqual(order(page.text, expected.toReversed()), expected)
    })
  )

  it.effect("closes up the dots that lead to a page number", () =>
    Effect.gen(function* () {
      const { page } = yield* readText(
        set(["Preface . . . . . . . . . . 9", "Introduction . . . . . . . . 12", "One . . . two"], { y: 140 })
      )
      assert.strictEqual(page.text, "Preface .......... 9\nIntroduction ........ 12\nOne . . . two")
    })
  )

  it.effect("begins the first of the lines beside an initial with it", () =>
    Effect.gen(function* () {
      const { page } = yield* readText([
        { text: "T", x: 72, y: 660, size: 40 },
        ...set(["his is the first line of it", "and the second line beside"], { x: 100, y: 152, size: 12 }),
        ...set(["and then the lines go on below the initial"], { y: 186, size: 12 }),
        ...set(prose(3), { y: 204, size: 12 })
      ])
      assert.strictEqual(page.text.split("\n")[0], "This is the first line of it")
      assert.strictEqual(page.text.split("\n")[1], "and the second line beside")
    })
  )
})
