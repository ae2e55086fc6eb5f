// A title or a note that is drawn as a row of its table, but stands for itself.
import type { Segment } from "../../Segments.ts"
import { middleOf } from "../Measures.ts"
import type { FoundCell, FoundTable } from "../FoundTable.ts"

const title = /^(table|tab\.|exhibit|figure|tableau|tabelle|abbildung|tabla|cuadro|tabella|quadro)\s+[\dA-Z]/iu
const note = /^(notes?|sources?|exhibit reads|quellen?|anmerkung(en)?|fuente|nota|\*|†|‡)[\s:.]/iu

const longNote = 100

const textOf = ({ segments }: FoundCell): string => segments.map(({ text }) => text).join(" ")

/** The cell that a row consists of, if it reaches over the whole table. */
const onlyCell = ({ cells, columns }: FoundTable, row: number): FoundCell | undefined => {
  const own = cells.filter((cell) => cell.row <= row && row < cell.row + cell.rows)
  return own.length === 1 && own[0]?.columns === columns && own[0].rows === 1 ? own[0] : undefined
}

/** The table without its first rows that are a title, and its last that are notes; `taken` without what they consist of. */
export const withoutNotes = (table: FoundTable): FoundTable => {
  if (table.columns < 2) return table
  let first = 0
  for (let cell = onlyCell(table, first); cell !== undefined && title.test(textOf(cell)); cell = onlyCell(table, first))
    first++
  // All that follows a note belongs to it.
  let last = table.rows - 1
  let row = last
  for (let cell = onlyCell(table, row); row > first && cell !== undefined; cell = onlyCell(table, --row)) {
    if (note.test(textOf(cell)) || textOf(cell).length >= longNote) last = row - 1
  }
  const left = table.cells.filter(({ row }) => row < first || row > last)
  if (left.length === 0 || last - first < 1) return table
  // By their places: those of a cell may be parts of them.
  const isLeft = (segment: Segment): boolean =>
    left.some(({ box }) => middleOf(segment) > box.top && middleOf(segment) < box.bottom)
  const taken = table.taken.filter((segment) => !isLeft(segment))
  const cells = table.cells
    .filter(({ row }) => row >= first && row <= last)
    .map((cell) => ({ ...cell, row: cell.row - first }))
  const top = Math.min(...cells.map(({ box }) => box.top))
  const bottom = Math.max(...cells.map(({ box }) => box.bottom))
  return {
    ...table,
    box: { ...table.box, top, bottom },
    rows: last - first + 1,
    headerRows: Math.max(1, table.headerRows - first),
    slots: table.slots - left.length,
    cells,
    taken
  }
}
