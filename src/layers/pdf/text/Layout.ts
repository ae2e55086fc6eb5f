// Text as a person reads it: words joined, lines whole, columns one after the other; and what stands on the page as blocks.
// Pure; knows nothing of pdf.js but the form of its text items, and costs O(n log n) in their number.
//
//   items → frames → segments → tables → columns → lines → text
//                                                        → blocks
//
// In `text` every line ends in a line feed, and an empty line stands between blocks: where a column ends, and where the
// distance of two lines is clearly greater than is usual in their column. Text of another direction than most of the
// page's is a block of its own: where it is seen, or last.
import type { TextLine } from "../../../domain/document/Page.ts"
import type { PageLayout } from "../../../domain/document/PageLayout.ts"
import { findFigures, isScannedText } from "./blocks/Figures.ts"
import { toPageBlocks } from "./blocks/PageBlocks.ts"
import { placeFigures } from "./blocks/Placing.ts"
import { styledLine } from "./blocks/StyledLine.ts"
import type { Drawn } from "./Drawn.ts"
import { drawnOnPage } from "./Drawn.ts"
import type { LookOf, TextRun, Viewport } from "./Fragments.ts"
import { toFrames } from "./Fragments.ts"
import { hiddenLooks } from "./fragments/Hidden.ts"
import type { LinkArea } from "./Links.ts"
import { Links } from "./Links.ts"
import type { Line } from "./Lines.ts"
import type { FontStyle } from "./Looks.ts"
import { lookOfFont } from "./Looks.ts"
import type { Column } from "./order/Column.ts"
import { readFrame } from "./order/FrameColumns.ts"
import { withTurned } from "./order/Turned.ts"
import { boxOnPage, toBlock, toTable } from "./PageLayouts.ts"
import { readTagged } from "./tags/Tagged.ts"
import { tagBlocks } from "./tags/TagTree.ts"
import { rowTexts } from "./tables/TableText.ts"

export interface TextLayout {
  readonly text: string
  /** In the order of `text`. Numbers have two decimals. */
  readonly lines: ReadonlyArray<TextLine>
}

/** What pdf.js reports of a page beside its text items. */
export interface PageMatter {
  readonly viewport: Viewport
  /** By the names that text items give. */
  readonly fonts: Readonly<Record<string, FontStyle>>
  /** See `patches/Drawing.ts`. */
  readonly drawn: ReadonlyArray<number>
  /** How many characters stand beside the page, and are in none of the items. */
  readonly offPage: number
  /** In the order of the file. */
  readonly links: ReadonlyArray<LinkArea>
  /** The structure of a tagged page, as pdf.js reports it. */
  readonly tags: unknown
}

interface ReadColumns {
  readonly columns: ReadonlyArray<Column>
  readonly source: PageLayout["source"]
}

/** The columns and tables of a page in the order of reading. */
const readColumns = (
  items: ReadonlyArray<object>,
  { tags, viewport }: PageMatter,
  drawn: ReadonlyArray<Drawn>,
  lookOf?: LookOf
): ReadColumns => {
  const [main, ...others] = toFrames(items, viewport, lookOf)
  if (main === undefined) return { columns: [], source: "geometry" }
  const blocks = main.ux === 1 ? tagBlocks(tags) : undefined
  const tagged = blocks === undefined ? undefined : readTagged(main, blocks)
  const first = tagged ?? readFrame(main, drawn)
  const turned = others.flatMap((frame) => readFrame(frame, drawn))
  const columns = main.ux === 1 ? withTurned(first, turned, viewport.height) : [...first, ...turned]
  return { columns, source: tagged === undefined ? "geometry" : "tags" }
}

const usualPitch = (lines: ReadonlyArray<Line>): number => {
  const pitches = new Float64Array(Math.max(0, lines.length - 1))
  for (let i = 1; i < lines.length; i++) pitches[i - 1] = (lines[i]?.baseline ?? 0) - (lines[i - 1]?.baseline ?? 0)
  pitches.sort()
  return pitches[pitches.length >> 1] ?? 0
}

const toText = (columns: ReadonlyArray<Column>): TextLayout => {
  const lines: Array<TextLine> = []
  let text = ""
  for (const { frame, lines: own, table } of columns) {
    if (table !== undefined) {
      for (const [row, { text: words, ...bounds }] of rowTexts(table).entries()) {
        if (text !== "") text += row === 0 ? "\n\n" : "\n"
        text += words
        lines.push({ text: words, ...boxOnPage(frame, bounds) })
      }
      continue
    }
    const pitch = usualPitch(own)
    let before: Line | undefined
    for (const line of own) {
      const apart =
        before === undefined ||
        (line.baseline - before.baseline > 1.4 * pitch && line.top - before.bottom > 0.5 * line.size)
      if (text !== "") text += apart ? "\n\n" : "\n"
      text += line.text
      lines.push({ text: line.text, ...boxOnPage(frame, line) })
      before = line
    }
  }
  return { text, lines }
}

const looksOn = (fonts: PageMatter["fonts"], drawn: ReadonlyArray<Drawn>): LookOf => {
  const known = new Map<string | undefined, number>()
  const hidden = hiddenLooks(drawn)
  return (run: TextRun, size, box) => {
    const { fontName } = run
    let look = known.get(fontName)
    if (look === undefined) {
      look = lookOfFont((fontName === undefined ? undefined : fonts[fontName]) ?? {})
      known.set(fontName, look)
    }
    return look | hidden(run, size, box)
  }
}

/** Only upright text is compared with the areas of links. */
const linksOn = ({ frame }: Pick<Column, "frame">, links: Links): Links | undefined =>
  links.isEmpty || frame.ux !== 1 ? undefined : links

const toLayout = (
  columns: ReadonlyArray<Column>,
  drawn: ReadonlyArray<Drawn>,
  links: Links,
  { width, height }: Viewport
): PageLayout => {
  const blocks = toPageBlocks(
    columns.map((column) => ({
      ...column,
      lines: column.lines.map((line) => styledLine(line, linksOn(column, links)))
    })),
    height
  ).flatMap(({ blocks, frame, table }) =>
    table === undefined
      ? blocks.map((block) => toBlock(frame, block))
      : [toTable(frame, table, linksOn({ frame }, links))]
  )
  const figures = findFigures(drawn, width, height, blocks.length > 0)
  const isRecognized = isScannedText(blocks, drawn, width, height)
  return {
    width,
    height,
    blocks: placeFigures(blocks, figures),
    source: "geometry",
    ...(isRecognized ? { isRecognized } : undefined)
  }
}

/** The text alone. */
export const layoutText = (items: ReadonlyArray<object>, matter: PageMatter): TextLayout =>
  toText(readColumns(items, matter, drawnOnPage(matter.drawn, matter.viewport)).columns)

/** The text of a page and its blocks. */
export const layoutPage = (
  items: ReadonlyArray<object>,
  matter: PageMatter
): TextLayout & { readonly layout: PageLayout } => {
  const { fonts, links, offPage, viewport } = matter
  const drawn = drawnOnPage(matter.drawn, viewport)
  const { columns, source } = readColumns(items, matter, drawn, looksOn(fonts, drawn))
  const layout = toLayout(columns, drawn, new Links(links, viewport), viewport)
  return { ...toText(columns), layout: { ...layout, source, ...(offPage > 0 ? { offPage } : undefined) } }
}

/** Of a page of which only the text items are known. */
export const bareMatter = (viewport: Viewport): PageMatter => ({
  viewport,
  fonts: {},
  drawn: [],
  offPage: 0,
  links: [],
  tags: undefined
})
