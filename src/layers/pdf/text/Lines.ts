// Puts the segments of one column together to lines.
import { closeLeaders, closeTracking } from "./Characters.ts"
import { lineText } from "./lines/LineText.ts"
import type { OpenLine } from "./lines/Scripts.ts"
import { aroundScripts, attachScripts } from "./lines/Scripts.ts"
import type { Segment } from "./Segments.ts"
import { onOneLine, separator } from "./Segments.ts"
import { mayBeTracked } from "./lines/Tracking.ts"

/** A line in the coordinates of its frame. `top` and `bottom` enclose all of it, `baseline` and `size` are of its largest text. */
export interface Line {
  readonly text: string
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  readonly baseline: number
  readonly size: number
  /** From left to right. */
  readonly segments: ReadonlyArray<Segment>
  /** Its text is not that of its segments in order: see `lineText`. */
  readonly isReordered: boolean
}

// A segment is compared with this many of the lines before it, and with this many segments of each. What is nearer than
// that in height decides; more is only found in files made to cost time.
const openLines = 8
const openSegments = 16

// In parts of the font size. What is further apart is no text with wide tracking, but the cells of a row.
const widestTracking = 2.2

// Two lines of small text beside one line of large text are on its height both, but not on one line. A subscript below a
// superscript is.
const collides = ({ segments, size }: OpenLine, next: Segment): boolean => {
  if (next.text.length <= 4 && next.size >= 0.5 * size && next.size <= 0.8 * size) return false
  for (let i = segments.length - 1; i >= 0 && i >= segments.length - openSegments; i--) {
    const segment = segments[i]
    if (segment === undefined || Math.abs(segment.baseline - next.baseline) < 0.6 * Math.min(segment.size, next.size)) {
      continue
    }
    const overlap = Math.min(segment.right, next.right) - Math.max(segment.left, next.left)
    if (overlap > 0.5 * Math.min(segment.right - segment.left, next.right - next.left)) return true
  }
  return false
}

const gather = (segments: ReadonlyArray<Segment>): Array<OpenLine> => {
  const lines: Array<OpenLine> = []
  const sorted = segments.slice().sort((one, other) => one.baseline - other.baseline || one.left - other.left)
  for (const segment of sorted) {
    let found: OpenLine | undefined
    for (let i = lines.length - 1; i >= 0 && i >= lines.length - openLines; i--) {
      const line = lines[i]
      if (line !== undefined && onOneLine(line, segment) && !collides(line, segment)) {
        found = line
        break
      }
    }
    if (found === undefined) {
      lines.push({ segments: [segment], baseline: segment.baseline, size: segment.size })
    } else {
      found.segments.push(segment)
      if (segment.size > found.size) {
        found.size = segment.size
        found.baseline = segment.baseline
      }
    }
  }
  return attachScripts(lines.sort((one, other) => one.baseline - 0.8 * one.size - (other.baseline - 0.8 * other.size)))
}

const close = ({ segments, baseline, size }: OpenLine): Line => {
  segments.sort((one, other) => one.left - other.left)
  const rightToLeft = segments.some((segment) => segment.rightToLeft)
  const ordered = aroundScripts(segments)
  let text = ""
  let before: Segment | undefined
  let left = Infinity
  let right = -Infinity
  let top = Infinity
  let bottom = -Infinity
  let widest = 0
  for (const segment of ordered) {
    if (before === undefined) {
      text = segment.text
    } else {
      const gap = segment.left - before.right
      const smaller = Math.min(before.size, segment.size)
      if (gap > widest) widest = gap
      text += separator(before.text, segment.text, gap, smaller, segment.spaced) + segment.text
    }
    left = Math.min(left, segment.left)
    right = Math.max(right, segment.right)
    top = Math.min(top, segment.baseline - 0.8 * segment.size)
    bottom = Math.max(bottom, segment.baseline + 0.2 * segment.size)
    before = segment
  }
  const isReordered = rightToLeft || ordered !== segments || mayBeTracked(text)
  if (isReordered) text = lineText(ordered, rightToLeft)
  if (widest <= widestTracking * size) text = closeTracking(text)
  text = closeLeaders(text)
  return { text, left, right, top, bottom, baseline, size, segments: ordered, isReordered }
}

/** Lines from top to bottom. */
export const toLines = (segments: ReadonlyArray<Segment>): ReadonlyArray<Line> => gather(segments).map(close)
