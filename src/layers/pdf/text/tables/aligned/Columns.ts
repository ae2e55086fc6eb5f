// The columns of a region whose columns no ruling shows: strips that no cell reaches into.
import type { Segment } from "../../Segments.ts"
import { cutSegment } from "../Pieces.ts"
import type { TextRow } from "../Rows.ts"
import { isNumeric, toRows } from "../Rows.ts"

export interface Column {
  readonly left: number
  readonly right: number
}

/** Stretches that are covered by more than `most` of the pieces, in ascending order. */
const covered = (pieces: ReadonlyArray<Segment>, most: number): ReadonlyArray<Column> => {
  const starts = Float64Array.from(pieces, ({ left }) => left).sort()
  const ends = Float64Array.from(pieces, ({ left, right }) => Math.max(left, right)).sort()
  const found: Array<Column> = []
  let from: number | undefined
  for (let s = 0, e = 0; e < ends.length;) {
    const start = starts[s] ?? Infinity
    const end = ends[e] ?? Infinity
    const opens = start <= end
    if (opens) s++
    else e++
    const isCovered = s - e > most
    if (isCovered && from === undefined) from = opens ? start : end
    else if (!isCovered && from !== undefined) {
      found.push({ left: from, right: end })
      from = undefined
    }
  }
  return found
}

/** How many lines have a piece in each of two columns. */
const linesWithBoth = (one: Column, other: Column, rows: ReadonlyArray<TextRow>): number =>
  rows.filter(
    ({ pieces }) =>
      pieces.some((piece) => piece.left < one.right && piece.right > one.left) &&
      pieces.some((piece) => piece.left < other.right && piece.right > other.left)
  ).length

/** Columns that are nearer than `least` are one, unless most lines have both: then only a word of the head comes near. */
const joinNear = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<TextRow>,
  least: number
): ReadonlyArray<Column> => {
  const joined: Array<Column> = []
  for (const column of columns) {
    const last = joined.at(-1)
    const isNear = last !== undefined && column.left - last.right < least
    if (isNear && linesWithBoth(last, column, rows) < Math.max(fewestLines, 0.8 * rows.length)) {
      joined[joined.length - 1] = { left: last.left, right: Math.max(last.right, column.right) }
    } else joined.push(column)
  }
  return joined
}

const crosses = ({ left, right }: Segment, columns: ReadonlyArray<Column>, slack: number): boolean => {
  let touched = 0
  for (const column of columns) {
    if (
      Math.min(right, column.right) - Math.max(left, column.left) >
      Math.min(slack, 0.5 * (column.right - column.left))
    )
      touched++
  }
  return touched > 1
}

/**
 * Two columns that no line has both of, and that a piece lies across, are one: the word above its numbers stands in the
 * middle, the numbers at the left.
 */
const joinBridged = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<TextRow>,
  em: number
): ReadonlyArray<Column> => {
  const pairs = new Set<number>()
  const bridged = new Set<number>()
  for (const { pieces } of rows) {
    let last = -1
    let at = 0
    for (const piece of pieces) {
      while (at + 1 < columns.length && (columns[at]?.right ?? 0) < piece.left + 0.1 * em) at++
      let until = at
      while (until + 1 < columns.length && (columns[until + 1]?.left ?? 0) < piece.right - 0.1 * em) until++
      if (last >= 0 && last + 1 === at) pairs.add(last)
      for (let index = at; index < until; index++) bridged.add(index)
      last = until
    }
  }
  const joined: Array<Column> = []
  for (const [index, column] of columns.entries()) {
    const before = joined.at(-1)
    if (before !== undefined && bridged.has(index - 1) && !pairs.has(index - 1)) {
      joined[joined.length - 1] = { left: before.left, right: column.right }
    } else joined.push(column)
  }
  return joined
}

/** Where only the first line has a piece in a column, and it has none in the next, that is the head of the next: its numbers end at the right. */
const joinHeads = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<TextRow>): ReadonlyArray<Column> => {
  const isIn = ({ left, right }: Column, { pieces }: TextRow): boolean =>
    pieces.some((piece) => piece.left < right && piece.right > left)
  const [first, ...others] = rows
  if (first === undefined || others.length < fewestLines) return columns
  const joined: Array<Column> = []
  let head: Column | undefined
  for (const column of columns) {
    const isBelow = head !== undefined && !isIn(column, first) && others.every((row) => isIn(column, row))
    if (head !== undefined && isBelow) joined[joined.length - 1] = { left: head.left, right: column.right }
    else joined.push(column)
    head = isIn(column, first) && !others.some((row) => isIn(column, row)) ? column : undefined
  }
  return joined
}

/** A word of a head that stands apart from the rest of it is no column. */
const joinStray = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<TextRow>, em: number): ReadonlyArray<Column> => {
  const counts = columns.map(() => 0)
  for (const { pieces } of rows) {
    for (const [index, { left, right }] of columns.entries()) {
      if (pieces.some((piece) => piece.left < right && piece.right > left)) counts[index] = (counts[index] ?? 0) + 1
    }
  }
  const joined: Array<Column> = []
  let isStray = false
  for (const [index, column] of columns.entries()) {
    const before = joined.at(-1)
    const isNear = before !== undefined && column.left - before.right < strayGap * em
    const own = rows.length >= 4 && (counts[index] ?? 0) === 1
    if (before !== undefined && isNear && (own || isStray))
      joined[joined.length - 1] = { left: before.left, right: column.right }
    else joined.push(column)
    isStray = own
  }
  return joined
}

// In parts of the font size.
const strayGap = 1.1
const narrowestGap = 0.35

/** Of so many lines, one may lie across what divides the others. */
const fewestLines = 4

/** `isSpanning` tells the pieces that reach over several columns. */
export interface Columns {
  readonly columns: ReadonlyArray<Column>
  readonly spanning: ReadonlySet<Segment>
}

/** What has more is no table that a person reads. */
export const mostColumns = 100

export const findColumns = (rows: ReadonlyArray<TextRow>, em: number): Columns => {
  const several = rows.filter(({ pieces }) => pieces.length > 1)
  const main = several.flatMap(({ pieces }) => pieces)
  // First what most lines agree on; then every gap that is left without the pieces that lie across those.
  const strong = joinNear(
    covered(main, Math.max(several.length >= fewestLines ? 1 : 0, Math.floor(0.15 * several.length))),
    several,
    narrowestGap * em
  )
  const spanning = new Set<Segment>()
  if (strong.length > mostColumns) return { columns: [], spanning }
  for (const { pieces } of rows) for (const piece of pieces) if (crosses(piece, strong, 0.3 * em)) spanning.add(piece)
  const rest = main.filter((piece) => !spanning.has(piece))
  const apart = joinNear(covered(rest, 0), several, narrowestGap * em)
  if (apart.length > mostColumns) return { columns: [], spanning }
  const columns = joinStray(joinHeads(joinBridged(apart, several, em), several), several, em)
  for (const { pieces } of rows) for (const piece of pieces) if (crosses(piece, columns, 0.3 * em)) spanning.add(piece)
  return { columns, spanning }
}

/** Where one column ends and the next begins. */
export const bordersOf = (columns: ReadonlyArray<Column>): ReadonlyArray<number> =>
  columns.slice(1).map((column, index) => ((columns[index]?.right ?? 0) + column.left) / 2)

/**
 * The lines with their pieces cut where a column ends. A piece across columns stays whole, unless it is numbers, or all that
 * its line has: then it is the cells of a head, set as one.
 */
export const cutRows = (rows: ReadonlyArray<TextRow>, { columns, spanning }: Columns): ReadonlyArray<TextRow> => {
  const borders = bordersOf(columns)
  return toRows(
    rows.flatMap(({ pieces }) =>
      pieces.flatMap((piece) => {
        if (!spanning.has(piece)) return [piece]
        const crossed = borders.filter((x) => x > piece.left && x < piece.right).length
        const parts = cutSegment(piece, borders)
        if (parts.length <= crossed) return [piece]
        return (pieces.length === 1 && crossed >= 2) || parts.every(({ text }) => isNumeric(text)) ? parts : [piece]
      })
    )
  )
}
