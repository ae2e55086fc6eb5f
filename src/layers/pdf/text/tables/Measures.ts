// Where things stand in a frame in which all text reads from left to right and top to bottom.
import type { Bounds } from "../Bounds.ts"
import type { Segment } from "../Segments.ts"

export const topOf = ({ baseline, size }: Segment): number => baseline - 0.8 * size
export const bottomOf = ({ baseline, size }: Segment): number => baseline + 0.2 * size
/** The height at which most of its ink is. */
export const middleOf = ({ baseline, size }: Segment): number => baseline - 0.3 * size

export const extentOf = (segments: ReadonlyArray<Segment>): Bounds => {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const segment of segments) {
    left = Math.min(left, segment.left)
    right = Math.max(right, segment.right)
    top = Math.min(top, topOf(segment))
    bottom = Math.max(bottom, bottomOf(segment))
  }
  return { left, right, top, bottom }
}

/** The common part of two stretches; negative if there is a gap between them. */
export const overlap = (from: number, to: number, otherFrom: number, otherTo: number): number =>
  Math.min(to, otherTo) - Math.max(from, otherFrom)

/** The middle value of a list that is not empty, or 0. */
export const median = (values: Iterable<number>): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[sorted.length >> 1] ?? 0
}

export const readingOrder = (segments: ReadonlyArray<Segment>): ReadonlyArray<Segment> =>
  segments.slice().sort((one, other) => one.baseline - other.baseline || one.left - other.left)
