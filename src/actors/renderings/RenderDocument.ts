// A document as Markdown, HTML, text or JSON, streamed: of its pages, one portion is in memory at a time.
import { type Context, Effect, Stream } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import type { PageResult, PageSummary, PageView } from "../../domain/document/Page.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { hiddenField } from "../../domain/rendering/Hidden.ts"
import { Renderer, type RenderFormat } from "../../domain/rendering/Renderer.ts"
import { renderDefaults } from "../../domain/rendering/RenderOptions.ts"
import type { DocumentStructure } from "../../domain/rendering/structure/DocumentStructure.ts"
import { structuredBlocks } from "../../domain/rendering/structure/StructuredPage.ts"
import type { Documents } from "../../services/store/Documents.ts"
import { type PageRange, pageResults, renderedPage, renderedPages } from "./DocumentPages.ts"
import type { Rendering, RenderingOptions } from "./Rendering.ts"
import { makeStructures } from "./Structures.ts"

type Store = Context.Service.Shape<typeof Documents>

/** The page without its lines; with its layout as the document shows it, or its text if it has none. */
export const pageJson = (page: PageResult, structure: DocumentStructure): string => {
  const { error, layout: _bytes, lines: _lines, text, ...shown } = page
  const summary: typeof PageSummary.Encoded = error === undefined ? shown : { ...shown, error }
  const rendered = renderedPage(page, false)
  const { layout } = rendered
  const view: typeof PageView.Encoded =
    layout === undefined
      ? { ...summary, text }
      : {
          ...summary,
          text,
          layout: { ...layout, blocks: structuredBlocks(rendered, structure) },
          ...hiddenField(layout)
        }
  return JSON.stringify(view)
}

/** What precedes the first page in JSON; pages are parted by commas. */
export const jsonHead = ({ outline, outlineSource }: DocumentStructure): string =>
  `${JSON.stringify({ outline, outlineSource }).slice(0, -1)},"pages":[`
export const jsonEnd = "]}\n"

/** `{"outline":[...],"outlineSource":"...","pages":[...]}`. */
const jsonParts = (store: Store, document: Document, range: PageRange, structure: DocumentStructure) => {
  const pages = Stream.map(pageResults(store, document, range), (page) => pageJson(page, structure))
  return Stream.make(jsonHead(structure)).pipe(
    Stream.concat(Stream.intersperse(pages, ",\n")),
    Stream.concat(Stream.make(jsonEnd))
  )
}

const textParts = (
  store: Store,
  document: Document,
  range: PageRange,
  structure: DocumentStructure,
  { format, marks = false, ...wanted }: RenderingOptions & { readonly format: RenderFormat }
) =>
  Stream.suspend(() => {
    const { emphasis, headers, hidden } = { ...renderDefaults, ...wanted }
    const renderer = new Renderer(format, structure, { emphasis, headers, hidden }, document.name)
    return Stream.make(renderer.head).pipe(
      Stream.concat(Stream.map(renderedPages(store, document, range, marks), (page) => renderer.page(page))),
      Stream.concat(Stream.sync(() => renderer.end())),
      Stream.filter((part) => part !== "")
    )
  })

/** Renders documents of a store. It first learns what the whole document shows, and then reads the pages that are wanted. */
export const makeRenderDocument = Effect.fnUntraced(function* (store: Store) {
  const structureOf = yield* makeStructures(store)
  return Effect.fn("Ingestion.render")(function* (tenant: TenantId, id: DocumentId, options: RenderingOptions) {
    const document = yield* store.find(tenant, id)
    const { structure, withoutLayout } = yield* structureOf(document)
    const { format, from = 1, to } = options
    const range = { from, to }
    const rendering: Rendering = {
      withoutLayout,
      text:
        format === "json"
          ? jsonParts(store, document, range, structure)
          : textParts(store, document, range, structure, { ...options, format })
    }
    return rendering
  })
})
