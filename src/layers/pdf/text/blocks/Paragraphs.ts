// Puts the lines of a column together to paragraphs, headings and items of lists, by the space between them, their indents and
// their looks.
import { joinCode } from "./Code.ts"
import { listMarker } from "./Markers.ts"
import type { PageStyle } from "./PageStyle.ts"
import type { StyledLine } from "./StyledLine.ts"
import type { TextBlock } from "./TextBlock.ts"
import { textBlock } from "./TextBlock.ts"

// In parts of the font size, or of the usual distance of lines.
const otherSize = 1.08
const wideGap = 1.3
const leastExtra = 0.25
const indent = 0.8
const widestIndent = 4
const linesForPitch = 5

interface Column {
  readonly lines: ReadonlyArray<StyledLine>
  readonly right: number
  readonly pitch: number | undefined
}

const pitchOf = (lines: ReadonlyArray<StyledLine>): number | undefined => {
  if (lines.length < linesForPitch) return undefined
  const pitches = Float64Array.from(
    lines.slice(1),
    ({ baseline }, index) => baseline - (lines[index]?.baseline ?? 0)
  ).sort()
  // The smaller half: there are more wide gaps in a column of headings than narrow ones.
  return pitches[Math.floor(0.4 * pitches.length)]
}

const differ = (one: StyledLine, other: StyledLine): boolean =>
  Math.max(one.usualSize, other.usualSize) > otherSize * Math.min(one.usualSize, other.usualSize) ||
  (one.isBold !== other.isBold && Math.min(one.characters, other.characters) > 3)

/** Code begins or ends: two lines of it, or one that is indented. */
const isAtCode = ({ lines }: Column, at: number): boolean => {
  const [before, line] = [lines[at - 1], lines[at]]
  if (before === undefined || line === undefined || before.isMono === line.isMono) return false
  const [code, text, beyond] = line.isMono ? [line, before, lines[at + 1]] : [before, line, lines[at - 2]]
  return beyond?.isMono === true || code.left >= text.left + indent * code.usualSize
}

const widthOfFirstWord = ({ text, left, right }: StyledLine): number => {
  const end = text.indexOf(" ")
  return end < 0 ? right - left : ((right - left) * end) / text.length
}

const sentenceEnd = /[.!?:;。！？؟]["'”’)\]»]*$/

/** The line before ends early, though the first word of this would have had room on it. */
const isBroken = (before: StyledLine, line: StyledLine, { right }: Column): boolean =>
  right - before.right > widthOfFirstWord(line) + line.usualSize

const isIndented = (column: Column, at: number): boolean => {
  const { lines } = column
  const [before, line, next] = [lines[at - 1], lines[at], lines[at + 1]]
  if (before === undefined || line === undefined) return false
  const step = (line.left - before.left) / line.usualSize
  if (step >= indent && step <= widestIndent) {
    // The first line of a paragraph: the next goes back, or the one before was a last line.
    const goesBack = next !== undefined && line.left - next.left >= indent * line.usualSize
    return goesBack || sentenceEnd.test(before.text)
  }
  // A hanging indent: this line stands as far left as the first of its paragraph.
  return step <= -indent && step >= -widestIndent && sentenceEnd.test(before.text)
}

const startsBlock = (column: Column, at: number, style: PageStyle): boolean => {
  const [before, line] = [column.lines[at - 1], column.lines[at]]
  if (before === undefined || line === undefined) return true
  if (differ(before, line) || isAtCode(column, at)) return true
  if (before.isMono && line.isMono && !style.isBodyMono) return false
  const pitch = line.baseline - before.baseline
  const usual = column.pitch ?? style.leading * line.usualSize
  if (pitch > wideGap * usual && pitch - usual > leastExtra * line.usualSize) return true
  if (listMarker(line.text) !== undefined) {
    return (
      line.left <= before.left + widestIndent * line.usualSize &&
      (isBroken(before, line, column) ||
        /^\D/.test(line.text) ||
        sentenceEnd.test(before.text) ||
        listMarker(before.text) !== undefined)
    )
  }
  return isIndented(column, at) || (isBroken(before, line, column) && sentenceEnd.test(before.text))
}

/** The blocks of a column, whose lines go from top to bottom. */
export const toParagraphs = (lines: ReadonlyArray<StyledLine>, style: PageStyle): Array<TextBlock> => {
  const right = lines.reduce((most, line) => Math.max(most, line.right), -Infinity)
  const column: Column = { lines, right, pitch: pitchOf(lines) }
  const blocks: Array<TextBlock> = []
  let open: TextBlock | undefined
  lines.forEach((line, at) => {
    if (open !== undefined && !startsBlock(column, at, style)) {
      open.lines.push(line)
      return
    }
    open = textBlock([line])
    blocks.push(open)
  })
  return joinCode(blocks, style)
}

const beginsSmall = /^[\p{Ll}(]/u

/** A paragraph that breaks off at the end of a column goes on at the head of the next. */
export const markContinued = (columns: ReadonlyArray<ReadonlyArray<TextBlock>>): void => {
  let before: TextBlock | undefined
  for (const blocks of columns) {
    const texts = blocks.filter(({ kind }) => kind !== "header" && kind !== "footer" && kind !== "footnote")
    const first = texts.find(({ kind }) => kind !== "caption")
    const [last, next] = [before?.lines.at(-1), first?.lines[0]]
    if (
      first?.kind === "paragraph" &&
      before !== undefined &&
      (before.kind === "paragraph" || before.kind === "listItem") &&
      last !== undefined &&
      next !== undefined &&
      !sentenceEnd.test(last.text) &&
      beginsSmall.test(next.text) &&
      Math.abs(last.usualSize - next.usualSize) < 0.5
    ) {
      first.continues = true
    }
    before = texts.findLast(({ kind }) => kind !== "caption") ?? before
  }
}
