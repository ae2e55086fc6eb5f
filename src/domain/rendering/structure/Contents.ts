// Tables of contents: entries whose dots lead to the number of a page. Each is a line of its own, and none is a heading.
import { type Block, type LayoutLine, textOfLine } from "../../document/PageLayout.ts"

const leader = /(?:[.·․]\s?){4,}\s*(?:\d+|[ivxlc]+)\s*$|…+\s*\d+\s*$/iu

export const isContentsEntry = (text: string): boolean => leader.test(text)

/** A line of words that ends with a number far from them: it is much wider than its letters. */
const isStretched = (line: LayoutLine): boolean => {
  const text = textOfLine(line).trim()
  const size = line.spans[0]?.size ?? line.box.height
  return /\p{L}.*\s\d{1,4}$/u.test(text) && line.box.width > text.length * size
}

const isEntry = (lines: ReadonlyArray<LayoutLine>): ((line: LayoutLine) => boolean) => {
  // One alone may be a line that was set to the width of its column.
  const areStretched = lines.filter(isStretched).length >= 2
  return (line) => isContentsEntry(textOfLine(line)) || (areStretched && isStretched(line))
}

/** The lines up to the end of each entry. */
const entriesOf = (lines: ReadonlyArray<LayoutLine>): ReadonlyArray<ReadonlyArray<LayoutLine>> => {
  const entries: Array<Array<LayoutLine>> = [[]]
  const ends = isEntry(lines)
  for (const [index, line] of lines.entries()) {
    entries.at(-1)?.push(line)
    if (index < lines.length - 1 && ends(line)) entries.push([])
  }
  return entries
}

const boxOf = (lines: ReadonlyArray<LayoutLine>): Block["box"] => {
  const x = Math.min(...lines.map(({ box }) => box.x))
  const y = Math.min(...lines.map(({ box }) => box.y))
  return {
    x,
    y,
    width: Math.max(...lines.map(({ box }) => box.x + box.width)) - x,
    height: Math.max(...lines.map(({ box }) => box.y + box.height)) - y
  }
}

/** A paragraph of several entries as a paragraph for each; any other block as it is. */
export const byEntry = (block: Block): ReadonlyArray<Block> => {
  if (block._tag !== "paragraph" || block.lines.length < 2) return [block]
  const entries = entriesOf(block.lines)
  if (entries.length === 1) return [block]
  return entries.map((lines, index) =>
    index === 0 ? { ...block, lines, box: boxOf(lines) } : { _tag: "paragraph", lines, box: boxOf(lines) }
  )
}
