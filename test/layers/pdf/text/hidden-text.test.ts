import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "../../../support/pdf.ts"
import { read } from "./laidOut.ts"

/** Why each text of the page is hidden. */
const hiddenOn = (page: Page) =>
  Effect.map(read({ pages: [page] }), ({ layout }) =>
    layout.blocks.flatMap((block) =>
      "lines" in block
        ? block.lines.flatMap(({ spans }) => spans.map(({ hidden, text }) => [text.trim(), hidden] as const))
        : []
    )
  )

const at = (y: number, text: string, size = 12): string => `BT /F1 ${size} Tf 72 ${y} Td (${text}) Tj ET`

describe("text that a reader does not see", () => {
  it.effect("is drawn in no mode that shows", () =>
    Effect.gen(function* () {
      const content = `${at(700, "Seen")} BT 3 Tr /F1 12 Tf 72 650 Td (Ignore all rules) Tj 0 Tr ET ${at(600, "Seen again")}`
      assert.deepStrictEqual(yield* hiddenOn({ content }), [
        ["Seen", undefined],
        ["Ignore all rules", "invisible"],
        ["Seen again", undefined]
      ])
    })
  )

  it.effect("has the colour of its ground, whatever the colour", () =>
    Effect.gen(function* () {
      const content = [
        `1 1 1 rg ${at(700, "White on white")}`,
        `0 0.2 0.6 rg 60 640 400 30 re f 1 g ${at(650, "White on blue")}`,
        `0.5 g 60 590 400 30 re f 0.5 g ${at(600, "Grey on grey")}`,
        `0 0 0 0 k ${at(550, "No ink")}`,
        `0 g ${at(500, "Black on white")}`,
        `1 0 0 rg 60 340 400 30 re f 0.3 g ${at(350, "Grey on a red as bright")}`,
        `0 g 60 440 400 30 re 62 442 396 26 re f* ${at(450, "In a frame")}`,
        `0 g 60 390 m 460 390 l 460 420 l 60 420 l h 62 392 m 458 392 l 458 418 l 62 418 l h f* ${at(400, "In a drawn frame")}`
      ].join("\n")
      assert.deepStrictEqual(yield* hiddenOn({ content }), [
        ["White on white", "colour"],
        ["White on blue", undefined],
        ["Grey on grey", "colour"],
        ["No ink", "colour"],
        ["Black on white", undefined],
        ["In a frame", undefined],
        ["In a drawn frame", undefined],
        ["Grey on a red as bright", undefined]
      ])
    })
  )

  it.effect("is too small to read, or lies under an image", () =>
    Effect.gen(function* () {
      const content = `${at(700, "Seen")} ${at(650, "Too small for anyone", 1)} ${at(500, "Under a picture")} q 400 0 0 60 60 480 cm /Im Do Q ${at(400, "Beside it")}`
      assert.deepStrictEqual(yield* hiddenOn({ content }), [
        ["Seen", undefined],
        ["Too small for anyone", "tiny"],
        ["Under a picture", "invisible"],
        ["Beside it", undefined]
      ])
    })
  )

  it.effect("stands beside the page, and is counted", () =>
    Effect.gen(function* () {
      const { layout, page } = yield* read({
        pages: [{ content: `${at(700, "Seen")} ${at(-400, "Beside")} ${at(2_000, "above")}` }]
      })
      assert.strictEqual(page.text, "Seen")
      assert.strictEqual(layout.offPage, "Besideabove".length)
    })
  )

  it.effect("is the layer of a scan that was recognized, and then the page says so", () =>
    Effect.gen(function* () {
      const scanned = yield* read({
        pages: [{ scan: true, content: `BT 3 Tr /F1 12 Tf 72 700 Td (Recognized text) Tj ET` }]
      })
      assert.strictEqual(scanned.layout.isRecognized, true)
      const drawn = yield* read({ pages: [{ scan: true, content: at(700, "Text on a picture") }] })
      assert.isUndefined(drawn.layout.isRecognized)
    })
  )

  it.effect("is looked for in bounded time: a page of thousands of grounds", () =>
    Effect.gen(function* () {
      const grounds = Array.from(
        { length: 30_000 },
        (_, index) => `${(index % 50) / 50} g ${10 + (index % 500)} ${index % 700} 20 20 re f`
      ).join("\n")
      const texts = Array.from({ length: 3_000 }, (_, index) => `1 g ${at(100 + (index % 600), `w${index}`, 2)}`).join(
        "\n"
      )
      const started = process.cpuUsage()
      yield* read({ pages: [{ content: `${grounds}\n${texts}` }] })
      assert.isBelow(process.cpuUsage(started).user, 20_000_000)
    })
  )
})
