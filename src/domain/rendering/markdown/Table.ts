import type { LayoutLine, Table } from "../../document/PageLayout.ts"
import { inlineHtml } from "../html/Inline.ts"
import { htmlTable } from "../html/Table.ts"
import type { Compounds, RenderOptions } from "../RenderOptions.ts"
import { gridOf, hasSpans } from "../TableGrid.ts"
import { inlineMarkdown } from "./Inline.ts"

type Shown = Pick<RenderOptions, "emphasis">

const pipeRow = (cells: ReadonlyArray<string>): string =>
  `|${cells.map((cell) => (cell === "" ? " " : ` ${cell} `)).join("|")}|`

/** Pipes need exactly one row of header; a table without one gets an empty one. */
const pipeTable = (table: Table, compounds: Compounds, options: Shown): string => {
  const cell = (lines: ReadonlyArray<LayoutLine>) => inlineMarkdown(lines, "cell", compounds, options)
  const grid = gridOf(table)
  const rows = grid.rows.map((row) => row.map(({ lines }) => cell(lines)))
  const empty = Array.from({ length: grid.columns }, () => "")
  const [head = empty, ...body] = table.headerRows === 0 ? [empty, ...rows] : rows
  return [head, empty.map(() => "---"), ...body].map(pipeRow).join("\n")
}

/** A table of pipes; of HTML where cells span or the header has more than one row, which pipes cannot show. Both show the same of a cell. */
export const markdownTable = (table: Table, compounds: Compounds, options: Shown): string =>
  hasSpans(table) || table.headerRows > 1
    ? htmlTable(table, (lines) => inlineHtml(lines, compounds, { emphasis: options.emphasis, signs: false }))
    : pipeTable(table, compounds, options)
