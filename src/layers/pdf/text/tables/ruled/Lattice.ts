// Grids of rulings that cross or touch each other.
import type { Bounds } from "../../Bounds.ts"
import { overlap } from "../Measures.ts"
import type { Ruling, Rulings } from "../Rulings.ts"

/** A cell of a lattice: the rows and columns it covers, counted from 0, and how many of them. */
export interface Span {
  readonly row: number
  readonly column: number
  readonly rows: number
  readonly columns: number
}

/** Row i reaches from `ys[i]` to `ys[i + 1]`, column j from `xs[j]` to `xs[j + 1]`. */
export interface Lattice {
  readonly xs: ReadonlyArray<number>
  readonly ys: ReadonlyArray<number>
  /** Which together cover all of it, in the order of rows, then columns. */
  readonly spans: ReadonlyArray<Span>
}

// In points.
const touching = 3
const samePlace = 3
const beyond = 6

/** Comparing every horizontal with every vertical ruling; a page with more pairs is a picture. */
const mostPairs = 250_000
const mostCells = 20_000
const mostColumns = 200
const mostRows = 1_000
/** The largest of a page. */
export const mostLattices = 200

/** Sets that are joined step by step: `find` gives the same number for all members of one. */
export class Unions {
  readonly #parents: Int32Array
  constructor(count: number) {
    this.#parents = Int32Array.from({ length: count }, (_, index) => index)
  }
  find(index: number): number {
    let root = index
    while ((this.#parents[root] ?? root) !== root) root = this.#parents[root] ?? root
    for (let at = index; at !== root;) {
      const next = this.#parents[at] ?? root
      this.#parents[at] = root
      at = next
    }
    return root
  }
  join(one: number, other: number): void {
    const [first, second] = [this.find(one), this.find(other)]
    this.#parents[Math.max(first, second)] = Math.min(first, second)
  }
}

interface Component {
  readonly horizontals: Array<Ruling>
  readonly verticals: Array<Ruling>
}

const components = ({ horizontals, verticals }: Rulings): ReadonlyArray<Component> => {
  if (horizontals.length * verticals.length > mostPairs) return []
  const sets = new Unions(horizontals.length + verticals.length)
  for (const [h, horizontal] of horizontals.entries()) {
    for (const [v, vertical] of verticals.entries()) {
      if (
        vertical.position >= horizontal.from - touching &&
        vertical.position <= horizontal.to + touching &&
        horizontal.position >= vertical.from - touching &&
        horizontal.position <= vertical.to + touching
      ) {
        sets.join(h, horizontals.length + v)
      }
    }
  }
  const found = new Map<number, Component>()
  const of = (index: number): Component => {
    const root = sets.find(index)
    const known = found.get(root)
    if (known !== undefined) return known
    const made: Component = { horizontals: [], verticals: [] }
    found.set(root, made)
    return made
  }
  for (const [h, horizontal] of horizontals.entries()) of(h).horizontals.push(horizontal)
  for (const [v, vertical] of verticals.entries()) of(horizontals.length + v).verticals.push(vertical)
  return [...found.values()]
}

/** Distinct positions, and the ends where rulings of the other kind reach beyond them. */
const positions = (rulings: ReadonlyArray<Ruling>, others: ReadonlyArray<Ruling>): ReadonlyArray<number> => {
  const places: Array<number> = []
  for (const { position } of rulings) {
    if (places.length === 0 || position - (places.at(-1) ?? 0) > samePlace) places.push(position)
  }
  const from = Math.min(...others.map((other) => other.from))
  const to = Math.max(...others.map((other) => other.to))
  if (from < (places[0] ?? Infinity) - beyond) places.unshift(from)
  if (to > (places.at(-1) ?? -Infinity) + beyond) places.push(to)
  return places
}

/** For each place the rulings there, as stretches. */
const atPlaces = (
  places: ReadonlyArray<number>,
  rulings: ReadonlyArray<Ruling>
): ReadonlyArray<ReadonlyArray<Ruling>> => {
  const found: Array<Array<Ruling>> = places.map(() => [])
  let index = 0
  for (const ruling of rulings) {
    while (index + 1 < places.length && (places[index + 1] ?? 0) <= ruling.position + 0.001) index++
    found[index]?.push(ruling)
  }
  return found
}

const isDrawn = (rulings: ReadonlyArray<Ruling> | undefined, from: number, to: number): boolean => {
  let covered = 0
  for (const ruling of rulings ?? []) covered += Math.max(0, overlap(ruling.from, ruling.to, from, to))
  return covered >= 0.6 * (to - from)
}

/** Cells without a line between them are one; what they cover becomes a rectangle. */
const joinCells = (
  xs: ReadonlyArray<number>,
  ys: ReadonlyArray<number>,
  { horizontals, verticals }: Component
): ReadonlyArray<Span> => {
  const [columns, rows] = [xs.length - 1, ys.length - 1]
  const sets = new Unions(rows * columns)
  const atX = atPlaces(xs, verticals)
  const atY = atPlaces(ys, horizontals)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [left, right, top, bottom] = [xs[column] ?? 0, xs[column + 1] ?? 0, ys[row] ?? 0, ys[row + 1] ?? 0]
      const cell = row * columns + column
      if (column + 1 < columns && !isDrawn(atX[column + 1], top, bottom)) sets.join(cell, cell + 1)
      if (row + 1 < rows && !isDrawn(atY[row + 1], left, right)) sets.join(cell, cell + columns)
    }
  }
  for (let round = 0; round < 8; round++) {
    const boxes = new Map<number, [number, number, number, number]>()
    for (let cell = 0; cell < rows * columns; cell++) {
      const [row, column] = [Math.floor(cell / columns), cell % columns]
      const box = boxes.get(sets.find(cell))
      if (box === undefined) boxes.set(sets.find(cell), [row, row, column, column])
      else {
        box[0] = Math.min(box[0], row)
        box[1] = Math.max(box[1], row)
        box[2] = Math.min(box[2], column)
        box[3] = Math.max(box[3], column)
      }
    }
    let isDone = true
    for (const [root, [fromRow, toRow, fromColumn, toColumn]] of boxes) {
      // It has become a part of one that was looked at before.
      if (sets.find(root) !== root) continue
      for (let row = fromRow; row <= toRow; row++) {
        for (let column = fromColumn; column <= toColumn; column++) {
          const cell = row * columns + column
          if (sets.find(cell) === sets.find(root)) continue
          sets.join(cell, root)
          isDone = false
        }
      }
    }
    if (isDone) {
      return [...boxes.values()].map(([fromRow, toRow, fromColumn, toColumn]) => ({
        row: fromRow,
        column: fromColumn,
        rows: toRow - fromRow + 1,
        columns: toColumn - fromColumn + 1
      }))
    }
  }
  return []
}

const toLattice = (component: Component): Lattice | undefined => {
  const { horizontals, verticals } = component
  if (horizontals.length === 0 || verticals.length === 0 || horizontals.length + verticals.length < 3) return undefined
  const xs = positions(verticals, horizontals)
  const ys = positions(horizontals, verticals)
  if (xs.length < 2 || ys.length < 2 || xs.length + ys.length < 5) return undefined
  if (xs.length > mostColumns || ys.length > mostRows || (xs.length - 1) * (ys.length - 1) > mostCells) return undefined
  return { xs, ys, spans: joinCells(xs, ys, component) }
}

export const extentOfLattice = ({ xs, ys }: Lattice): Bounds => ({
  left: xs[0] ?? 0,
  right: xs.at(-1) ?? 0,
  top: ys[0] ?? 0,
  bottom: ys.at(-1) ?? 0
})

/** From top to bottom. */
export const findLattices = (rulings: Rulings): ReadonlyArray<Lattice> =>
  components(rulings)
    .flatMap((component) => toLattice(component) ?? [])
    .sort((one, other) => (one.ys[0] ?? 0) - (other.ys[0] ?? 0) || (one.xs[0] ?? 0) - (other.xs[0] ?? 0))

/** Finer rows: each old row becomes those between the `ys` that are new. What covered it covers all of them. */
const withRows = (lattice: Lattice, more: ReadonlyArray<number>): Lattice => {
  const ys = [...lattice.ys, ...more].sort((one, other) => one - other)
  const at = lattice.ys.map((y) => ys.indexOf(y))
  const spans = lattice.spans.flatMap((span) => {
    const [from, to] = [at[span.row] ?? 0, at[span.row + span.rows] ?? 0]
    if (span.rows > 1) return [{ ...span, row: from, rows: to - from }]
    return Array.from({ length: to - from }, (_, index) => ({ ...span, row: from + index }))
  })
  return { xs: lattice.xs, ys, spans }
}

const fewestGrounds = 2

/** Rows of which every second has a coloured ground end where it ends. */
export const withGrounds = (lattice: Lattice, areas: ReadonlyArray<Bounds>): Lattice => {
  const { left, right, top, bottom } = extentOfLattice(lattice)
  const widths = new Map<string, { readonly top: number; readonly bottom: number; width: number }>()
  for (const area of areas) {
    if (area.top < top - samePlace || area.bottom > bottom + samePlace || area.bottom - area.top < beyond) continue
    if (area.right - area.left > right - left + 4 * samePlace || area.right <= left || area.left >= right) continue
    const key = `${Math.round(area.top)} ${Math.round(area.bottom)}`
    const known = widths.get(key)
    if (known === undefined) widths.set(key, { top: area.top, bottom: area.bottom, width: area.right - area.left })
    else known.width += area.right - area.left
  }
  const grounds = [...widths.values()].filter(({ width }) => width >= 0.8 * (right - left))
  const more: Array<number> = []
  for (const place of grounds.flatMap((ground) => [ground.top, ground.bottom]).sort((one, other) => one - other)) {
    const isKnown =
      lattice.ys.some((y) => Math.abs(y - place) <= beyond) || place - (more.at(-1) ?? -Infinity) <= samePlace
    if (!isKnown) more.push(place)
  }
  return grounds.length < fewestGrounds || more.length < fewestGrounds ? lattice : withRows(lattice, more)
}
