// From the lines of a page in the order of reading to its blocks.
import { joinHeadings, markHeadings } from "./Headings.ts"
import { markListItems } from "./Lists.ts"
import type { Margins } from "./Margins.ts"
import { findMargins, noMargins } from "./Margins.ts"
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

/** The blocks of each column of a page, in the order of reading. `page` is undefined for text that is turned. */
export const toPageBlocks = (
  columns: ReadonlyArray<ReadonlyArray<StyledLine>>,
  page: { readonly top: number; readonly height: number } | undefined
): ReadonlyArray<ReadonlyArray<TextBlock>> => {
  const style = pageStyle(columns)
  const margins = page === undefined ? noMargins : findMargins(columns.flat(), style, page)
  const blocks = columns.map((lines) => {
    const own = columnBlocks(lines, style, margins)
    markCaptions(own)
    markFootnotes(own, style)
    return own
  })
  markHeadings(blocks.flat(), style)
  for (const own of blocks) markListItems(own)
  markContinued(blocks)
  return blocks.map(joinHeadings)
}
