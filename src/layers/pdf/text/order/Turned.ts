// Text of another direction than most of the page's: the labels of an axis stand where they are seen, a stamp along the margin
// comes last.
import { boxOnPage } from "../PageLayouts.ts"
import type { Box } from "../../../../domain/document/PageLayout.ts"
import type { Line } from "../Lines.ts"
import type { Column } from "./Column.ts"
import { columnBounds } from "./Column.ts"

const mostOfPage = 0.25
const nearestLabels = 4
const mostLabels = 200

/** Neighbouring lines of turned text, apart from those that stand elsewhere. */
const clusters = (column: Column): ReadonlyArray<Column> => {
  const { frame, lines, table } = column
  if (table !== undefined) return [column]
  const found: Array<Array<Line>> = []
  let before: Line | undefined
  for (const line of lines) {
    const open = found.at(-1)
    const near = before !== undefined && Math.abs(line.baseline - before.baseline) <= nearestLabels * line.size
    if (open !== undefined && near) open.push(line)
    else found.push([line])
    before = line
  }
  return found.map((own) => ({ frame, lines: own }))
}

interface Place {
  readonly column: number
  readonly line: number
}

/** Before the first line below the middle of the label, in the column that it stands in. */
const placeOf = (columns: ReadonlyArray<Column>, { height, width, x, y }: Box): Place | undefined => {
  const middle = x + width / 2
  let best: Place | undefined
  let least = Infinity
  columns.forEach((own, column) => {
    const bounds = columnBounds(own)
    const aside = Math.max(0, bounds.left - middle, middle - bounds.right)
    const above = Math.max(0, bounds.top - (y + height), y - bounds.bottom)
    if (aside + above >= least) return
    least = aside + above
    const line = own.lines.findIndex(({ top }) => top >= y + height / 2)
    best = { column, line: line < 0 ? own.lines.length : line }
  })
  return best
}

/** The columns of all directions in the order of reading. `main` are those of most text, which is not turned. */
export const withTurned = (
  main: ReadonlyArray<Column>,
  turned: ReadonlyArray<Column>,
  pageHeight: number
): ReadonlyArray<Column> => {
  const labels = turned.flatMap(clusters)
  const last = labels.filter(
    (label, at) => at >= mostLabels || boxOnPage(label.frame, columnBounds(label)).height > mostOfPage * pageHeight
  )
  if (main.length === 0 || last.length === labels.length) return [...main, ...turned]
  const stamps = new Set(last)
  const placed = new Map<number, Array<{ readonly line: number; readonly label: Column }>>()
  for (const label of labels) {
    if (stamps.has(label)) continue
    const place = placeOf(main, boxOnPage(label.frame, columnBounds(label)))
    if (place === undefined) continue
    const own = placed.get(place.column)
    if (own === undefined) placed.set(place.column, [{ line: place.line, label }])
    else own.push({ line: place.line, label })
  }
  const ordered = main.flatMap((column, at): ReadonlyArray<Column> => {
    const own = placed.get(at)?.sort((one, other) => one.line - other.line)
    if (own === undefined) return [column]
    if (column.table !== undefined) return [column, ...own.map(({ label }) => label)]
    const parts: Array<Column> = []
    let from = 0
    for (const { label, line } of own) {
      parts.push({ ...column, lines: column.lines.slice(from, line) }, label)
      from = line
    }
    return [...parts, { ...column, lines: column.lines.slice(from) }].filter(
      ({ lines, table }) => lines.length > 0 || table !== undefined
    )
  })
  return [...ordered, ...last]
}
