import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { findFigures } from "../../../../src/layers/pdf/text/blocks/Figures.ts"
import type { Drawn } from "../../../../src/layers/pdf/text/Drawn.ts"
import { bareMatter, layoutPage } from "../../../../src/layers/pdf/text/Layout.ts"
import { prose, read, readText, set } from "./laidOut.ts"

const drawn = (kind: Drawn["kind"], left: number, top: number, size: number, order = 0): Drawn => ({
  kind,
  left,
  top,
  right: left + size,
  bottom: top + size,
  width: 1,
  tone: 0.5,
  colour: 0x808080,
  order
})

describe("the pictures of a page", () => {
  it.effect("have a box each, pieces of one image have one, and stand before the text below them", () =>
    Effect.gen(function* () {
      const pieces = "q 100 0 0 50 72 500 cm /Im Do Q q 100 0 0 50 72 550 cm /Im Do Q q 80 0 0 80 400 520 cm /Im Do Q"
      const { layout } = yield* readText([...set(prose(3), { y: 140 }), ...set(prose(3), { y: 400 })], pieces)
      assert.deepStrictEqual(
        layout.blocks.map((block) => (block._tag === "figure" ? block.box : block._tag)),
        [
          "paragraph",
          { x: 72, y: 242, width: 100, height: 100 },
          { x: 400, y: 242, width: 80, height: 80 },
          "paragraph"
        ]
      )
    })
  )

  it.effect("are not the ground of the whole page, unless there is nothing else", () =>
    Effect.gen(function* () {
      const withText = yield* read({ pages: [{ scan: true, content: "BT /F1 12 Tf 72 700 Td (Text) Tj ET" }] })
      assert.deepStrictEqual(
        withText.layout.blocks.map(({ _tag }) => _tag),
        ["paragraph"]
      )
      const bare = yield* read({ pages: [{ scan: true }] })
      assert.deepStrictEqual(
        bare.layout.blocks.map(({ _tag }) => _tag),
        ["figure"]
      )
    })
  )

  it("are drawings of many curves, not the lines of tables", () => {
    const curves = Array.from({ length: 12 }, (_, index) => drawn("curves", 100 + 10 * index, 100 + 5 * index, 30))
    assert.strictEqual(findFigures(curves, 600, 800, true).length, 1)
    assert.deepStrictEqual(findFigures(curves.slice(0, 4), 600, 800, true), [])
    const lines = curves.map((thing): Drawn => ({ ...thing, kind: "line" }))
    assert.deepStrictEqual(findFigures(lines, 600, 800, true), [])
  })

  it("are found in bounded time: thousands of images and curves that touch nothing", () => {
    const many = Array.from({ length: 20_000 }, (_, index) =>
      drawn(index % 2 === 0 ? "image" : "curves", (index * 37) % 600, (index * 91) % 800, 1, index)
    )
    const started = process.cpuUsage()
    findFigures(many, 600, 800, true)
    assert.isBelow(process.cpuUsage(started).user, 3_000_000)
  })
})

describe("a hostile page", () => {
  const viewport = { width: 600, height: 800, transform: [1, 0, 0, -1, 0, 800] }
  const run = (str: string, x: number, y: number, size: number) => ({
    str,
    dir: "ltr",
    width: str.length * size * 0.5,
    height: size,
    transform: [size, 0, 0, size, x, 800 - y],
    fontName: "f",
    tone: 1,
    colour: 0xffffff,
    mode: 0,
    drawnBefore: 10_000
  })
  const pages = {
    "items of lists": Array.from({ length: 100_000 }, (_, index) =>
      run(`${index % 9}. item`, (index % 3) * 200, index / 3, 10)
    ),
    "initials and notes": Array.from({ length: 100_000 }, (_, index) =>
      index % 4 === 0
        ? run("T", (index * 7) % 600, (index * 13) % 800, 40)
        : run(`${index % 9} note`, (index * 17) % 600, (index * 29) % 800, 6)
    ),
    "turned labels": Array.from({ length: 50_000 }, (_, index) => ({
      ...run("label", 0, 0, 8),
      transform: [0, 8, -8, 0, (index * 7) % 600, (index * 11) % 800]
    }))
  }
  const records = Array.from({ length: 20_000 }, (_, index) => [
    index % 5,
    index % 600,
    0,
    (index % 600) + 10,
    800,
    1,
    0.9,
    0
  ]).flat()
  const links = Array.from({ length: 5_000 }, (_, index) => ({
    rect: [0, 100, 600, 700],
    target: `#page=${index + 1}`
  }))

  for (const [name, items] of Object.entries(pages)) {
    it(`of ${name} is laid out in bounded time`, () => {
      const started = process.cpuUsage()
      const { layout } = layoutPage(items, { ...bareMatter(viewport), drawn: records, links })
      assert.isAbove(layout.blocks.length, 0)
      assert.isBelow(process.cpuUsage(started).user, 30_000_000)
    })
  }
})
