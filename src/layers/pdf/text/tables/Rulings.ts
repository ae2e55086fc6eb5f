// From what a page draws to the straight lines and areas that a table may be drawn with.
import type { Drawn } from "../Drawn.ts"
import type { Frame } from "../Fragments.ts"
import type { Bounds } from "../Bounds.ts"

/** A line at `position` that reaches `from` … `to`: y and x of a horizontal one, x and y of a vertical one. */
export interface Ruling {
  readonly position: number
  readonly from: number
  readonly to: number
}

/** Rulings are ordered by position, and no two of a kind touch each other. */
export interface Rulings {
  readonly horizontals: ReadonlyArray<Ruling>
  readonly verticals: ReadonlyArray<Ruling>
  /** Filled rectangles that are no lines: the ground of a row or of a cell. */
  readonly areas: ReadonlyArray<Bounds>
}

export const noRulings: Rulings = { horizontals: [], verticals: [], areas: [] }

// In points.
const thickest = 4
const slant = 0.6
const sameLine = 2.5
const joint = 3
const shortest = 4

/** A page with more of a kind is a picture. */
export const mostRulings = 6_000

/** Pieces of one line, and lines drawn upon each other, become one. */
export const merged = (rulings: ReadonlyArray<Ruling>): ReadonlyArray<Ruling> => {
  const sorted = rulings.slice().sort((one, other) => one.position - other.position || one.from - other.from)
  const result: Array<Ruling> = []
  for (let start = 0; start < sorted.length;) {
    let end = start + 1
    const first = sorted[start]?.position ?? 0
    while (end < sorted.length && (sorted[end]?.position ?? 0) - first <= sameLine) end++
    const level = sorted.slice(start, end).sort((one, other) => one.from - other.from)
    let open: Ruling | undefined
    for (const next of level) {
      if (open !== undefined && next.from <= open.to + joint) {
        open = { position: open.position, from: open.from, to: Math.max(open.to, next.to) }
        result[result.length - 1] = open
      } else {
        open = next
        result.push(next)
      }
    }
    start = end
  }
  return result.filter(({ from, to }) => to - from >= shortest)
}

/** In the frame's coordinates; undefined for a frame whose text is aslant. */
const extentIn = ({ ux, uy }: Direction, { left, right, top, bottom }: Drawn): Bounds => {
  const [x0, x1] = [left * ux + top * uy, right * ux + bottom * uy]
  const [y0, y1] = [top * ux - left * uy, bottom * ux - right * uy]
  return { left: Math.min(x0, x1), right: Math.max(x0, x1), top: Math.min(y0, y1), bottom: Math.max(y0, y1) }
}

type Direction = Pick<Frame, "ux" | "uy">

/** Those of the page's drawings that are straight, in the coordinates of a frame. */
export const toRulings = (drawn: ReadonlyArray<Drawn>, frame: Direction): Rulings => {
  if (frame.ux * frame.uy !== 0) return noRulings
  const horizontals: Array<Ruling> = []
  const verticals: Array<Ruling> = []
  const areas: Array<Bounds> = []
  for (const thing of drawn) {
    if (thing.kind !== "line" && thing.kind !== "rectangle") continue
    const { left, right, top, bottom } = extentIn(frame, thing)
    const [width, height] = [right - left, bottom - top]
    const thin = thing.kind === "line" ? slant : thickest
    if (thing.kind === "line" && thing.width > 2 * thickest) {
      const half = thing.width / 2
      if (height <= slant) areas.push({ left, right, top: top - half, bottom: bottom + half })
    } else if (height <= thin && width > height) {
      horizontals.push({ position: (top + bottom) / 2, from: left, to: right })
    } else if (width <= thin && height > width) {
      verticals.push({ position: (left + right) / 2, from: top, to: bottom })
    } else if (thing.kind === "rectangle") {
      areas.push({ left, right, top, bottom })
    }
  }
  if (horizontals.length + verticals.length + areas.length === 0) return noRulings
  const rulings = { horizontals: merged(horizontals), verticals: merged(verticals), areas }
  return Math.max(rulings.horizontals.length, rulings.verticals.length) > mostRulings ? noRulings : rulings
}
