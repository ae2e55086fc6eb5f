// Tables among the lines of a page: for the order of reading a table is one line as wide as it is, where it begins.
import type { Line } from "../Lines.ts"
import { toLines } from "../Lines.ts"
import type { Segment } from "../Segments.ts"
import type { FoundCell, FoundTable } from "./FoundTable.ts"
import type { FoundTables } from "./Tables.ts"
import { median } from "./Measures.ts"

/** What stands for a table while columns are sought, and the table. */
type Places = ReadonlyMap<Segment, FoundTable>

export const placesOf = ({ tables }: FoundTables): Places =>
  new Map(
    tables.map((table) => {
      const { left, right, top } = table.box
      const size = median(table.taken.map((segment) => segment.size)) || 1
      const baseline = top + 0.8 * size
      return [
        { text: "", left, right, baseline, size, rightToLeft: false, spaced: false, parts: [], ends: [] },
        table
      ] as const
    })
  )

const lineOf = (table: FoundTable, size: number): Line => ({
  ...table.box,
  text: "",
  baseline: table.box.top + 0.8 * size,
  size,
  segments: [],
  isReordered: false,
  table
})

/** The lines of a block, with a line for each table in it. */
export const linesWithTables = (block: ReadonlyArray<Segment>, places: Places): ReadonlyArray<Line> => {
  if (places.size === 0) return toLines(block)
  const tables = block.flatMap((segment) => {
    const table = places.get(segment)
    return table === undefined ? [] : [lineOf(table, segment.size)]
  })
  if (tables.length === 0) return toLines(block)
  const lines = toLines(block.filter((segment) => !places.has(segment)))
  return [...lines, ...tables].sort((one, other) => one.baseline - other.baseline)
}

export const linesOfCell = ({ segments }: FoundCell): ReadonlyArray<Line> => toLines(segments)

/** The table as lines of text: one for each row, its cells one after the other. */
export const linesOfTable = (table: FoundTable): ReadonlyArray<Line> => {
  const rows = Map.groupBy(table.cells, ({ row }) => row)
  return [...rows.values()].map((cells) => {
    const lines = cells.flatMap(linesOfCell)
    const [first] = lines
    return {
      text: lines.map(({ text }) => text).join(" "),
      left: Math.min(...lines.map(({ left }) => left)),
      right: Math.max(...lines.map(({ right }) => right)),
      top: Math.min(...lines.map(({ top }) => top)),
      bottom: Math.max(...lines.map(({ bottom }) => bottom)),
      baseline: first?.baseline ?? 0,
      size: first?.size ?? 1,
      segments: lines.flatMap(({ segments }) => segments),
      isReordered: false
    }
  })
}
