// Rows of a table whose cells have several lines each: within a cell, lines are nearer to each other than cells are.
import type { Columns } from "./Columns.ts"
import type { TableLine } from "./TableLine.ts"
import { columnsOf } from "./TableLine.ts"

// In parts of the font size: what is further apart is not one cell; and how much further apart cells are than lines.
const widestPitch = 1.5
const ratio = 1.25

/** The greatest distance of two lines of one cell, if the distances tell it. */
const pitchOf = (gaps: ReadonlyArray<number>): number | undefined => {
  const sorted = Float64Array.from(gaps).sort()
  let best: number | undefined
  let bestRatio = ratio
  for (let index = 1; index < sorted.length; index++) {
    const [near, far] = [sorted[index - 1] ?? 0, sorted[index] ?? 0]
    if (near > widestPitch) break
    if (near > 0.5 && far / near > bestRatio) {
      best = (near + far) / 2
      bestRatio = far / near
    }
  }
  return best
}

interface Place {
  readonly line: number
  readonly baseline: number
  readonly size: number
}

/** For each column its pieces from top to bottom; what lies across columns is left out. */
const placesByColumn = (lines: ReadonlyArray<TableLine>, columns: Columns): ReadonlyArray<ReadonlyArray<Place>> => {
  const found: Array<Array<Place>> = columns.columns.map(() => [])
  for (const [line, { row }] of lines.entries()) {
    for (const piece of row.pieces) {
      const own = columnsOf(piece.left, piece.right, columns, 0.3 * piece.size)
      if (own.length === 1) found[own[0] ?? 0]?.push({ line, baseline: piece.baseline, size: piece.size })
    }
  }
  return found
}

/**
 * Lines that are one row each, from top to bottom; undefined where distances do not tell rows from lines.
 */
export const rowsByBlocks = (
  lines: ReadonlyArray<TableLine>,
  columns: Columns
): ReadonlyArray<ReadonlyArray<TableLine>> | undefined => {
  if (lines.length < 3 || lines.some(({ spans }) => spans)) return undefined
  const places = placesByColumn(lines, columns)
  const gaps = places.flatMap((own) =>
    own.slice(1).map((place, index) => (place.baseline - (own[index]?.baseline ?? 0)) / place.size)
  )
  const pitch = pitchOf(gaps)
  if (pitch === undefined) return undefined
  // Blocks of a column as stretches of lines, and stretches that share a line as one row.
  const stretches: Array<{ from: number; to: number; readonly lines: Array<number> }> = []
  for (const own of places) {
    let open: (typeof stretches)[number] | undefined
    let last: Place | undefined
    for (const place of own) {
      if (open !== undefined && last !== undefined && (place.baseline - last.baseline) / place.size <= pitch) {
        open.to = place.line
        open.lines.push(place.line)
      } else {
        open = { from: place.line, to: place.line, lines: [place.line] }
        stretches.push(open)
      }
      last = place
    }
  }
  stretches.sort((one, other) => one.from - other.from || other.to - one.to)
  const rows: Array<{ from: number; to: number }> = []
  for (const { from, to } of stretches) {
    const row = rows.at(-1)
    if (row !== undefined && from <= row.to) row.to = Math.max(row.to, to)
    else rows.push({ from, to })
  }
  const groups = rows.map(({ from, to }) => lines.slice(from, to + 1))
  const several = groups.filter((group) => group.length > 1)
  if (groups.length < 2 || several.length === 0) return undefined
  return several.filter((group) => isOneRow(group, columns)).length >= 0.8 * several.length ? groups : undefined
}

// In parts of the font size: lines of one column are further apart.
const nearestLines = 0.8

/** Whether lines that are near to each other are those of cells: one of them has most cells, or a cell stands between lines. */
const isOneRow = (group: ReadonlyArray<TableLine>, { columns }: Columns): boolean => {
  const whole = group.filter(({ filled }) => filled.length >= Math.max(2, 0.5 * columns.length))
  if (whole.length <= 1) return true
  return group.some(
    ({ row }, index) => index > 0 && row.baseline - (group[index - 1]?.row.baseline ?? 0) < nearestLines * row.size
  )
}
