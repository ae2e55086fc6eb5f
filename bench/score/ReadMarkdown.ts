// Reads a PDF as the page workers do, in this process, and renders it as Markdown.
import { Effect } from "effect"
import type { RenderedPage } from "../../src/domain/rendering/DocumentBlock.ts"
import { MarkdownWriter } from "../../src/domain/rendering/markdown/MarkdownWriter.ts"
import { renderDefaults, type RenderOptions } from "../../src/domain/rendering/RenderOptions.ts"
import { DocumentBlocks } from "../../src/domain/rendering/structure/DocumentBlocks.ts"
import { StructureCollector } from "../../src/domain/rendering/structure/DocumentStructure.ts"
import { openPdf } from "../../src/layers/pdf/worker/Reader.ts"
import { decodeLayout } from "../../src/domain/document/LayoutBytes.ts"

/** All pages with their layouts, and the outline of the file. */
export const readPages = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const reader = yield* openPdf(bytes, undefined)
  const { outline } = yield* reader.describe
  const pages: Array<RenderedPage> = []
  for (let number = 1; number <= reader.pageCount; number++) {
    const { layout, text } = yield* reader.readPage(number)
    pages.push({ number, layout: layout === undefined ? undefined : decodeLayout(layout), text })
  }
  return { pages, outline }
}, Effect.scoped)

export const markdownOf = Effect.fnUntraced(function* (bytes: Uint8Array, options: RenderOptions = renderDefaults) {
  const { outline, pages } = yield* readPages(bytes)
  const collector = new StructureCollector()
  for (const page of pages) collector.add(page)
  const structure = collector.structure(outline)
  const blocks = new DocumentBlocks(structure, options)
  const writer = new MarkdownWriter(options, structure.compounds)
  const shown = [...pages.flatMap((page) => blocks.page(page)), ...blocks.end()]
  return shown.map((block) => writer.write(block)).join("") + writer.end()
})
