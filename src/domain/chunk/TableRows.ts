// The rows of a table as text, with the lines of each for its place.
import type { LayoutLine, Table } from "../document/PageLayout.ts"
import type { Compounds } from "../rendering/RenderOptions.ts"
import { gridOf } from "../rendering/TableGrid.ts"
import { joinedText } from "../rendering/TextRuns.ts"

export interface TableRow {
  /** Pipes around the cells. A cell that spans columns is followed by empty ones. */
  readonly text: string
  readonly lines: ReadonlyArray<LayoutLine>
}

export interface TableText {
  /** With the rule below it; no row when the table has no header. */
  readonly header: ReadonlyArray<TableRow>
  readonly rows: ReadonlyArray<TableRow>
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("|", "\\|")

export const tableText = (table: Table, compounds: Compounds): TableText => {
  const grid = gridOf(table)
  const rows = grid.rows.map((cells): TableRow => {
    const texts = cells.flatMap(({ columns, lines }) => [
      escaped(joinedText(lines, compounds)),
      ...Array.from({ length: columns - 1 }, () => "")
    ])
    return { text: `| ${texts.join(" | ")} |`, lines: cells.flatMap(({ lines }) => lines) }
  })
  const filled = rows.filter(({ lines }) => lines.length > 0)
  const heads = rows.slice(0, table.headerRows).filter(({ lines }) => lines.length > 0)
  if (heads.length === 0) return { header: [], rows: filled }
  const rule = { text: `|${" --- |".repeat(Math.min(grid.columns, 200))}`, lines: [] }
  return { header: [...heads, rule], rows: filled.slice(heads.length) }
}
