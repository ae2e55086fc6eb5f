// A page in the order and by the structure of its tags, if they hold up against what is seen: they cover its text, go down the
// page, and do not call most of it a heading.
import type { Bounds } from "../Bounds.ts"
import { boundsOf } from "../Bounds.ts"
import type { Fragment } from "../Fragment.ts"
import type { Frame } from "../Fragments.ts"
import type { Line } from "../Lines.ts"
import { toLines } from "../Lines.ts"
import type { Column } from "../order/Column.ts"
import { columnBounds } from "../order/Column.ts"
import type { Segment } from "../Segments.ts"
import { onOneLine, toSegments } from "../Segments.ts"
import type { FoundCell, FoundTable } from "../tables/Tables.ts"
import type { TagBlock, TagTable } from "./TagTree.ts"

const leastCovered = 0.85
const mostInHeadings = 0.4
const mostUpward = 0.05
const sameColumn = 0.3
const mostCells = 20_000
const leastFilled = 0.4

const charactersOf = (fragments: ReadonlyArray<Fragment>): number =>
  fragments.reduce((sum, { text }) => sum + text.length, 0)

const segmentBounds = (segments: ReadonlyArray<Segment>): Bounds =>
  boundsOf(
    segments.map(({ baseline, left, right, size }) => ({
      left,
      right,
      top: baseline - 0.8 * size,
      bottom: baseline + 0.2 * size
    }))
  )

/** The pieces of text of the page by their tags; each is taken once. */
class Pieces {
  readonly #byTag = new Map<string, Array<Fragment>>()
  readonly #taken = new Set<Fragment>()
  readonly #all: ReadonlyArray<Fragment>

  constructor(fragments: ReadonlyArray<Fragment>) {
    this.#all = fragments
    for (const fragment of fragments) {
      if (fragment.tag === undefined) continue
      const own = this.#byTag.get(fragment.tag)
      if (own === undefined) this.#byTag.set(fragment.tag, [fragment])
      else own.push(fragment)
    }
  }

  take(content: ReadonlyArray<string>): ReadonlyArray<Segment> {
    const found = content.flatMap((id) => this.#byTag.get(id) ?? []).filter((fragment) => !this.#taken.has(fragment))
    for (const fragment of found) this.#taken.add(fragment)
    return toSegments(found.sort((one, other) => one.order - other.order))
  }

  textOf(content: ReadonlyArray<string>): string {
    return content
      .flatMap((id) => this.#byTag.get(id) ?? [])
      .map(({ text }) => text)
      .join(" ")
      .trim()
  }

  get rest(): ReadonlyArray<Fragment> {
    return this.#all.filter((fragment) => !this.#taken.has(fragment))
  }
}

const toTable = ({ rows }: TagTable, pieces: Pieces): FoundTable | undefined => {
  const occupied = new Set<string>()
  const cells: Array<FoundCell> = []
  let columns = 0
  let headerRows = 0
  for (const [row, own] of rows.entries()) {
    if (headerRows === row && own.length > 0 && own.every(({ isHead }) => isHead)) headerRows++
    let column = 0
    for (const cell of own) {
      while (occupied.has(`${row} ${column}`)) column++
      const height = Math.min(cell.rows, rows.length - row)
      if (occupied.size + height * cell.columns > mostCells) return undefined
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < cell.columns; x++) occupied.add(`${row + y} ${column + x}`)
      }
      const segments = pieces.take(cell.content)
      columns = Math.max(columns, column + cell.columns)
      if (segments.length > 0) {
        cells.push({ row, column, rows: height, columns: cell.columns, box: segmentBounds(segments), segments })
      }
      column += cell.columns
    }
  }
  // A table that is mostly empty is there to put things in their places.
  if (cells.length < 2 || cells.length < leastFilled * rows.flat().length) return undefined
  const taken = cells.flatMap(({ segments }) => segments)
  return {
    box: segmentBounds(taken),
    rows: rows.length,
    columns,
    headerRows: Math.min(headerRows, rows.length - 1),
    slots: occupied.size,
    cells,
    taken
  }
}

const mayGoOn = new Set<TagBlock["kind"]>(["paragraph", "formula", "code"])

/** Whether text goes on, on the line on which the text before it ends: pieces of one paragraph that are tagged apart. */
const goesOn = (before: Column | undefined, { lines, role }: Column): before is Column => {
  const [last, first] = [before?.lines.at(-1), lines[0]]
  return (
    before?.role !== undefined &&
    role !== undefined &&
    mayGoOn.has(role.kind) &&
    mayGoOn.has(before.role.kind) &&
    last !== undefined &&
    first !== undefined &&
    onOneLine(last, first) &&
    first.left >= last.right - first.size
  )
}

/** Undefined if one of the tables is none. */
const toColumns = (frame: Frame, blocks: ReadonlyArray<TagBlock>, pieces: Pieces): Array<Column> | undefined => {
  const columns: Array<Column> = []
  for (const block of blocks) {
    if (block.kind === "table") {
      const table = toTable(block, pieces)
      if (table === undefined) return undefined
      columns.push({ frame, lines: [], table })
      continue
    }
    const { kind, label, level } = block
    const marker = pieces.textOf(label)
    const segments = pieces.take(block.content)
    if (segments.length === 0) continue
    const column: Column = { frame, lines: toLines(segments), role: { kind, level, marker } }
    const before = columns.at(-1)
    if (goesOn(before, column)) {
      const whole = toLines([...before.lines, ...column.lines].flatMap((line) => line.segments))
      columns[columns.length - 1] = { frame, lines: whole, role: { kind: "paragraph", level: 0, marker: "" } }
    } else {
      columns.push(column)
    }
  }
  return columns
}

/** Whether the blocks go down the page, and on to columns on the side to which its text is read. */
const goesForward = (columns: ReadonlyArray<Column>): boolean => {
  const segments = columns.flatMap(({ lines }) => lines.flatMap((line) => line.segments))
  const isLeftward = 2 * segments.filter(({ rightToLeft }) => rightToLeft).length > segments.length
  let upward = 0
  let before: Bounds | undefined
  for (const column of columns) {
    const bounds = columnBounds(column)
    if (before !== undefined && bounds.bottom < before.top) {
      const shared = Math.min(before.right, bounds.right) - Math.max(before.left, bounds.left)
      if (shared > sameColumn * Math.min(before.right - before.left, bounds.right - bounds.left)) upward++
      else if (isLeftward ? bounds.left >= before.right : bounds.right <= before.left) return false
    }
    before = bounds
  }
  return upward <= mostUpward * columns.length
}

/** Undefined if the tags do not hold up. What has no tag comes first if it stands above all of the tagged, else last. */
export const readTagged = (frame: Frame, blocks: ReadonlyArray<TagBlock>): ReadonlyArray<Column> | undefined => {
  const pieces = new Pieces(frame.fragments)
  const all = charactersOf(frame.fragments)
  const columns = toColumns(frame, blocks, pieces)
  if (columns === undefined) return undefined
  const { rest } = pieces
  if (all - charactersOf(rest) < leastCovered * all) return undefined
  const headings = columns.filter(({ role }) => role?.kind === "heading")
  const inHeadings = headings.flatMap(({ lines }) => lines).reduce((sum, { text }) => sum + text.length, 0)
  if (inHeadings > mostInHeadings * all || !goesForward(columns)) return undefined
  const top = columns.reduce((least, column) => Math.min(least, columnBounds(column).top), Infinity)
  const untagged = toLines(toSegments(rest))
  const asColumns = (lines: ReadonlyArray<Line>): ReadonlyArray<Column> =>
    lines.length === 0 ? [] : [{ frame, lines }]
  return [
    ...asColumns(untagged.filter(({ bottom }) => bottom <= top)),
    ...columns,
    ...asColumns(untagged.filter(({ bottom }) => bottom > top))
  ]
}
