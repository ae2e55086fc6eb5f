// Page layouts made by hand: lines below each other, as a reader of a page would find them.
import type { Block, LayoutLine, PageLayout, TableCell, TextSpan } from "../../src/domain/document/PageLayout.ts"

type SpanStyle = Partial<Omit<TextSpan, "text" | "box">>

export const pageWidth = 595
export const pageHeight = 842

export const span = (text: string, style: SpanStyle = {}, x = 72, y = 100): TextSpan => {
  const size = style.size ?? 10
  return { text, box: { x, y, width: text.length * size * 0.5, height: size }, ...style, size }
}

/** A line of spans, or of one text. */
export const line = (parts: string | ReadonlyArray<TextSpan>, style: SpanStyle = {}, x = 72, y = 100): LayoutLine => {
  const spans = typeof parts === "string" ? [span(parts, style, x, y)] : parts
  const width = spans.reduce((sum, { box }) => sum + box.width, 0)
  return { box: { x, y, width, height: spans[0]?.size ?? 10 }, spans }
}

const boxOf = (lines: ReadonlyArray<LayoutLine>) => {
  const x = Math.min(...lines.map(({ box }) => box.x))
  const y = Math.min(...lines.map(({ box }) => box.y))
  const right = Math.max(...lines.map(({ box }) => box.x + box.width))
  const bottom = Math.max(...lines.map(({ box }) => box.y + box.height))
  return { x, y, width: right - x, height: bottom - y }
}

type LinesTag = "paragraph" | "caption" | "code" | "formula" | "footnote" | "header" | "footer"

/** A block of lines, given as texts or lines. */
export const textBlock = (
  tag: LinesTag,
  texts: ReadonlyArray<string | LayoutLine>,
  { style = {}, y = 100 }: { readonly style?: SpanStyle; readonly y?: number } = {}
): Block => {
  const lines = texts.map((text, index) => (typeof text === "string" ? line(text, style, 72, y + index * 12) : text))
  return { _tag: tag, box: boxOf(lines), lines }
}

export const paragraph = (...texts: ReadonlyArray<string | LayoutLine>): Block => textBlock("paragraph", texts)

export const heading = (level: number, text: string, style: SpanStyle = { size: 16, bold: true }): Block => {
  const lines = [line(text, style)]
  return { _tag: "heading", level, box: boxOf(lines), lines }
}

export const item = (marker: string, text: string, depth = 0): Block => {
  const lines = [line(text)]
  return { _tag: "listItem", marker, depth, box: boxOf(lines), lines }
}

/** `[row, column, text, rows, columns]`. */
export type Cell = readonly [row: number, column: number, text: string, rows?: number, columns?: number]

export const table = (rows: number, columns: number, headerRows: number, cells: ReadonlyArray<Cell>): Block => ({
  _tag: "table",
  box: { x: 72, y: 200, width: 400, height: rows * 14 },
  rows,
  columns,
  headerRows,
  cells: cells.map(([row, column, text, rowSpan = 1, columnSpan = 1]): TableCell => ({
    row,
    column,
    rows: rowSpan,
    columns: columnSpan,
    box: { x: 72, y: 200, width: 50, height: 14 },
    lines: text.split("\n").map((each) => line(each))
  }))
})

/** A table without spans of these rows. */
export const simpleTable = (headerRows: number, rows: ReadonlyArray<ReadonlyArray<string>>): Block =>
  table(
    rows.length,
    rows[0]?.length ?? 0,
    headerRows,
    rows.flatMap((texts, row) => texts.flatMap((text, column) => (text === "" ? [] : [[row, column, text] as const])))
  )

export const layoutOf = (...blocks: ReadonlyArray<Block>): PageLayout => ({
  width: pageWidth,
  height: pageHeight,
  blocks,
  source: "geometry"
})
