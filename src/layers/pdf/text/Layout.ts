// Text as a person reads it: words joined, lines whole, columns one after the other; and what stands on the page as blocks.
// Pure; knows nothing of pdf.js but the form of its text items, and costs O(n log n) in their number.
//
//   items    pieces of text, as pdf.js reports them
//   frames   of one direction each, with looks                      Fragments.ts, fragments/
//   segments words that follow each other on one line               Segments.ts
//   tables   by what is drawn and by the places of segments         tables/
//   columns  and tables in the order of reading: by the tags of     order/, tags/
//            the file where they hold up, else by what is seen
//   lines    of each column                                         Lines.ts, lines/
//   text     and blocks: the same columns, told in two ways         PageText.ts; blocks/, PageLayouts.ts
import type { PageLayout } from "../../../domain/document/PageLayout.ts"
import type { Drawn } from "./Drawn.ts"
import { drawnOnPage } from "./Drawn.ts"
import type { LookOf, Viewport } from "./Fragments.ts"
import { toFrames } from "./Fragments.ts"
import { runLooks } from "./fragments/RunLooks.ts"
import type { LinkArea } from "./Links.ts"
import { Links } from "./Links.ts"
import type { FontStyle } from "./Looks.ts"
import type { Column } from "./order/Column.ts"
import { readFrame } from "./order/FrameColumns.ts"
import { withTurned } from "./order/Turned.ts"
import { toLayout } from "./blocks/WholePage.ts"
import type { TextLayout } from "./PageText.ts"
import { toText } from "./PageText.ts"
import { readTagged } from "./tags/Tagged.ts"
import { tagBlocks } from "./tags/TagTree.ts"

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
  const { columns, source } = readColumns(items, matter, drawn, runLooks(fonts, drawn))
  const blocks = toLayout(columns, drawn, new Links(links, viewport), viewport)
  return { ...toText(columns), layout: { ...blocks, source, ...(offPage > 0 ? { offPage } : undefined) } }
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
