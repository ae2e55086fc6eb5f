// Tables that only the places of their text show: lines that follow each other and have their gaps at the same places.
import type { Segment } from "../../Segments.ts"
import { assemble } from "./Assembly.ts"
import type { Column } from "./Columns.ts"
import { bordersOf, cutRows, findColumns, mostColumns } from "./Columns.ts"
import { extentOf, median } from "../Measures.ts"
import type { FoundTable } from "../FoundTable.ts"
import { toRowGroups } from "./RowGroups.ts"
import { toTableLines } from "./TableLine.ts"
import { cutSegment } from "../Pieces.ts"
import type { Ruling, Rulings } from "../Rulings.ts"
import type { TextRow } from "../Rows.ts"
import { isNumeric, toRows, usualSize } from "../Rows.ts"

// In parts of the font size.
const farthestRow = 3
const farthestHead = 2.2
const farthestLine = 1.6
const cellGap = 0.9
const touching = 0.2
const proseWidth = 15

/** Lines of several pieces that a table without rulings has at least; one of two columns has a number in so many. */
export const fewestLines = 3
const fewestNumbers = 5

const mostHeadLines = 4
const mostLooseLines = 2

const hasGap = ({ pieces }: TextRow, em: number): boolean =>
  pieces.some((piece, index) => index > 0 && piece.left - (pieces[index - 1]?.right ?? Infinity) >= cellGap * em)

/** Which of the columns a piece touches: the first and the last; `from` greater than `to` if it stands between them. */
const touched = (
  columns: ReadonlyArray<Column>,
  { left, right }: Column,
  em: number
): { readonly from: number; readonly to: number } => {
  let from = columns.length
  let to = -1
  for (const [index, column] of columns.entries()) {
    if (Math.min(right, column.right) - Math.max(left, column.left) <= -touching * em) continue
    from = Math.min(from, index)
    to = index
  }
  return { from, to }
}

/** The columns with a further line, or undefined if that line has other columns. */
const withLine = (columns: ReadonlyArray<Column>, row: TextRow, em: number): ReadonlyArray<Column> | undefined => {
  if (row.pieces.length > mostColumns || columns.length > mostColumns) return undefined
  let grown: ReadonlyArray<Column> = columns
  let across = 0
  const taken = new Set<Column>()
  for (const piece of row.pieces) {
    const { from, to } = touched(grown, piece, em)
    if (to > from) {
      if (++across > 1 || row.pieces.length < 3) return undefined
      continue
    }
    const own = grown[from]
    const next = {
      left: Math.min(own?.left ?? Infinity, piece.left),
      right: Math.max(own?.right ?? -Infinity, piece.right)
    }
    if (own !== undefined && taken.has(own)) return undefined
    taken.add(next)
    grown = [...grown.filter((column) => column !== own), next].sort((one, other) => one.left - other.left)
  }
  // A line that makes two columns touch each other has other columns.
  for (let index = 1; index < grown.length; index++) {
    if ((grown[index]?.left ?? 0) - (grown[index - 1]?.right ?? 0) < touching * em) return undefined
  }
  return grown
}

interface Run {
  /** Which of all lines it has: from the first to before the last. */
  from: number
  until: number
}

const findRuns = (rows: ReadonlyArray<TextRow>, em: number): ReadonlyArray<Run> => {
  const runs: Array<Run> = []
  let columns: ReadonlyArray<Column> = []
  let open: Run | undefined
  let loose = 0
  const end = (): void => {
    if (open !== undefined && open.until - open.from - loose >= 2)
      runs.push({ from: open.from, until: open.until - loose })
    open = undefined
    loose = 0
  }
  for (const [index, row] of rows.entries()) {
    const last = rows[index - 1]
    if (open !== undefined && last !== undefined && row.baseline - last.baseline > farthestRow * em) end()
    const isRow = hasGap(row, em)
    if (open !== undefined) {
      const grown = withLine(columns, row, em)
      const isLoose = !isRow && row.pieces.length === 1
      if (grown !== undefined && (isRow || (isLoose && grown.length === columns.length && loose < mostLooseLines))) {
        columns = isRow ? grown : columns
        open.until = index + 1
        loose = isRow ? 0 : loose + 1
        continue
      }
      end()
    }
    const own = isRow ? withLine([], row, em) : undefined
    if (own === undefined) continue
    open = { from: index, until: index + 1 }
    columns = own
  }
  end()
  return runs
}

/** Whether a line without wide gaps has a word for each column. */
const isHeadInOne = ({ pieces }: TextRow, rows: ReadonlyArray<TextRow>, em: number): boolean => {
  const [piece] = pieces
  if (piece === undefined || pieces.length > 1) return false
  const { columns } = findColumns(rows, em)
  return columns.length >= 3 && cutSegment(piece, bordersOf(columns)).length === columns.length
}

/** Lines above a run that are its head, though their cells lie across its columns. */
const withHead = (rows: ReadonlyArray<TextRow>, run: Run, first: number, em: number): Run => {
  const own = rows.slice(run.from, run.until)
  const left = Math.min(...own.map((row) => row.left))
  const right = Math.max(...own.map((row) => row.right))
  let { from } = run
  for (let count = 0; count < mostHeadLines && from > first; count++) {
    const [above, below] = [rows[from - 1], rows[from]]
    if (above === undefined || below === undefined) break
    if (below.baseline - above.baseline > farthestHead * em || above.size > 1.3 * em) break
    if (above.left < left - em || above.right > right + em) break
    if (!hasGap(above, em) && !isHeadInOne(above, own, em)) {
      // The last line of a caption or a paragraph is no head.
      const before = rows[from - 2]
      if (before !== undefined && above.baseline - before.baseline < farthestLine * em && !hasGap(before, em)) break
      if (above.right - above.left > 0.75 * (right - left) || above.left < left + 2 * em) break
    }
    from--
  }
  return { from, until: run.until }
}

interface Side {
  readonly left: number
  readonly right: number
}

/** Columns of prose, beside which a table may stand. */
const proseColumns = (
  rows: ReadonlyArray<TextRow>,
  columns: ReadonlyArray<Column>,
  em: number
): ReadonlyArray<Column> =>
  columns.filter(({ left, right }) => {
    if (right - left < proseWidth * em) return false
    const own = rows.flatMap(({ pieces }) => pieces.filter((piece) => piece.left < right && piece.right > left))
    const long = own.filter((piece) => piece.right - piece.left > 0.8 * (right - left)).length
    return long >= 3 && long >= 0.6 * own.length
  })

const alignment = (rows: ReadonlyArray<TextRow>, columns: ReadonlyArray<Column>, em: number): number => {
  let aligned = 0
  for (const { left, right } of columns) {
    const own = rows.flatMap(({ pieces }) =>
      pieces.filter((piece) => piece.left >= left - 0.1 * em && piece.right <= right + 0.1 * em)
    )
    const places = [
      own.map((piece) => piece.left),
      own.map((piece) => piece.right),
      own.map((piece) => (piece.left + piece.right) / 2)
    ]
    const isAligned = places.some((values) => {
      const usual = median(values)
      return values.filter((value) => Math.abs(value - usual) <= 0.5 * em).length >= 0.6 * values.length
    })
    if (isAligned) aligned++
  }
  return columns.length === 0 ? 0 : aligned / columns.length
}

/** Whether enough lines have several cells. Almost all runs of a page of prose end here. */
const mayBeTable = (rows: ReadonlyArray<TextRow>, columns: number): boolean => {
  if (rows.filter(({ pieces }) => pieces.length > 1).length < fewestLines) return false
  if (columns > 2) return true
  const numbers = rows.filter(({ pieces }) => pieces.some(({ text }) => isNumeric(text))).length
  return numbers >= fewestNumbers
}

const build = (rows: ReadonlyArray<TextRow>, em: number, rulings: ReadonlyArray<Ruling>): FoundTable | undefined => {
  const taken = rows.flatMap(({ pieces }) => pieces)
  const rough = findColumns(rows, em)
  if (rough.columns.length < 2) return undefined
  const cut = cutRows(rows, rough)
  if (!mayBeTable(cut, rough.columns.length)) return undefined
  const columns = findColumns(cut, em)
  if (alignment(cut, columns.columns, em) < 0.7) return undefined
  const groups = toRowGroups(toTableLines(cut, columns, em), columns, [])
  return { ...assemble(groups, columns, extentOf(taken), em, rulings), taken }
}

const deepest = 3

const search = (
  rows: ReadonlyArray<TextRow>,
  em: number,
  rulings: ReadonlyArray<Ruling>,
  depth: number
): ReadonlyArray<FoundTable> => {
  let done = 0
  return findRuns(rows, em).flatMap((found) => {
    const core = rows.slice(found.from, found.until)
    const { columns } = findColumns(core, em)
    const prose = proseColumns(core, columns, em)
    if (prose.length > 0) {
      if (depth >= deepest) return []
      // Beside prose, or between two columns of it: what is left of it, and what is right of it.
      const sides: Array<Side> = []
      let left = -Infinity
      for (const column of [...prose, { left: Infinity, right: Infinity }]) {
        sides.push({ left, right: column.left })
        left = column.right
      }
      const all = core.flatMap(({ pieces }) => pieces)
      return sides.flatMap((side) => {
        const own = all.filter((piece) => piece.left >= side.left && piece.right <= side.right)
        return own.length < 6 ? [] : search(toRows(own), em, rulings, depth + 1)
      })
    }
    const run = withHead(rows, found, done, em)
    done = run.until
    const table = build(rows.slice(run.from, run.until), em, rulings)
    return table === undefined ? [] : [table]
  })
}

export const findUnruled = (segments: ReadonlyArray<Segment>, { horizontals }: Rulings): ReadonlyArray<FoundTable> => {
  const rows = toRows(segments)
  return search(rows, usualSize(rows), horizontals, 0)
}
