// Joins fragments that follow each other on one baseline, in the order in which the file shows them.
import { isUnspaced } from "./Characters.ts"
import type { Fragment } from "./Fragment.ts"

/** Text without a wide gap. `baseline` and `size` are those of its largest fragment. */
export interface Segment {
  text: string
  left: number
  right: number
  baseline: number
  size: number
  readonly rightToLeft: boolean
  readonly spaced: boolean
  /** What it was joined from, in the order of the file. */
  readonly parts: Array<Fragment>
  /** Where the text of each part ends in the text of the segment. A space between two parts belongs to the second. */
  readonly ends: Array<number>
}

// In parts of the font size. A wider gap may be a gutter, or the space between two cells of a table.
const widestWordGap = 0.65
const spaceGap = 0.13
const unspacedGap = 0.5
const overlap = 0.3
// An accent, a stroke or a circle is drawn over its letter.
const accentOverlap = 1.1
const accentLength = 2
const touching = 0.1

/** Whether both stand on one line: the smaller may be raised or lowered, but lies mostly beside the larger. */
export const onOneLine = (
  one: { readonly baseline: number; readonly size: number },
  other: { readonly baseline: number; readonly size: number }
): boolean => {
  if (one.baseline === other.baseline) return true
  const [small, large] = one.size < other.size ? [one, other] : [other, one]
  // An initial of several lines' height belongs to none of them.
  if (large.size > 2.5 * small.size) return Math.abs(one.baseline - other.baseline) < 0.1 * small.size
  const x = 0.7
  const overlap =
    Math.min(small.baseline, large.baseline) -
    Math.max(small.baseline - x * small.size, large.baseline - x * large.size)
  return overlap >= 0.5 * x * small.size
}

interface Place {
  readonly baseline: number
  readonly size: number
}

const scriptRatio = 0.85
const smallestRatio = 0.4
// In parts of the larger text's size. Typesetting programs raise and lower by a third of the size, some by half of it.
const widestGap = 0.3
const deepestOverlap = 0.2
const highest = 0.75
// In parts of the smaller text's size: below that is the next line.
const lowest = 0.95

/** Whether small text stands a little higher or lower than the larger. */
export const isRaisedOrLowered = (small: Place, large: Place): boolean => {
  if (small.size > scriptRatio * large.size || small.size < smallestRatio * large.size) return false
  const lowered = small.baseline - large.baseline
  return lowered < lowest * small.size && lowered > -highest * large.size
}

/**
 * Whether one of two pieces is set smaller, is raised or lowered, and touches the other: it reaches into the height of
 * the larger, as no line above or below does. `gap` is what lies between them.
 */
export const isScript = (one: Place, other: Place, gap: number): boolean => {
  const [small, large] = one.size < other.size ? [one, other] : [other, one]
  return gap <= widestGap * large.size && gap >= -deepestOverlap * large.size && isRaisedOrLowered(small, large)
}

/** What stands between two pieces of text that are `gap` apart. */
export const separator = (before: string, after: string, gap: number, size: number, spaced: boolean): "" | " " => {
  if (isUnspaced(before.charCodeAt(before.length - 1)) && isUnspaced(after.charCodeAt(0))) {
    return gap > unspacedGap * size ? " " : ""
  }
  // Pieces that lie on each other are no continuation of each other, unless one is an accent.
  return gap > spaceGap * size || gap < -size || (spaced && gap > -spaceGap * size) ? " " : ""
}

export const toSegments = (fragments: ReadonlyArray<Fragment>): Array<Segment> => {
  const segments: Array<Segment> = []
  let open: Segment | undefined
  let short = false
  for (const next of fragments) {
    if (open !== undefined && !open.rightToLeft && !next.rightToLeft) {
      const gap = next.left - open.right
      const size = Math.min(open.size, next.size)
      const accent = short || next.text.length <= accentLength
      const closest = -(accent ? accentOverlap : overlap) * size
      if (
        gap < widestWordGap * size &&
        gap > closest &&
        (accent ? next.right > open.left + touching * size : next.left >= open.left) &&
        (onOneLine(open, next) || isScript(open, next, gap))
      ) {
        short = next.text.length <= accentLength
        open.parts.push(next)
        open.text += separator(open.text, next.text, gap, size, next.spaced) + next.text
        open.ends.push(open.text.length)
        if (next.left < open.left) open.left = next.left
        if (next.right > open.right) open.right = next.right
        if (next.size > open.size) {
          open.size = next.size
          open.baseline = next.baseline
        }
        continue
      }
    }
    open = {
      text: next.text,
      left: next.left,
      right: next.right,
      baseline: next.baseline,
      size: next.size,
      rightToLeft: next.rightToLeft,
      spaced: next.spaced,
      parts: [next],
      ends: [next.text.length]
    }
    short = next.text.length <= accentLength
    segments.push(open)
  }
  return segments
}
