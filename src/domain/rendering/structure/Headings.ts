// Which blocks are headings, and of which level, as the whole document shows it.
import type { OutlineItem } from "../../document/Document.ts"
import { styleKey, type TextStyle } from "./Style.ts"

export interface HeadingCandidate {
  readonly page: number
  readonly index: number
  readonly text: string
  readonly style: TextStyle
  /** As the page alone shows it; undefined when the page takes it for a paragraph. */
  readonly level: number | undefined
  /** The level was given by the file. */
  readonly isTagged: boolean
}

const deepest = 6
const clamp = (level: number): number => Math.min(deepest, Math.max(1, level))

/** `2.3.1 Title` has 3; undefined without a number. */
export const numberDepth = (text: string): number | undefined => {
  const [, numbers] =
    /^\s*(?:chapter|part|section|appendix|kapitel|teil|abschnitt|chapitre|partie)?\s*(\d{1,3}(?:\.\d{1,3})*)\.?\s+\S/iu.exec(
      text
    ) ?? []
  return numbers === undefined ? undefined : numbers.split(".").length
}

/** Letters and digits only, without a number in front: outlines often leave it out. */
const comparable = (text: string): string =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/^\s*(?:\d{1,3}(?:\.\d{1,3})*|[ivxlc]+|[a-z])[.):]?\s+/, "")
    .replace(/[^\p{L}\p{N}]+/gu, "")

/** The levels that the outline gives, by candidate. */
const outlineLevels = (
  candidates: ReadonlyArray<HeadingCandidate>,
  outline: ReadonlyArray<OutlineItem>
): ReadonlyMap<HeadingCandidate, number> => {
  const byTitle = new Map<string, Array<OutlineItem>>()
  for (const item of outline) {
    const title = comparable(item.title)
    if (title === "") continue
    const same = byTitle.get(title)
    if (same === undefined) byTitle.set(title, [item])
    else same.push(item)
  }
  const levels = new Map<HeadingCandidate, number>()
  for (const candidate of candidates) {
    const item = byTitle
      .get(comparable(candidate.text))
      ?.find(({ page = candidate.page }) => Math.abs(page - candidate.page) <= 1)
    if (item !== undefined) levels.set(candidate, clamp(item.depth + 1))
  }
  return levels
}

/** Larger first, then bold before regular. */
const byRank = (a: TextStyle, b: TextStyle): number => b.size - a.size || Number(b.bold) - Number(a.bold)

/** A cover has sizes of its own: a style that is used once, on one of the first two pages, shares the first level. */
const isOfCover = (used: ReadonlyArray<HeadingCandidate>): boolean => used.length === 1 && (used[0]?.page ?? 0) <= 2

/** A style of so many headings is that of a level. */
const leastRepeated = 3

/** The level of each style, by its rank. */
const styleLevels = (headings: ReadonlyArray<HeadingCandidate>): Map<string, number> => {
  const byStyle = Map.groupBy(headings, ({ style }) => styleKey(style))
  const ranked = [...byStyle].sort(([, [a]], [, [b]]) =>
    a === undefined || b === undefined ? 0 : byRank(a.style, b.style)
  )
  const levels = new Map<string, number>()
  // A cover stands out where others repeat: without them there is nothing that it could be the cover of.
  const lastRepeated = ranked.findLastIndex(([, used]) => used.length >= leastRepeated)
  let level = 0
  let isCover = false
  let last: TextStyle | undefined
  for (const [rank, [key, used]] of ranked.entries()) {
    const style = used[0]?.style
    const isSame =
      last !== undefined && style !== undefined && last.bold === style.bold && last.size <= style.size * 1.04
    const sharesCover = isCover && isOfCover(used) && rank < lastRepeated
    if (!isSame && !sharesCover) level++
    isCover = level === 1 && isOfCover(used)
    last = style
    levels.set(key, clamp(level))
  }
  return levels
}

/** A heading's number gives its depth and beats the size; other headings of that style have the level of most of its headings. */
const byNumbers = (
  headings: ReadonlyArray<HeadingCandidate>,
  levels: Map<string, number>
): Map<HeadingCandidate, number> => {
  const levelOf = ({ style }: HeadingCandidate) => levels.get(styleKey(style)) ?? 1
  const numbered = headings.flatMap((heading) => {
    const depth = numberDepth(heading.text)
    return depth === undefined ? [] : [{ heading, depth }]
  })
  const result = new Map<HeadingCandidate, number>()
  if (numbered.length >= 2) {
    const base = Math.min(...numbered.map(({ depth, heading }) => Math.max(1, levelOf(heading) - depth + 1)))
    for (const { depth, heading } of numbered) result.set(heading, clamp(base + depth - 1))
  }
  for (const heading of headings) if (!result.has(heading)) result.set(heading, levelOf(heading))
  return result
}

/**
 * The level of every heading. The order of trust: the tags of the file, its outline, the numbers of the headings, their sizes and
 * weights.
 */
export const headingLevels = (
  headings: ReadonlyArray<HeadingCandidate>,
  outline: ReadonlyArray<OutlineItem>
): ReadonlyMap<HeadingCandidate, number> => {
  const fromOutline = outlineLevels(headings, outline)
  const seen = headings.filter(({ isTagged }) => !isTagged)
  const levels = byNumbers(seen, styleLevels(seen))
  // Where the outline knows headings of a style, it also places the others of that style.
  const isOutlined = fromOutline.size >= 3 && fromOutline.size * 2 >= outline.length
  if (isOutlined) {
    const known = Map.groupBy(fromOutline.keys(), ({ style }) => styleKey(style))
    const most = (key: string): number | undefined => {
      const counts = new Map<number, number>()
      for (const heading of known.get(key) ?? []) {
        const level = fromOutline.get(heading) ?? 1
        counts.set(level, (counts.get(level) ?? 0) + 1)
      }
      return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0]
    }
    for (const heading of seen)
      levels.set(heading, fromOutline.get(heading) ?? most(styleKey(heading.style)) ?? levels.get(heading) ?? 1)
  }
  for (const heading of headings)
    if (heading.isTagged && heading.level !== undefined) levels.set(heading, heading.level)
  return levels
}
