// The blocks of a document in order: without running lines, headings at their levels, and what a page break divided put together.
import type { Block, LayoutLine, Paragraph, Table } from "../../document/PageLayout.ts"
import type { DocumentBlock, RenderedPage } from "../DocumentBlock.ts"
import { withoutHidden } from "../Hidden.ts"
import type { RenderOptions } from "../RenderOptions.ts"
import { joinedText } from "../TextRuns.ts"
import type { DocumentStructure } from "./DocumentStructure.ts"
import { structuredBlocks } from "./StructuredPage.ts"

type ParagraphBlock = typeof Paragraph.Type

/** What is put together and kept in memory at most: after that a page break divides again. */
const mostCells = 20_000
const mostLines = 5_000

/** A full stop of any script, and what may close a quotation after it. */
const isSentenceEnd = /[.!?:;。！？：；؟۔।…][)\]"'»”’」』）]*$/u
const startsLower = /^[("'«“‘]?[\p{Ll}]/u
const isUnspaced = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u

const isFull = (lines: ReadonlyArray<LayoutLine>, width: number): boolean =>
  (lines.at(-1)?.box.width ?? 0) >= width * 0.9

/** Whether the paragraph of the next page goes on with the one before. */
const goesOn = (before: ParagraphBlock, after: ParagraphBlock): boolean => {
  if (after.continues === true) return true
  const end = joinedText(before.lines.slice(-1))
  const start = joinedText(after.lines.slice(0, 1))
  if (end === "" || start === "" || before.lines.length + after.lines.length > mostLines) return false
  if (/\p{L}[-\u00ad\u2010]$/u.test(end)) return /^\p{L}/u.test(start)
  if (isSentenceEnd.test(end)) return false
  return startsLower.test(start) || (isUnspaced.test(start) && isFull(before.lines, before.box.width))
}

const cellTexts = ({ cells }: Table, rows: number): string =>
  cells
    .filter(({ row }) => row < rows)
    .map(({ column, lines, row }) => `${row}:${column}:${joinedText(lines)}`)
    .join("\n")

/** Two tables of one shape at one place of their pages. */
const isSameTable = (before: Table, after: Table): boolean =>
  before.columns === after.columns &&
  before.cells.length + after.cells.length <= mostCells &&
  Math.abs(before.box.x - after.box.x) <= Math.max(10, before.box.width * 0.03) &&
  Math.abs(before.box.width - after.box.width) <= Math.max(10, before.box.width * 0.05)

/** How many rows at the head of the second table repeat the header of the first; undefined if it has another header. */
const repeatedRows = (before: Table, after: Table): number | undefined => {
  const { headerRows } = before
  if (headerRows > 0 && after.rows > headerRows && cellTexts(before, headerRows) === cellTexts(after, headerRows))
    return headerRows
  return after.headerRows === 0 ? 0 : undefined
}

const joinTables = (before: Table, after: Table, skipped: number): Table => ({
  ...before,
  rows: before.rows + after.rows - skipped,
  cells: [
    ...before.cells,
    ...after.cells
      .filter(({ row }) => row >= skipped)
      .map((cell) => ({ ...cell, row: cell.row - skipped + before.rows }))
  ]
})

/** What the end of a page and the start of the next are together; undefined if they are two. */
const joined = (before: DocumentBlock, after: DocumentBlock): DocumentBlock | undefined => {
  if (before._tag === "paragraph" && after._tag === "paragraph") {
    return goesOn(before, after) ? { ...before, lines: [...before.lines, ...after.lines] } : undefined
  }
  if (before._tag === "listItem" && after._tag === "paragraph" && after.continues === true) {
    return { ...before, lines: [...before.lines, ...after.lines] }
  }
  if (before._tag !== "table" || after._tag !== "table" || !isSameTable(before, after)) return undefined
  const skipped = repeatedRows(before, after)
  return skipped === undefined ? undefined : joinTables(before, after, skipped)
}

/** What stands at the foot of a page or floats, so that the text may go on after it. */
const isAside = ({ _tag }: DocumentBlock): boolean =>
  _tag === "footnote" || _tag === "figure" || _tag === "caption" || _tag === "header" || _tag === "footer"

/** Takes pages in order, and gives the blocks that are complete. Holds back the end of a page until the next one has begun. */
export class DocumentBlocks {
  readonly #structure: DocumentStructure
  readonly #options: RenderOptions
  #held: ReadonlyArray<DocumentBlock> = []
  #lastPage = 0

  constructor(structure: DocumentStructure, options: RenderOptions) {
    this.#structure = structure
    this.#options = options
  }

  page(page: RenderedPage): ReadonlyArray<DocumentBlock> {
    const blocks = this.#blocksOf(page)
    const isNext = page.number === this.#lastPage + 1
    this.#lastPage = page.number
    const all = isNext ? this.#overBreak(blocks) : [...this.#held, ...blocks]
    // From the last block that may go on, all is held: what is aside of it comes after it.
    const last = all.findLastIndex((block) => !isAside(block))
    const mayGoOn = last >= 0 && ["paragraph", "table", "listItem"].includes(all[last]?._tag ?? "")
    const from = mayGoOn ? last : all.length
    this.#held = all.slice(from)
    return all.slice(0, from)
  }

  /** What was held back. */
  end(): ReadonlyArray<DocumentBlock> {
    const held = this.#held
    this.#held = []
    return held
  }

  #overBreak(blocks: ReadonlyArray<DocumentBlock>): ReadonlyArray<DocumentBlock> {
    const [before, ...asides] = this.#held
    const first = blocks.findIndex((block) => !isAside(block))
    const after = blocks[first]
    const whole = before === undefined || after === undefined ? undefined : joined(before, after)
    return whole === undefined
      ? [...this.#held, ...blocks]
      : [whole, ...asides, ...blocks.slice(0, first), ...blocks.slice(first + 1)]
  }

  #blocksOf(page: RenderedPage): ReadonlyArray<DocumentBlock> {
    const { layout, mark, text } = page
    const blocks: Array<DocumentBlock> = []
    if (layout === undefined && text.trim() !== "") blocks.push({ _tag: "text", text })
    for (const block of structuredBlocks(page, this.#structure)) {
      if (this.#options.headers === "drop" && (block._tag === "header" || block._tag === "footer")) continue
      const shown = this.#options.hidden === "drop" ? withoutHidden(block) : block
      if (shown !== undefined) addBlock(blocks, shown)
    }
    if (mark !== undefined) blocks.push({ _tag: "text", text: mark })
    return blocks
  }
}

/** Adds the block, or what it goes on with: a paragraph may begin in the column before. */
const addBlock = (blocks: Array<DocumentBlock>, block: Block): void => {
  const last = blocks.findLastIndex((each) => !isAside(each))
  const before = blocks[last]
  const goesOnHere = block._tag === "paragraph" && block.continues === true && before !== undefined
  const whole = goesOnHere ? joined(before, block) : undefined
  if (whole === undefined) blocks.push(block)
  else blocks[last] = whole
}
