// The blocks of a whole page: those of its columns, its tables, and its pictures among them.
import type { PageLayout } from "../../../../domain/document/PageLayout.ts"
import { shareWithin } from "../Bounds.ts"
import type { Drawn } from "../Drawn.ts"
import type { Viewport } from "../Fragments.ts"
import type { Links } from "../Links.ts"
import type { Column } from "../order/Column.ts"
import { round, toBlock, toTable } from "../PageLayouts.ts"
import { findFigures, isScannedText } from "./Figures.ts"
import { toPageBlocks } from "./PageBlocks.ts"
import { placeFigures } from "./Placing.ts"
import { styledLine } from "./StyledLine.ts"

/** Only upright text is compared with the areas of links. */
const linksOn = ({ frame }: Pick<Column, "frame">, links: Links): Links | undefined =>
  links.isEmpty || frame.ux !== 1 ? undefined : links

/** The layout of a page from its columns. Its source is for the caller to add. */
export const toLayout = (
  columns: ReadonlyArray<Column>,
  drawn: ReadonlyArray<Drawn>,
  links: Links,
  { width, height }: Viewport
): Omit<PageLayout, "source"> => {
  const blocks = toPageBlocks(
    columns.map((column) => ({
      ...column,
      lines: column.lines.map((line) => styledLine(line, linksOn(column, links)))
    })),
    height
  ).flatMap(({ blocks, frame, table }) =>
    table === undefined
      ? blocks.map((block) => toBlock(frame, block))
      : [toTable(frame, table, linksOn({ frame }, links))]
  )
  const tables = columns.flatMap(({ frame, table }) => (table === undefined || frame.ux !== 1 ? [] : [table.box]))
  // What is drawn in a table is its ground and its lines, unless it is an image.
  const pictures = drawn.filter(
    (thing) => thing.kind === "image" || !tables.some((table) => shareWithin(thing, table) > 0.5)
  )
  const figures = findFigures(pictures, width, height, blocks.length > 0)
  const isRecognized = isScannedText(blocks, drawn, width, height)
  return {
    width: round(width),
    height: round(height),
    blocks: placeFigures(blocks, figures),
    ...(isRecognized ? { isRecognized } : undefined)
  }
}
