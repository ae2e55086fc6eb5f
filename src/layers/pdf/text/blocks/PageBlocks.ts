// From the lines of a page in the order of reading to its blocks.
import type { Frame } from "../Fragments.ts"
import type { Role } from "../order/Column.ts"
import type { FoundTable } from "../tables/Tables.ts"
import { markFormulas } from "./Code.ts"
import { joinHeadings, markHeadings } from "./Headings.ts"
import { markListItems, withoutStart } from "./Lists.ts"
import { listMarker } from "./Markers.ts"
import type { Margins } from "./Margins.ts"
import { findMargins } from "./Margins.ts"
import { markCaptions, markFootnotes } from "./Notes.ts"
import type { PageStyle } from "./PageStyle.ts"
import { pageStyle } from "./PageStyle.ts"
import { markContinued, toParagraphs } from "./Paragraphs.ts"
import type { StyledLine } from "./StyledLine.ts"
import type { TextBlock } from "./TextBlock.ts"
import { textBlock } from "./TextBlock.ts"

/** The blocks of a column: rows in the margins stand for themselves. */
const columnBlocks = (lines: ReadonlyArray<StyledLine>, style: PageStyle, margins: Margins): Array<TextBlock> => {
  const head = new Set(margins.head)
  const foot = new Set(margins.foot)
  const blocks: Array<TextBlock> = []
  let open: Array<StyledLine> = []
  const close = (): void => {
    if (open.length > 0) blocks.push(...toParagraphs(open, style))
    open = []
  }
  for (const line of lines) {
    const kind = head.has(line) ? "header" : foot.has(line) ? "footer" : undefined
    if (kind === undefined) {
      open.push(line)
    } else {
      close()
      blocks.push({ ...textBlock([line]), kind })
    }
  }
  close()
  return blocks
}

/** The block that the file says it is. A paragraph may be a heading where the file has none at all. */
const taggedBlock = (
  lines: ReadonlyArray<StyledLine>,
  { kind, level, marker }: Role,
  hasHeadings: boolean
): TextBlock => {
  const block: TextBlock = { ...textBlock([...lines]), kind, isTagged: hasHeadings || kind !== "paragraph" }
  if (kind === "heading") block.level = Math.max(1, level)
  if (kind !== "listItem") return block
  const text = lines[0]?.text ?? ""
  const own = marker !== "" && text.startsWith(marker) ? { text: marker, length: marker.length } : listMarker(text)
  if (own === undefined) return { ...block, depth: level }
  const length = own.length + (/^\s*/.exec(text.slice(own.length))?.[0].length ?? 0)
  withoutStart(block, length)
  return { ...block, depth: level, marker: own.text }
}

/** A column whose lines go from top to bottom in their frame. */
export interface StyledColumn {
  readonly frame: Frame
  readonly lines: ReadonlyArray<StyledLine>
  readonly table?: FoundTable
  readonly role?: Role
}

export interface BlockColumn {
  readonly frame: Frame
  readonly table?: FoundTable
  readonly blocks: ReadonlyArray<TextBlock>
}

/** The blocks of each column of a page, in the order of reading. */
export const toPageBlocks = (columns: ReadonlyArray<StyledColumn>, height: number): ReadonlyArray<BlockColumn> => {
  const style = pageStyle(columns.map(({ lines }) => lines))
  // Turned text has no head and foot of the page.
  const upright = columns.filter(({ frame }) => frame.ux === 1)
  const margins = findMargins(
    upright.flatMap(({ lines }) => lines),
    style,
    { top: 0, height }
  )
  const hasHeadings = columns.some(({ role }) => role?.kind === "heading")
  const found = columns.map(({ lines, role, ...column }) => {
    if (role !== undefined) return { ...column, blocks: [taggedBlock(lines, role, hasHeadings)] }
    const blocks = columnBlocks(lines, style, margins)
    markCaptions(blocks)
    markFootnotes(blocks, style)
    return { ...column, blocks }
  })
  markHeadings(
    found.flatMap(({ blocks, frame }) => (frame.ux === 1 ? blocks : [])),
    style
  )
  for (const { blocks } of found) {
    markListItems(blocks)
    markFormulas(blocks)
  }
  markContinued(found.map(({ blocks }) => blocks))
  return found.map((column) => ({ ...column, blocks: joinHeadings(column.blocks) }))
}
