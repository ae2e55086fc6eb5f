import type { LayoutLine, Table } from "../../document/PageLayout.ts"
import { gridOf } from "../TableGrid.ts"

/** The table as HTML without blank lines; `show` gives the inside of a cell, escaped. */
export const htmlTable = (table: Table, show: (lines: ReadonlyArray<LayoutLine>) => string): string => {
  const rows = gridOf(table).rows.map((row, index) => {
    const tag = index < table.headerRows ? "th" : "td"
    const cells = row.map(({ columns, lines, rows }) => {
      const spans = `${rows > 1 ? ` rowspan="${rows}"` : ""}${columns > 1 ? ` colspan="${columns}"` : ""}`
      return `<${tag}${spans}>${show(lines)}</${tag}>`
    })
    return `<tr>${cells.join("")}</tr>`
  })
  const head = rows.slice(0, table.headerRows)
  const body = rows.slice(table.headerRows)
  const part = (tag: string, lines: ReadonlyArray<string>) =>
    lines.length === 0 ? [] : [`<${tag}>`, ...lines, `</${tag}>`]
  return ["<table>", ...part("thead", head), ...part("tbody", body), "</table>"].join("\n")
}
