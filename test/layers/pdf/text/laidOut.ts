// Pages for tests, set as a typesetter would: what they are read to as blocks.
import { Effect } from "effect"
import type { Block, PageLayout } from "../../../../src/domain/document/PageLayout.ts"
import { textOfLine } from "../../../../src/domain/document/PageLayout.ts"
import { openPdf } from "../../../../src/layers/pdf/worker/Reader.ts"
import { decodeLayout } from "../../../../src/domain/document/LayoutBytes.ts"
import type { PdfSource, PlacedText } from "../../../support/pdf.ts"
import { a4, makePdf } from "../../../support/pdf.ts"

export const emptyLayout: PageLayout = { width: 0, height: 0, blocks: [], source: "geometry" }

/** The layout and the text of the first page. */
export const read = Effect.fnUntraced(function* (source: PdfSource | Uint8Array) {
  const reader = yield* openPdf(source instanceof Uint8Array ? source : makePdf(source), undefined)
  const page = yield* reader.readPage(1)
  return { page, layout: page.layout === undefined ? emptyLayout : (decodeLayout(page.layout) ?? emptyLayout) }
}, Effect.scoped)

export const readText = (text: ReadonlyArray<PlacedText>, content = "") => read({ pages: [{ text, content }] })

export const linesOf = (block: Block | undefined): ReadonlyArray<string> =>
  block === undefined || !("lines" in block) ? [] : block.lines.map(textOfLine)

/** `heading1: Title`, `listItem0 •: text`, `paragraph: text`, … */
export const shown = ({ blocks }: PageLayout): ReadonlyArray<string> =>
  blocks.map((block) => {
    const text = linesOf(block).join(" ")
    switch (block._tag) {
      case "heading":
        return `heading${block.level}: ${text}`
      case "listItem":
        return `listItem${block.depth} ${block.marker}: ${text}`
      case "table":
        return `table ${block.rows}x${block.columns}`
      case "figure":
        return "figure"
      default:
        return `${block._tag}: ${text}`
    }
  })

/** Lines below each other. `y` counts from the top of the page. */
export const set = (
  lines: ReadonlyArray<string>,
  {
    x = 72,
    y,
    size = 11,
    pitch = 1.3 * size,
    font
  }: Omit<PlacedText, "text" | "x"> & { readonly x?: number; readonly pitch?: number }
): ReadonlyArray<PlacedText> =>
  lines.map((text, index) => ({
    text,
    x,
    y: a4.height - y - index * pitch,
    size,
    ...(font === undefined ? {} : { font })
  }))

const words =
  "The quick brown fox jumps over the lazy dog and runs on through the wide open fields beyond the old river".split(" ")

/** A paragraph of so many lines of prose, about as wide as `width` characters. */
export const prose = (count: number, width = 78, from = 0): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, line) => {
    let text = ""
    for (let at = from + line * 7; text.length < width - 6; at++)
      text += `${text === "" ? "" : " "}${words[at % words.length]}`
    return line === count - 1 ? `${text}.` : text
  })
