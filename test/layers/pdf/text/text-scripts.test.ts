import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { textOfPage } from "../../../support/glyphs.ts"
import { show, widthOf } from "../../../support/helvetica.ts"
import { makePdf } from "../../../support/pdf.ts"

interface Style {
  readonly size: number
  /** Of the small text's size to that of the line. */
  readonly ratio: number
  /** In parts of the line's size: raised above 0, lowered below it. */
  readonly raised: number
}

/** Every second part is small. */
const draw = (parts: ReadonlyArray<string>, y: number, { size, ratio, raised }: Style) => {
  let x = 72
  return parts.map((text, index) => {
    const [own, rise] = index % 2 === 1 ? [ratio * size, raised * size] : [size, 0]
    const operators = show(text, x, y + rise, own)
    x += widthOf(text) * own
    return operators
  })
}

const read = (content: ReadonlyArray<string>) => textOfPage(makePdf({ pages: [{ content: content.join("\n") }] }))

const styles = [8, 12, 24].flatMap((size) =>
  [0.5, 0.583, 0.7, 0.8].flatMap((ratio) => [0.1, 0.2, 1 / 3, 0.45].map((shift) => ({ size, ratio, shift })))
)

describe("small text that is raised or lowered", () => {
  it.effect("stays on its line as a subscript, with lines above and below", () =>
    Effect.gen(function* () {
      for (const { size, ratio, shift } of styles) {
        const style = { size, ratio, raised: -shift }
        const content = [
          ...draw(["above is CO", "2", " gas"], 700 + 1.2 * size, style),
          ...draw(["The H", "2", "SO", "4", " bath"], 700, style),
          ...draw(["below is x", "i", " alone"], 700 - 1.2 * size, style)
        ]
        assert.strictEqual(
          yield* read(content),
          "above is CO2 gas\nThe H2SO4 bath\nbelow is xi alone",
          JSON.stringify(style)
        )
      }
    })
  )

  it.effect("stays on its line as an exponent, an ordinal or the mark of a note", () =>
    Effect.gen(function* () {
      for (const { size, ratio, shift } of styles) {
        const style = { size, ratio, raised: shift }
        const content = [
          ...draw(["above is a mark", "7", " here"], 700 + 1.2 * size, style),
          ...draw(["The 1", "st", " and a word", "12", " of mc", "2"], 700, style),
          ...draw(["below are 10", "-3", " m"], 700 - 1.2 * size, style),
          ...draw(["", "1", "See above."], 700 - 2.4 * size, style)
        ]
        assert.strictEqual(
          yield* read(content),
          "above is a mark7 here\nThe 1st and a word12 of mc2\nbelow are 10-3 m\n1See above.",
          JSON.stringify(style)
        )
      }
    })
  )

  it.effect("finds its place in a line that is drawn before it", () =>
    Effect.gen(function* () {
      for (const { size, ratio, shift } of styles) {
        const style = { size, ratio, raised: -shift }
        const drawn = draw(["The H", "2", "SO", "4", " bath"], 700, style)
        const content = [...drawn.filter((_, index) => index % 2 === 0), ...drawn.filter((_, index) => index % 2 === 1)]
        assert.strictEqual(yield* read(content), "The H2SO4 bath", JSON.stringify(style))
      }
    })
  )

  it.effect("is a line of its own below a line of larger text", () =>
    Effect.gen(function* () {
      const content = [show("A heading", 72, 700, 12), show("and what is below", 72, 690, 8)]
      assert.strictEqual(yield* read(content), "A heading\nand what is below")
    })
  )
})
