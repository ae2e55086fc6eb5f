import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PlacedGlyphs } from "../../../support/glyphs.ts"
import { pageOfGlyphs, textOfPage } from "../../../support/glyphs.ts"

interface Setting {
  readonly size?: number
  readonly pitch?: number
  readonly distance?: number
}

/** Columns from the right to the left, each letter a piece of its own. */
const upright = (
  columns: ReadonlyArray<string>,
  { size = 12, pitch = 14, distance = 24 }: Setting = {}
): ReadonlyArray<PlacedGlyphs> =>
  columns.flatMap((column, index) =>
    [...column].map((letter, row) => ({ glyphs: [letter], x: 400 - index * distance, y: 700 - row * pitch, size }))
  )

const horizontal = (text: string, x: number, y: number): PlacedGlyphs => ({ glyphs: [...text], x, y })

const read = (placed: ReadonlyArray<PlacedGlyphs>) => textOfPage(pageOfGlyphs(placed, true))

const columns = ["いつもおせわに", "なっております", "頓首"]
const text = columns.join("\n")

const orders: Readonly<Record<string, (one: PlacedGlyphs, other: PlacedGlyphs) => number>> = {
  "column by column": () => 0,
  "row by row from the right": (one, other) => other.y - one.y || other.x - one.x,
  "row by row from the left": (one, other) => other.y - one.y || one.x - other.x,
  "from the left column on": (one, other) => one.x - other.x || other.y - one.y
}

describe("upright text whose letters are placed one by one", () => {
  it.effect.each(Object.keys(orders))("is read in columns from the right when it is drawn %s", (order) =>
    Effect.gen(function* () {
      for (const setting of [
        {},
        { pitch: 12, distance: 20 },
        { size: 20, pitch: 21, distance: 34 },
        { pitch: 17, distance: 30 }
      ]) {
        const placed = upright(columns, setting).toSorted(orders[order])
        assert.strictEqual(yield* read(placed), text, JSON.stringify(setting))
      }
    })
  )

  it.effect("has a place beside a title and a number that are not upright", () =>
    Effect.gen(function* () {
      const placed = [horizontal("題名である", 200, 780), ...upright(columns), horizontal("十二", 300, 40)]
      assert.strictEqual(yield* read(placed), `${text}\n\n題名である\n十二`)
    })
  )

  it.effect("leaves tables of words and of single letters in rows", () =>
    Effect.gen(function* () {
      const rows = [
        ["甲", "東京", "一"],
        ["乙", "大阪", "二"],
        ["丙", "京都", "三"],
        ["丁", "奈良", "四"]
      ]
      for (const pitch of [15, 18, 24]) {
        const placed = rows.flatMap((row, index) =>
          row.map((cell, column) => horizontal(cell, 72 + 60 * column, 700 - pitch * index))
        )
        assert.strictEqual(yield* read(placed), rows.map((row) => row.join(" ")).join("\n"))
      }
      const single = ["男女男", "女男女", "男男女"]
      const placed = single.flatMap((row, index) =>
        [...row].map((cell, column) => horizontal(cell, 72 + 40 * column, 700 - 24 * index))
      )
      assert.strictEqual(yield* read(placed), single.map((row) => [...row].join(" ")).join("\n"))
    })
  )
})
