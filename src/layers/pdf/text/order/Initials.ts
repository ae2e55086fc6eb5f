// An initial of several lines' height is the first letter of the first of these lines.
import type { Segment } from "../Segments.ts"

// In parts of the usual font size.
const smallestInitial = 1.9
const largestInitial = 9
const widestGap = 1.2
const mostInitials = 20

const initial = /^["“„«‘']?\p{L}$/u
const goesOn = /^[\p{L}’']/u

const medianSize = (segments: ReadonlyArray<Segment>): number => {
  const sizes = Float64Array.from(segments, ({ size }) => size).sort()
  return sizes[sizes.length >> 1] ?? 1
}

const topOf = ({ baseline, size }: Segment): number => baseline - 0.75 * size

/** The line that begins with the initial: the first of those beside it. */
const firstBeside = (segments: ReadonlyArray<Segment>, cap: Segment, em: number): Segment | undefined => {
  let first: Segment | undefined
  let lines = 0
  for (const segment of segments) {
    const gap = segment.left - cap.right
    const middle = segment.baseline - 0.3 * segment.size
    if (segment === cap || segment.rightToLeft || gap < -0.3 * em || gap > widestGap * em) continue
    if (middle < topOf(cap) - 0.3 * em || middle > cap.baseline + 0.2 * em || segment.size > 0.6 * cap.size) continue
    lines++
    if (first === undefined || segment.baseline < first.baseline) first = segment
  }
  return lines >= 2 && first !== undefined && goesOn.test(first.text) ? first : undefined
}

const joined = (cap: Segment, line: Segment): Segment => {
  const [last, next] = [cap.parts.at(-1), line.parts[0]]
  const space = last !== undefined && next?.spaced === true && next.order === last.order + 1 ? " " : ""
  const start = cap.text + space
  return {
    ...line,
    text: start + line.text,
    left: cap.left,
    parts: [...cap.parts, ...line.parts],
    ends: line.ends.length === 0 ? [] : [...cap.ends, ...line.ends.map((end) => end + start.length)],
    spaced: cap.spaced
  }
}

export const joinInitials = (segments: ReadonlyArray<Segment>): ReadonlyArray<Segment> => {
  const caps = segments.filter(({ text }) => text.length <= 2 && initial.test(text))
  if (caps.length === 0) return segments
  const em = medianSize(segments)
  const large = caps.filter(({ size }) => size >= smallestInitial * em && size <= largestInitial * em)
  const changed = new Map<Segment, Segment | undefined>()
  for (const cap of large.slice(0, mostInitials)) {
    const line = firstBeside(segments, cap, em)
    if (line === undefined || changed.has(line)) continue
    changed.set(cap, undefined)
    changed.set(line, joined(cap, line))
  }
  if (changed.size === 0) return segments
  return segments.flatMap((segment) => {
    if (!changed.has(segment)) return [segment]
    const other = changed.get(segment)
    return other === undefined ? [] : [other]
  })
}
