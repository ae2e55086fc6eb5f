// From blocks in the coordinates of their frames to the value that the engine hands on.
import type { Block, Box, LayoutLine, Table, TextSpan } from "../../../domain/document/PageLayout.ts"
import type { Bounds } from "./Bounds.ts"
import type { TextBlock } from "./blocks/TextBlock.ts"
import { blockBounds } from "./blocks/TextBlock.ts"
import { type StyledLine, styledLine } from "./blocks/StyledLine.ts"
import type { Frame } from "./Fragments.ts"
import { bold, hiddenBy, italic, mono } from "./Looks.ts"
import type { Links } from "./Links.ts"
import { toLines } from "./Lines.ts"
import type { Span } from "./lines/Spans.ts"
import type { FoundTable } from "./tables/Tables.ts"

// A file can push a place beyond all numbers. It becomes 0: neither JSON nor the store can hold infinity.
export const round = (value: number): number => (Number.isFinite(value * 100) ? Math.round(value * 100) / 100 : 0)

type Direction = Pick<Frame, "ux" | "uy">

/** The box on the displayed page. */
export const boxOnPage = ({ ux, uy }: Direction, { left, right, top, bottom }: Bounds): Box => {
  if (uy === 0 && ux === 1) {
    return { x: round(left), y: round(top), width: round(right - left), height: round(bottom - top) }
  }
  // The box around the turned box.
  const xs = [left * ux - top * uy, right * ux - top * uy, left * ux - bottom * uy, right * ux - bottom * uy]
  const ys = [left * uy + top * ux, right * uy + top * ux, left * uy + bottom * ux, right * uy + bottom * ux]
  const x = Math.min(...xs)
  const y = Math.min(...ys)
  return { x: round(x), y: round(y), width: round(Math.max(...xs) - x), height: round(Math.max(...ys) - y) }
}

type OpenSpan = { -readonly [Key in keyof TextSpan]: TextSpan[Key] }

// Assignments, since a page has hundreds of spans, and spreading a field that is mostly absent costs much more.
const toSpan = (frame: Direction, span: Span): TextSpan => {
  const { look, size, text } = span
  const top = span.baseline - 0.8 * size
  const box = boxOnPage(frame, { left: span.left, right: span.right, top, bottom: top + size })
  const open: OpenSpan = { text, box, size: round(size) }
  if (look !== 0) {
    const hidden = hiddenBy(look)
    if ((look & bold) !== 0) open.bold = true
    if ((look & italic) !== 0) open.italic = true
    if ((look & mono) !== 0) open.mono = true
    if (hidden !== undefined) open.hidden = hidden
  }
  if (span.raised) open.raised = true
  if (span.link !== undefined) open.link = span.link
  return open
}

export const toLayoutLine = (frame: Direction, line: StyledLine): LayoutLine => ({
  box: boxOnPage(frame, line),
  spans: line.spans.map((span) => toSpan(frame, span))
})

export const toBlock = (frame: Direction, block: TextBlock): Block => {
  const box = boxOnPage(frame, blockBounds(block))
  const lines = block.lines.map((line) => toLayoutLine(frame, line))
  switch (block.kind) {
    case "heading":
      return { _tag: "heading", level: block.level, box, lines }
    case "listItem":
      return { _tag: "listItem", marker: block.marker, depth: block.depth, box, lines }
    case "paragraph":
      return { _tag: "paragraph", box, lines, ...(block.continues ? { continues: true } : undefined) }
    default:
      return { _tag: block.kind, box, lines }
  }
}

export const toTable = (
  frame: Direction,
  { box, cells, columns, headerRows, rows }: FoundTable,
  links: Links | undefined
): Table => ({
  _tag: "table",
  box: boxOnPage(frame, box),
  rows,
  columns,
  headerRows,
  cells: cells.map((cell) => ({
    row: cell.row,
    column: cell.column,
    rows: cell.rows,
    columns: cell.columns,
    box: boxOnPage(frame, cell.box),
    lines: toLines(cell.segments).map((line) => toLayoutLine(frame, styledLine(line, links)))
  }))
})
