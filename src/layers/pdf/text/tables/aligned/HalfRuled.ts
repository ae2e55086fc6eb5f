// Tables with horizontal rulings only: above, below and under the head, as in books, or between all rows.
import type { Segment } from "../../Segments.ts"
import { assemble } from "./Assembly.ts"
import { cutRows, findColumns } from "./Columns.ts"
import { middleOf } from "../Measures.ts"
import type { FoundTable } from "../FoundTable.ts"
import { toRowGroups } from "./RowGroups.ts"
import { toTableLines } from "./TableLine.ts"
import { toRows, usualSize } from "../Rows.ts"
import type { Ruling, Rulings } from "../Rulings.ts"

/** Rulings on one height, as one. */
interface Level {
  readonly y: number
  from: number
  to: number
  readonly pieces: Array<Ruling>
}

const sameHeight = 3
const sameEdge = 8
const shortestTable = 60

const mostLevels = 2_000
/** How many levels a table is tried to begin at. */
const mostTries = 200

const toLevels = (horizontals: ReadonlyArray<Ruling>): ReadonlyArray<Level> => {
  const levels: Array<Level> = []
  const sorted = horizontals.slice().sort((one, other) => one.position - other.position || one.from - other.from)
  for (const ruling of sorted) {
    // Rulings of two columns of the page lie on one height, too: only near ones are pieces of one.
    const level = levels.findLast(
      (known) =>
        ruling.position - known.y <= sameHeight && Math.max(ruling.from - known.to, known.from - ruling.to) < 14
    )
    if (level === undefined) levels.push({ y: ruling.position, from: ruling.from, to: ruling.to, pieces: [ruling] })
    else {
      level.from = Math.min(level.from, ruling.from)
      level.to = Math.max(level.to, ruling.to)
      level.pieces.push(ruling)
    }
  }
  return levels
}

const sameExtent = (one: Level, other: Level): boolean =>
  Math.abs(one.from - other.from) <= sameEdge && Math.abs(one.to - other.to) <= sameEdge

/** Of segments in the order of their height, those between two levels. */
const between = (segments: ReadonlyArray<Segment>, top: Level, bottom: Level): ReadonlyArray<Segment> => {
  let [from, until] = [0, segments.length]
  while (from < until) {
    const middle = (from + until) >> 1
    const segment = segments[middle]
    if (segment !== undefined && middleOf(segment) <= top.y) from = middle + 1
    else until = middle
  }
  const found: Array<Segment> = []
  for (let segment = segments[from]; segment !== undefined; segment = segments[++from]) {
    if (middleOf(segment) >= bottom.y) break
    const centre = (segment.left + segment.right) / 2
    if (centre > top.from - 4 && centre < top.to + 4) found.push(segment)
  }
  return found
}

/** Whether what stands between two rulings may be rows: some line has a gap, and few are prose. */
const isTabular = (segments: ReadonlyArray<Segment>, width: number): boolean => {
  const rows = toRows(segments)
  if (rows.length === 0) return false
  const several = rows.filter(({ pieces }) => pieces.length > 1).length
  const prose = rows.filter(
    ({ pieces }) => pieces.length === 1 && (pieces[0]?.right ?? 0) - (pieces[0]?.left ?? 0) > 0.7 * width
  ).length
  return several >= 0.4 * rows.length && prose <= 0.2 * rows.length
}

const isTitle = (segments: ReadonlyArray<Segment>): boolean => toRows(segments).length === 1

const build = (
  segments: ReadonlyArray<Segment>,
  levels: ReadonlyArray<Level>,
  rulings: ReadonlyArray<Ruling>
): FoundTable | undefined => {
  const [first, last] = [levels[0], levels.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const taken = between(segments, first, last)
  const rough = toRows(taken)
  const em = usualSize(rough)
  const columns = findColumns(rough, em)
  if (columns.columns.length < 2) return undefined
  const rows = cutRows(rough, columns)
  const breaks = levels
    .slice(1, -1)
    .map(({ y }) => y)
    .sort((one, other) => one - other)
  const groups = toRowGroups(toTableLines(rows, columns, em), columns, breaks)
  const box = { left: first.from, right: first.to, top: first.y, bottom: last.y }
  return { ...assemble(groups, columns, box, em, rulings), taken }
}

// In parts of the font size.
const farthestHead = 2.2
const cellGap = 0.9

/** The first ruling may stand under the head: then the table begins where the lines above it have gaps. */
const headAbove = (segments: ReadonlyArray<Segment>, first: Level): Level | undefined => {
  const above = toRows(between(segments, { ...first, y: first.y - 120 }, first))
  const em = usualSize(above)
  let top: number | undefined
  let last = first.y + 0.5 * em
  for (const row of above.toReversed().slice(0, 4)) {
    const isNear = last - row.baseline <= farthestHead * em
    const gaps = row.pieces.filter(
      (piece, index) => piece.left - (row.pieces[index - 1]?.right ?? Infinity) >= cellGap * em
    )
    const isOver = top !== undefined && row.left > first.from + 4 * em && row.right < first.to
    if (!isNear || (gaps.length === 0 && !isOver)) break
    top = row.top - 1
    last = row.baseline
  }
  return top === undefined ? undefined : { ...first, y: top }
}

export const findHalfRuled = (
  segments: ReadonlyArray<Segment>,
  { horizontals }: Rulings
): ReadonlyArray<FoundTable> => {
  const levels = toLevels(horizontals.slice(0, mostLevels)).filter(({ from, to }) => to - from >= 10)
  const sorted = segments.slice().sort((one, other) => middleOf(one) - middleOf(other))
  let tries = 0
  const used = new Set<Level>()
  const tables: Array<FoundTable> = []
  for (const [index, first] of levels.entries()) {
    if (used.has(first) || first.to - first.from < shortestTable || ++tries > mostTries) continue
    const group = [first]
    let isOver = false
    for (let next = index + 1; next < levels.length && !isOver; next++) {
      const level = levels[next]
      const last = group.at(-1)
      if (level === undefined || last === undefined || !sameExtent(first, level)) continue
      const own = between(sorted, last, level)
      if (own.length === 0 ? level.y - last.y < 40 : isTabular(own, first.to - first.from) || isTitle(own))
        group.push(level)
      else isOver = true
    }
    if (group.length < 2) continue
    const last = group.at(-1) ?? first
    const inner = levels.filter(
      (level) =>
        !group.includes(level) &&
        level.y > first.y &&
        level.y < last.y &&
        level.from >= first.from - sameEdge &&
        level.to <= first.to + sameEdge
    )
    let table = build(sorted, group, horizontals)
    if (table === undefined) continue
    if (table.headerRows === 0) {
      const above = headAbove(sorted, first)
      const whole = above === undefined ? undefined : build(sorted, [above, ...group], horizontals)
      if (whole !== undefined && whole.headerRows > 0 && whole.columns >= table.columns) table = whole
    }
    for (const level of [...group, ...inner]) used.add(level)
    tables.push(table)
  }
  return tables
}
