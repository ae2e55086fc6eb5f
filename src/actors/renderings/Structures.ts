// What renderings need to know of a whole document before they begin. It takes a pass over all pages, so that of the documents
// last asked for is kept.
import { Cache, type Context, Effect, Stream } from "effect"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import { hasNoText } from "../../domain/document/PageMarks.ts"
import { addSpan, type PageSpan } from "../../domain/document/PageSpans.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { type DocumentStructure, StructureCollector } from "../../domain/rendering/structure/DocumentStructure.ts"
import type { Documents } from "../../services/store/Documents.ts"
import { allPages, pageResults, renderedPage } from "./DocumentPages.ts"

export interface KnownStructure {
  readonly structure: DocumentStructure
  /** Pages that have text, and no layout. */
  readonly withoutLayout: ReadonlyArray<PageSpan>
}

/** How many are kept: one of a long document takes about a megabyte. */
const mostKept = 16

/** `version` differs once the document has other pages. */
interface Key {
  readonly tenant: TenantId
  readonly id: DocumentId
  readonly version: string
}

const collect = Effect.fnUntraced(function* (store: Context.Service.Shape<typeof Documents>, { id, tenant }: Key) {
  const document = yield* store.find(tenant, id, "outline")
  const collector = new StructureCollector()
  const withoutLayout: Array<PageSpan> = []
  yield* Stream.runForEach(pageResults(store, document, allPages), (page) =>
    Effect.sync(() => {
      const rendered = renderedPage(page, false)
      if (rendered.layout === undefined && !hasNoText(page) && page.text !== "") {
        addSpan(withoutLayout, page.number, page.number)
      }
      collector.add(rendered)
    })
  )
  const known: KnownStructure = { structure: collector.structure(document.outline), withoutLayout }
  return known
})

/** Finds the structure of a document. A document that runs changes with every page, so nothing is kept of it. */
export const makeStructures = Effect.fnUntraced(function* (store: Context.Service.Shape<typeof Documents>) {
  const kept = yield* Cache.make({ capacity: mostKept, lookup: (key: Key) => collect(store, key) })
  return (document: Document) => {
    const { attempt, id, progress, retries, status, tenantId: tenant } = document
    const key: Key = { tenant, id, version: `${attempt} ${retries} ${progress.done}` }
    return isTerminal(status) ? Cache.get(kept, key) : collect(store, key)
  }
})
