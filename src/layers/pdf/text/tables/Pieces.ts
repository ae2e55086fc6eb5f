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
  const inside = borders.filter((x) => x > fragment.left + 0.1 * fragment.size && x < fragment.right - 0.1 * fragment.size)
  if (inside.length === 0 || fragment.glyphs === undefined) return [fragment]
  const glyphs = glyphsOf(fragment)
  const cuts = [0, ...new Set(inside.flatMap((x) => cutAt(glyphs, x) ?? [])), glyphs.length].sort((one, other) => one - other)
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
      const isJoined = previous !== undefined && !fragment.spaced && fragment.left - previous.right < 0.15 * fragment.size
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
