// From the paths that a page draws to the straight lines and areas that a table may be drawn with.
import type { Frame, Viewport } from "../Fragments.ts"
import type { Extent } from "./Extent.ts"

/** A line at `position` that reaches `from` … `to`: y and x of a horizontal one, x and y of a vertical one. */
export interface Ruling {
  readonly position: number
  readonly from: number
  readonly to: number
}

/** Each kind is ordered by position. No two rulings of a kind touch each other. */
export interface Rulings {
  readonly horizontals: ReadonlyArray<Ruling>
  readonly verticals: ReadonlyArray<Ruling>
  /** Filled rectangles that are no lines: the ground of a row or of a cell. */
  readonly areas: ReadonlyArray<Extent>
}

export const noRulings: Rulings = { horizontals: [], verticals: [], areas: [] }

/** What a page draws, as the reader reports it: see the patches of pdf.js. */
export interface Drawing {
  readonly type: "drawing"
  readonly steps: ReadonlyArray<number>
}

const isDrawing = (item: object): item is Drawing => "type" in item && item.type === "drawing"

// In points.
const thickest = 4
const slant = 0.6
const sameLine = 2.5
const joint = 3
const shortest = 4

/** A page with more of a kind is a picture. */
const mostRulings = 6_000

interface Found {
  readonly horizontals: Array<Ruling>
  readonly verticals: Array<Ruling>
  readonly areas: Array<Extent>
}

interface Point {
  readonly x: number
  readonly y: number
}

const addLine = (found: Found, one: Point, other: Point): void => {
  const dx = Math.abs(one.x - other.x)
  const dy = Math.abs(one.y - other.y)
  if (dy <= slant && dx > dy) {
    const position = (one.y + other.y) / 2
    found.horizontals.push({ position, from: Math.min(one.x, other.x), to: Math.max(one.x, other.x) })
  } else if (dx <= slant && dy > dx) {
    const position = (one.x + other.x) / 2
    found.verticals.push({ position, from: Math.min(one.y, other.y), to: Math.max(one.y, other.y) })
  }
}

const addArea = (found: Found, { left, right, top, bottom }: Extent): void => {
  const [width, height] = [right - left, bottom - top]
  if (height <= thickest && width > height) {
    addLine(found, { x: left, y: (top + bottom) / 2 }, { x: right, y: (top + bottom) / 2 })
  } else if (width <= thickest) {
    addLine(found, { x: (left + right) / 2, y: top }, { x: (left + right) / 2, y: bottom })
  } else {
    found.areas.push({ left, right, top, bottom })
  }
}

/** The rectangle that a line encloses, if it is one. */
const rectangle = (points: ReadonlyArray<Point>): Extent | undefined => {
  if (points.length < 4 || points.length > 6) return undefined
  const xs = points.map(({ x }) => x)
  const ys = points.map(({ y }) => y)
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const atCorner = ({ x, y }: Point): boolean =>
    Math.min(x - left, right - x) <= slant && Math.min(y - top, bottom - y) <= slant
  return points.every(atCorner) ? { left, right, top, bottom } : undefined
}

const paint = (found: Found, lines: ReadonlyArray<ReadonlyArray<Point>>, kind: number, width: number): void => {
  const isStroked = (kind & 1) !== 0
  const isFilled = (kind & 2) !== 0
  for (const points of lines) {
    const shape = rectangle(points)
    if (isFilled && shape !== undefined) addArea(found, shape)
    if (!isStroked) continue
    if (shape !== undefined && Math.min(shape.right - shape.left, shape.bottom - shape.top) <= thickest) {
      addArea(found, shape)
      continue
    }
    for (let index = 1; index < points.length; index++) {
      const [one, other] = [points[index - 1], points[index]]
      if (one === undefined || other === undefined) continue
      if (width <= 2 * thickest) addLine(found, one, other)
      // A very thick line is an area.
      else if (Math.abs(one.y - other.y) <= slant) {
        const [left, right] = [Math.min(one.x, other.x), Math.max(one.x, other.x)]
        found.areas.push({ left, right, top: one.y - width / 2, bottom: one.y + width / 2 })
      }
    }
  }
}

/** Pieces of one line, and lines drawn upon each other, become one. */
const merged = (rulings: ReadonlyArray<Ruling>): ReadonlyArray<Ruling> => {
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

/** Those of the page's drawings that are straight, in the coordinates of a frame. */
export const toRulings = (items: ReadonlyArray<object>, viewport: Viewport, { ux, uy }: Pick<Frame, "ux" | "uy">): Rulings => {
  const found: Found = { horizontals: [], verticals: [], areas: [] }
  const [va = 1, vb = 0, vc = 0, vd = -1, ve = 0, vf = 0] = viewport.transform
  for (const item of items) {
    if (!isDrawing(item)) continue
    let lines: Array<Array<Point>> = []
    const { steps } = item
    for (let index = 0; index + 2 < steps.length; index += 3) {
      const [code, first = 0, second = 0] = [steps[index], steps[index + 1], steps[index + 2]]
      const line = lines.at(-1)
      if (code === 3) {
        paint(found, lines, first, second)
        lines = []
      } else if (code === 2) {
        const start = line?.[0]
        if (start !== undefined) line?.push(start)
      } else {
        const px = va * first + vc * second + ve
        const py = vb * first + vd * second + vf
        if (!Number.isFinite(px + py)) continue
        const point = { x: px * ux + py * uy, y: py * ux - px * uy }
        if (code === 1 && line !== undefined) line.push(point)
        else lines.push([point])
      }
    }
  }
  if (Math.max(found.horizontals.length, found.verticals.length, found.areas.length) > 5 * mostRulings) return noRulings
  const horizontals = merged(found.horizontals)
  const verticals = merged(found.verticals)
  if (Math.max(horizontals.length, verticals.length) > mostRulings) return noRulings
  return { horizontals, verticals, areas: found.areas }
}
