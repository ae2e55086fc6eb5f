// Which blocks are headings, by size, weight, capitals and numbering, compared with the running text of the page.
import { isCaptionStart, listMarker, numberingDepth } from "./Markers.ts"
import type { PageStyle } from "./PageStyle.ts"
import type { StyledLine } from "./StyledLine.ts"
import type { TextBlock } from "./TextBlock.ts"
import { blockText } from "./TextBlock.ts"

// Sizes in parts of that of the running text.
const clearlyLarger = 1.14
const larger = 1.04
const smallest = 0.94
const longest = 200
const longestOfBodySize = 120
const mostLines = 5
const mostLinesOfBodySize = 3
const deepest = 6

const letter = /\p{L}/u
const letters = /\p{L}/gu
const lowerCase = /\p{Ll}/u
const upperCase = /\p{Lu}/gu
const sentence = /[.!?。][)"'”’]?$/
const goesOn = /[,;،]$|\b(?:and|or|the|of|a|in|to)$/i
/** An entry of a list of contents. */
const leader = /(?:\. ?){4,}|…\s*\d/
const address = /@|https?:|www\./

const isCapitals = (text: string): boolean => !lowerCase.test(text) && (text.match(upperCase)?.length ?? 0) >= 4

/** Pieces of a formula, a row of figures and the like are no heading, however they are set. */
const mayBeHeading = (text: string): boolean => {
  const count = text.match(letters)?.length ?? 0
  return (
    count >= 2 &&
    2 * count >= text.replace(/\s/g, "").length &&
    !address.test(text) &&
    !leader.test(text) &&
    !isCaptionStart(text)
  )
}

type Look = "large" | "weight" | "capitals" | "numbered" | undefined

const lookOf = (block: TextBlock, style: PageStyle): Look => {
  const [first] = block.lines
  if (first === undefined) return undefined
  const text = blockText(block)
  const ratio = first.usualSize / style.bodySize
  const isLarge = ratio >= clearlyLarger
  if (block.lines.length > (isLarge ? mostLines : mostLinesOfBodySize)) return undefined
  if (isLarge && /^(?:\d{1,2}|[IVX]{1,5})[.]?$/.test(text)) return ratio >= 1.4 ? "large" : undefined
  if (text.length > (isLarge ? longest : longestOfBodySize) || !mayBeHeading(text)) return undefined
  if (isLarge) return sentence.test(text) && text.length > 100 ? undefined : "large"
  if (ratio < smallest || goesOn.test(text)) return undefined
  const depth = numberingDepth(text)
  const isBold = block.lines.every((line) => line.isBold) && !style.isBodyBold
  const ends = sentence.test(text) && depth === 0
  if (isBold && !ends) return lowerCase.test(text.charAt(0)) ? undefined : "weight"
  if (ends || text.endsWith(":") || block.lines.length > 2) return undefined
  if (isCapitals(text) && text.length >= 6) return "capitals"
  const isItalic = block.lines.every((line) => line.isItalic) && !style.isBodyItalic
  if (depth >= 1 && /^\d/.test(text) && (isItalic || ratio >= larger) && text.length < 80) return "numbered"
  if (depth >= 2 && /^\d+\.\d/.test(text) && text.length < 80) return "numbered"
  return undefined
}

interface Candidate {
  readonly block: TextBlock
  readonly look: Exclude<Look, undefined>
}

const styleKey = ({ block, look }: Candidate): string => {
  const size = Math.round((block.lines[0]?.usualSize ?? 0) * 2) / 2
  return `${String(10_000 - Math.round(size * 10)).padStart(6, "0")} ${look === "weight" || block.lines[0]?.isBold === true ? 0 : look === "capitals" ? 1 : 2}`
}

/** So many headings of one style with no text below any of them are entries of a list or cells of a table. */
const mostInRow = 3

const withoutRows = (
  candidates: ReadonlyArray<Candidate>,
  blocks: ReadonlyArray<TextBlock>
): ReadonlyArray<Candidate> => {
  const places = new Map(blocks.map((block, at) => [block, at]))
  const rows: Array<Array<Candidate>> = []
  let before: Candidate | undefined
  for (const candidate of candidates) {
    const row = rows.at(-1)
    const follows =
      (places.get(candidate.block) ?? 0) === (before === undefined ? -1 : (places.get(before.block) ?? 0) + 1)
    if (row !== undefined && before !== undefined && follows && styleKey(before) === styleKey(candidate))
      row.push(candidate)
    else rows.push([candidate])
    before = candidate
  }
  return rows.flatMap((row) => (row.length > mostInRow ? [] : row))
}

/** Marks the headings among the blocks, which stand in the order of reading, and gives them levels. */
export const markHeadings = (blocks: ReadonlyArray<TextBlock>, style: PageStyle): void => {
  const candidates: Array<Candidate> = []
  blocks.forEach((block) => {
    if (block.kind !== "paragraph" || block.isTagged) return
    const look = lookOf(block, style)
    if (look !== undefined) candidates.push({ block, look })
  })
  // Items count for rows, but are none themselves, however large they are set.
  const headings = withoutRows(candidates, blocks).filter(
    ({ block }) => listMarker(block.lines[0]?.text ?? "")?.kind !== "bullet"
  )
  const keys = [...new Set(headings.map(styleKey))].sort()
  for (const candidate of headings) {
    const depth = numberingDepth(blockText(candidate.block))
    const rank = keys.indexOf(styleKey(candidate)) + 1
    candidate.block.kind = "heading"
    candidate.block.level = Math.min(deepest, depth >= 2 ? depth : rank)
  }
}

/** Lines of one heading that were taken apart are one. */
export const joinHeadings = (blocks: ReadonlyArray<TextBlock>): Array<TextBlock> => {
  const joined: Array<TextBlock> = []
  for (const block of blocks) {
    const before = joined.at(-1)
    const [last, first] = [before?.lines.at(-1), block.lines[0]]
    if (before !== undefined && last !== undefined && first !== undefined && mayJoin(before, block, last, first)) {
      before.lines.push(...block.lines)
    } else {
      joined.push(block)
    }
  }
  return joined
}

const mayJoin = (before: TextBlock, block: TextBlock, last: StyledLine, first: StyledLine): boolean => {
  if (before.isTagged || block.isTagged) return false
  if (before.kind !== "heading" || block.kind !== "heading" || before.level !== block.level) return false
  if (Math.abs(last.usualSize - first.usualSize) > 0.5 || last.isBold !== first.isBold) return false
  if (numberingDepth(first.text) > 0 || before.lines.length >= mostLines || !letter.test(last.text)) return false
  const pitch = first.baseline - last.baseline
  return pitch > 0 && pitch <= 1.45 * first.size
}
