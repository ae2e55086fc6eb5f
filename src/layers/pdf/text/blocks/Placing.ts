// Where a picture stands in the order of reading: before the text below it.
import type { Block, Box } from "../../../../domain/document/PageLayout.ts"
import type { Bounds } from "../Bounds.ts"
import { boxOnPage } from "../PageLayouts.ts"

/** Whether the block is the first of its column that is read after the picture. */
const comesAfter = (block: Box, { height, width, x, y }: Box): boolean =>
  block.y + block.height / 2 >= y + height / 2 &&
  Math.min(block.x + block.width, x + width) - Math.max(block.x, x) > 0.2 * Math.min(block.width, width)

/** The blocks with the pictures among them. */
export const placeFigures = (blocks: ReadonlyArray<Block>, figures: ReadonlyArray<Bounds>): ReadonlyArray<Block> => {
  if (figures.length === 0) return blocks
  const placed = [...blocks]
  for (const bounds of figures) {
    const box = boxOnPage({ ux: 1, uy: 0 }, bounds)
    const at = placed.findIndex((block) => block._tag !== "header" && comesAfter(block.box, box))
    placed.splice(at < 0 ? placed.length : at, 0, { _tag: "figure", box })
  }
  return placed
}
