// Segments cut where the borders of columns run through them.
import type { Fragment } from "../Fragment.ts"
import { glyphsOf, sliceOf } from "../Glyphs.ts"
import type { Segment } from "../Segments.ts"
import { toSegments } from "../Segments.ts"

// In parts of the font size: how far from a border the space between two words may be to be taken for it.
const nearBorder = 0.8

/** Where in a fragment it is cut for the border at `x`: before that glyph. Undefined where no space is near. */
const cutAt = (glyphs: ReturnType<typeof glyphsOf>, x: number): number | undefined => {
  let best: number | undefined
  let bestDistance = Infinity
  for (let index = 1; index < glyphs.length; index++) {
    const [before, glyph] = [glyphs[index - 1], glyphs[index]]
    if (before === undefined || glyph === undefined) continue
    const gap = glyph.left - before.right
    if (!glyph.spaced && gap < 0.5 * glyph.size) continue
    const distance = Math.max(0, before.right - x, x - glyph.left)
    if (distance <= nearBorder * glyph.size && distance < bestDistance) {
      best = index
      bestDistance = distance
    }
  }
  return best
}

const cutFragment = (fragment: Fragment, borders: ReadonlyArray<number>): ReadonlyArray<Fragment> => {
  const inside = borders.filter(
    (x) => x > fragment.left + 0.1 * fragment.size && x < fragment.right - 0.1 * fragment.size
  )
  if (inside.length === 0 || fragment.glyphs === undefined) return [fragment]
  const glyphs = glyphsOf(fragment)
  const cuts = [0, ...new Set(inside.flatMap((x) => cutAt(glyphs, x) ?? [])), glyphs.length].sort(
    (one, other) => one - other
  )
  if (cuts.length === 2) return [fragment]
  const parts: Array<Fragment> = []
  for (let index = 1; index < cuts.length; index++) {
    const [from, until] = [cuts[index - 1] ?? 0, cuts[index] ?? 0]
    if (until > from) parts.push(sliceOf(fragment, glyphs, from, until))
  }
  return parts
}

/** The parts of a segment that lie in different columns. `borders` are in ascending order. */
export const cutSegment = (segment: Segment, borders: ReadonlyArray<number>): ReadonlyArray<Segment> => {
  if (segment.rightToLeft || !borders.some((x) => x > segment.left && x < segment.right)) return [segment]
  const groups = new Map<number, Array<Fragment>>()
  let last = 0
  let isCut = false
  let previous: Fragment | undefined
  for (const part of segment.parts) {
    for (const fragment of cutFragment(part, borders)) {
      const centre = (fragment.left + fragment.right) / 2
      let column = borders.filter((x) => x <= centre).length
      // Without a space between them they are one word.
      const isJoined =
        previous !== undefined && !fragment.spaced && fragment.left - previous.right < 0.15 * fragment.size
      if (isJoined && column !== last && previous !== undefined) column = last
      const group = groups.get(column)
      if (group === undefined) groups.set(column, [fragment])
      else group.push(fragment)
      if (column !== last) isCut = true
      last = column
      previous = fragment
    }
  }
  if (!isCut || groups.size === 1) return [segment]
  return [...groups.entries()].sort((one, other) => one[0] - other[0]).flatMap(([, fragments]) => toSegments(fragments))
}

// In parts of the font size. Words are nearer to each other.
const widestWordGap = 1.1

/** Whether a run holds what stands in different places: blanks in the file may be as wide as a column. */
const hasWideGap = ({ glyphs, size }: Fragment): boolean => {
  if (glyphs === undefined) return false
  const { places, scale } = glyphs
  const widest = (widestWordGap * size) / Math.abs(scale || 1)
  for (let index = 3; index < places.length; index += 3) {
    if (Math.abs((places[index] ?? 0) - (places[index - 2] ?? 0)) > widest) return true
  }
  return false
}

export const hasWideGaps = ({ parts, rightToLeft }: Segment): boolean => !rightToLeft && parts.some(hasWideGap)

/** The parts of a segment between wide gaps within its runs; the segment itself if there are none. */
const cutAtWideGaps = (segment: Segment): ReadonlyArray<Segment> => {
  if (!hasWideGaps(segment)) return [segment]
  const fragments = segment.parts.flatMap((part) => {
    if (!hasWideGap(part)) return [part]
    const glyphs = glyphsOf(part)
    const cuts = [0]
    for (let index = 1; index < glyphs.length; index++) {
      const gap = (glyphs[index]?.left ?? 0) - (glyphs[index - 1]?.right ?? 0)
      if (gap > widestWordGap * part.size) cuts.push(index)
    }
    return cuts.map((from, index) => sliceOf(part, glyphs, from, cuts[index + 1] ?? glyphs.length))
  })
  return toSegments(fragments)
}

const bullet = /^[\u2022\u25e6\u25aa\u25ab\u25cf\u25cb\u25a0\u25a1\u2023\u2043\u00b7\u2013\u2014\uf0b7\uf0a7*o-]$/u

// In parts of the font size: how far a bullet stands from what it is the mark of.
const bulletGap = 3.5

const joined = (one: Segment, other: Segment): Segment => ({
  ...other,
  text: `${one.text} ${other.text}`,
  left: one.left,
  parts: [...one.parts, ...other.parts],
  ends: [...one.ends, ...other.ends.map((end) => one.text.length + 1 + end)]
})

/**
 * Segments cut at wide gaps, bullets joined to what they are the marks of; for each the segments that it comes from.
 */
export const toPieces = (segments: ReadonlyArray<Segment>): ReadonlyMap<Segment, ReadonlyArray<Segment>> => {
  const pieces = new Map<Segment, ReadonlyArray<Segment>>()
  let mark: Segment | undefined
  for (const segment of segments) {
    const isItem =
      mark !== undefined &&
      Math.abs(mark.baseline - segment.baseline) < 0.3 * segment.size &&
      segment.left > mark.right &&
      segment.left - mark.right < bulletGap * segment.size &&
      /\p{L}/u.test(segment.text)
    if (mark !== undefined && isItem) pieces.set(joined(mark, segment), [mark, segment])
    else {
      if (mark !== undefined) pieces.set(mark, [mark])
      if (bullet.test(segment.text)) {
        mark = segment
        continue
      }
      for (const piece of cutAtWideGaps(segment)) pieces.set(piece, [segment])
    }
    mark = undefined
  }
  if (mark !== undefined) pieces.set(mark, [mark])
  return pieces
}
