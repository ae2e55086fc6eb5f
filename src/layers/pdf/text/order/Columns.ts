// Divides a page into blocks that are each read line by line: columns, what spans them, headers and footers.
//
// A gutter is a strip that few lines cross. What crosses it (a heading, a wide figure's caption) divides the page into
// bands; a band's columns are read one after the other only if they look like columns of text. If they do not, they are
// the cells of a table, labels and values, or a contents list with its page numbers, and are read row by row.
import type { Segment } from "../Segments.ts"
import { onOneLine } from "../Segments.ts"

// All lengths in parts of the median font size.
const narrowestGutter = 0.6
const narrowestShortGutter = 0.9
const shortGutterLines = 6
const proseWidth = 9
const shortWidth = 4
const leastWidth = 3
const marginGap = 1.2
const cardWidth = 5
const cardStep = 1.15
const narrowestRow = 1.5
const cardLikeness = 0.12

const deepest = 10
const mostCandidates = 6

const topOf = (segment: Segment): number => segment.baseline - 0.8 * segment.size
const bottomOf = (segment: Segment): number => segment.baseline + 0.2 * segment.size

const medianSize = (segments: ReadonlyArray<Segment>): number => {
  const sizes = Float64Array.from(segments, (segment) => segment.size).sort()
  return sizes[sizes.length >> 1] ?? 1
}

// Every function below is given segments from top to bottom, and gives them on in that order.

/** Without neighbours on one height there are no columns: by far the most pages end here. */
const hasNeighbours = (segments: ReadonlyArray<Segment>, em: number): boolean => {
  let found = 0
  for (let i = 1; i < segments.length; i++) {
    const one = segments[i - 1]
    const other = segments[i]
    if (one === undefined || other === undefined || other.baseline - one.baseline > em) continue
    const gap = Math.max(one.left, other.left) - Math.min(one.right, other.right)
    if (gap >= narrowestGutter * em && ++found >= 2) return true
  }
  return false
}

interface Gutter {
  readonly x: number
  readonly score: number
}

/** Strips that are covered by far fewer segments than what lies to their left and to their right. */
const findGutters = (segments: ReadonlyArray<Segment>, em: number): ReadonlyArray<Gutter> => {
  const count = segments.length
  const starts = Float64Array.from(segments, (segment) => segment.left).sort()
  const ends = Float64Array.from(segments, (segment) => Math.max(segment.right, segment.left)).sort()
  // Stretch i reaches from edges[i] to edges[i + 1] and is covered by covers[i] segments.
  const edges = new Float64Array(2 * count)
  const covers = new Int32Array(2 * count)
  let stretches = 0
  for (let s = 0, e = 0; e < count;) {
    const start = s < count ? (starts[s] ?? Infinity) : Infinity
    const end = ends[e] ?? Infinity
    const opens = start <= end
    edges[stretches] = opens ? start : end
    if (opens) s++
    else e++
    covers[stretches] = s - e
    stretches++
  }
  const rightMost = new Int32Array(stretches + 1)
  for (let i = stretches - 1; i >= 0; i--) rightMost[i] = Math.max(rightMost[i + 1] ?? 0, covers[i] ?? 0)
  const gutters: Array<Gutter> = []
  let leftMost = 0
  let from = -1
  let fewest = 0
  let lines = 0
  const end = (until: number): void => {
    if (from < 0) return
    // The strip proper: its widest stretch that hardly more than the fewest segments cross.
    const slack = lines > 20 ? 1 : 0
    let bestWidth = 0
    let bestX = 0
    for (let i = from; i < until; i++) {
      if ((covers[i] ?? 0) > fewest + slack) continue
      const left = edges[i] ?? 0
      while (i + 1 < until && (covers[i + 1] ?? 0) <= fewest + slack) i++
      const width = (edges[i + 1] ?? left) - left
      if (width > bestWidth) {
        bestWidth = width
        bestX = left + width / 2
      }
    }
    const least = lines < shortGutterLines ? narrowestShortGutter : narrowestGutter
    if (bestWidth >= least * em) gutters.push({ x: bestX, score: Math.min(bestWidth, 4 * em) * lines })
    from = -1
  }
  for (let i = 0; i < stretches; i++) {
    const cover = covers[i] ?? 0
    const beside = Math.min(leftMost, rightMost[i + 1] ?? 0)
    leftMost = Math.max(leftMost, cover)
    if (beside - cover < 2 || cover > 0.4 * beside) {
      end(i)
      continue
    }
    if (from < 0) {
      from = i
      fewest = cover
      lines = 0
    }
    fewest = Math.min(fewest, cover)
    lines = Math.max(lines, beside - cover)
  }
  end(stretches - 1)
  return gutters.sort((one, other) => other.score - one.score).slice(0, mostCandidates)
}

interface Side {
  readonly width: number
  /** Of the largest text of each row. */
  readonly sizes: ReadonlyArray<number>
  readonly baselines: ReadonlyArray<number>
  readonly widths: ReadonlyArray<number>
}

const measure = (segments: ReadonlyArray<Segment>): Side => {
  const baselines: Array<number> = []
  const widths: Array<number> = []
  const sizes: Array<number> = []
  let left = Infinity
  let right = -Infinity
  let row: Segment | undefined
  for (const segment of segments) {
    left = Math.min(left, segment.left)
    right = Math.max(right, segment.right)
    const width = segment.right - segment.left
    if (row !== undefined && onOneLine(row, segment)) {
      widths.push((widths.pop() ?? 0) + width)
      sizes.push(Math.max(sizes.pop() ?? 0, segment.size))
    } else {
      row = segment
      baselines.push(segment.baseline)
      widths.push(width)
      sizes.push(segment.size)
    }
  }
  return { width: right - left, baselines, widths, sizes }
}

const share = (values: ReadonlyArray<number>, holds: (value: number) => boolean): number => {
  let found = 0
  for (const value of values) if (holds(value)) found++
  return values.length === 0 ? 0 : found / values.length
}

const mean = (values: ReadonlyArray<number>): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

// The part of the shorter side's rows that stand level with a row of the other side.
const levelShare = (one: Side, other: Side, tolerance: number): number => {
  const [few, many] = one.baselines.length <= other.baselines.length ? [one, other] : [other, one]
  let level = 0
  let i = 0
  for (const baseline of few.baselines) {
    while (i < many.baselines.length && (many.baselines[i] ?? 0) < baseline - tolerance) i++
    if (Math.abs((many.baselines[i] ?? Infinity) - baseline) <= tolerance) level++
  }
  return level / few.baselines.length
}

const isProse = (side: Side, em: number): boolean =>
  mean(side.widths) >= proseWidth * em && share(side.widths, (width) => width >= 0.7 * side.width) >= 0.5

interface Row {
  readonly size: number
  readonly baseline: number
  readonly width: number
}

/** Without raised signs, which stand above the line that they belong to. */
const wideRows = ({ baselines, sizes, widths }: Side, em: number): ReadonlyArray<Row> =>
  baselines.flatMap((baseline, row) => {
    const width = widths[row] ?? 0
    return width >= narrowestRow * em ? [{ baseline, width, size: sizes[row] ?? 0 }] : []
  })

const isAlike = (one: number, other: number): boolean => Math.abs(one - other) <= cardLikeness * Math.max(one, other)

/** Cards side by side begin level, and have each its heading: the same two sizes below each other. */
const areCards = (left: Side, right: Side, em: number): boolean => {
  const [ones, others] = [wideRows(left, em), wideRows(right, em)]
  const [head, next] = ones
  const [otherHead, otherNext] = others
  if (head === undefined || next === undefined || otherHead === undefined || otherNext === undefined) return false
  const widest = (rows: ReadonlyArray<Row>): number => rows.reduce((most, { width }) => Math.max(most, width), 0)
  return (
    Math.max(head.size, next.size) > cardStep * Math.min(head.size, next.size) &&
    isAlike(head.size, otherHead.size) &&
    isAlike(next.size, otherNext.size) &&
    Math.abs(head.baseline - otherHead.baseline) <= 0.5 * Math.max(em, head.size) &&
    Math.min(widest(ones), widest(others)) >= cardWidth * em
  )
}

/** Whether two neighbours are columns of text rather than the cells of rows. */
const areColumns = (left: ReadonlyArray<Segment>, right: ReadonlyArray<Segment>, em: number): boolean => {
  if (left.length < 2 || right.length < 2) return false
  const one = measure(left)
  const other = measure(right)
  const rows = Math.min(one.baselines.length, other.baselines.length)
  if (areCards(one, other, em)) return true
  if (rows >= 3 && isProse(one, em) && isProse(other, em)) return true
  const narrower = Math.min(mean(one.widths), mean(other.widths))
  if (rows >= 3 && narrower >= leastWidth * em && levelShare(one, other, 0.15 * em) < 0.5) return true
  // Lists of short entries, as in an index. Many rows and columns of one width tell them from a table.
  const even = Math.min(one.width, other.width) / Math.max(one.width, other.width)
  return rows >= 12 && narrower >= shortWidth * em && even >= 0.8
}

const readsFromRight = (segments: ReadonlyArray<Segment>): boolean => {
  let characters = 0
  for (const { rightToLeft, text } of segments) characters += rightToLeft ? text.length : -text.length
  return characters > 0
}

/** The blocks on both sides of a gutter and across it, or undefined if nothing there is set in columns. */
const divideAt = (
  segments: ReadonlyArray<Segment>,
  x: number,
  em: number
): ReadonlyArray<ReadonlyArray<Segment>> | undefined => {
  const blocks: Array<ReadonlyArray<Segment>> = []
  let across: Array<Segment> = []
  let band: Array<Segment> = []
  let divided = false
  const endBand = (): void => {
    const left = band.filter((segment) => segment.right + segment.left < 2 * x)
    const right = band.filter((segment) => segment.right + segment.left >= 2 * x)
    if (areColumns(left, right, em)) {
      if (across.length > 0) blocks.push(across)
      blocks.push(...(readsFromRight(band) ? [right, left] : [left, right]))
      across = []
      divided = true
    } else {
      for (const segment of band) across.push(segment)
    }
    band = []
  }
  const tolerance = 0.3 * em
  let barrier: Segment | undefined
  for (const segment of segments) {
    if (segment.left < x - tolerance && segment.right > x + tolerance) {
      // What stands on the barrier's own line but came before it belongs to the barrier.
      const beside: Array<Segment> = []
      for (let last = band.at(-1); last !== undefined && onOneLine(last, segment); last = band.at(-1)) {
        beside.unshift(last)
        band.pop()
      }
      if (band.length > 0) endBand()
      for (const piece of beside) across.push(piece)
      across.push(segment)
      barrier = segment
    } else if (barrier !== undefined && onOneLine(barrier, segment)) {
      across.push(segment)
    } else {
      band.push(segment)
    }
  }
  endBand()
  if (!divided) return undefined
  if (across.length > 0) blocks.push(across)
  return blocks
}

/** Where the white space above `segments[i]` is widest, and how wide; 0 if the text overlaps everywhere. */
const widestBreak = (segments: ReadonlyArray<Segment>): { readonly index: number; readonly gap: number } => {
  let bottom = -Infinity
  let index = 0
  let gap = 0
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i]
    if (segment === undefined) continue
    const space = topOf(segment) - bottom
    if (i > 0 && space > gap) {
      index = i
      gap = space
    }
    bottom = Math.max(bottom, bottomOf(segment))
  }
  return { index, gap }
}

interface Block {
  readonly segments: ReadonlyArray<Segment>
  /** Stands between gutters, and is not continued by what is below it. */
  readonly bounded: boolean
}

const divide = (segments: ReadonlyArray<Segment>, em: number, depth: number): ReadonlyArray<Block> => {
  if (depth < deepest && segments.length >= 4 && hasNeighbours(segments, em)) {
    for (const gutter of findGutters(segments, em)) {
      const parts = divideAt(segments, gutter.x, em)
      if (parts === undefined) continue
      return parts.flatMap((part) => divide(part, em, depth + 1)).map((block) => ({ ...block, bounded: true }))
    }
    const { index, gap } = widestBreak(segments)
    if (gap > 0.5 * em) {
      const above = divide(segments.slice(0, index), em, depth + 1)
      const below = divide(segments.slice(index), em, depth + 1)
      const [last, first] = [above.at(-1), below[0]]
      if (last === undefined || first === undefined || last.bounded || first.bounded) return [...above, ...below]
      const joined = { segments: [...last.segments, ...first.segments], bounded: false }
      return [...above.slice(0, -1), joined, ...below.slice(1)]
    }
  }
  return [{ segments, bounded: false }]
}

// A running header or footer stands off by itself; its parts belong to no column.
const marginRow = (segments: ReadonlyArray<Segment>, em: number): number => {
  const first = segments[0]
  let index = 1
  for (let next = segments[1]; first !== undefined && next !== undefined; next = segments[++index]) {
    if (!onOneLine(first, next)) return topOf(next) - bottomOf(first) > marginGap * em ? index : 0
  }
  return 0
}

const lastRow = (segments: ReadonlyArray<Segment>, em: number): number => {
  const last = segments.at(-1)
  let index = segments.length - 2
  for (let next = segments[index]; last !== undefined && next !== undefined; next = segments[--index]) {
    if (!onOneLine(last, next)) return topOf(last) - bottomOf(next) > marginGap * em ? index + 1 : segments.length
  }
  return segments.length
}

/** The blocks of a page in the order in which a person reads them. */
export const toBlocks = (segments: ReadonlyArray<Segment>): ReadonlyArray<ReadonlyArray<Segment>> => {
  const em = medianSize(segments)
  const sorted = segments.slice().sort((one, other) => one.baseline - other.baseline || one.left - other.left)
  if (sorted.length < 4 || !hasNeighbours(sorted, em)) return [sorted]
  const blocks: Array<ReadonlyArray<Segment>> = []
  const from = marginRow(sorted, em)
  const until = Math.max(from, lastRow(sorted, em))
  if (from > 0) blocks.push(sorted.slice(0, from))
  for (const block of divide(sorted.slice(from, until), em, 0)) blocks.push(block.segments)
  if (until < sorted.length) blocks.push(sorted.slice(until))
  return blocks
}
