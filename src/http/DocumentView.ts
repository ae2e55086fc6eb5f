import { Effect, Schema, Struct } from "effect"
import { Document } from "../domain/Document.ts"
import { DocumentId } from "../domain/Ids.ts"
import { EncodedLines, type PageResult, PageView } from "../domain/Page.ts"
import { Links, linksOf } from "./Outcome.ts"

/** A document as the interface shows it: all that is known of it, and where to go on. */
const { failure: error } = Document.fields
/** What is for the engine only, or goes by another name. */
const unseen = ["failure", "trace"] as const
const fields = Struct.omit(Document.fields, unseen)
export const DocumentView = Schema.Struct({ ...fields, error, links: Links }).annotate({ identifier: "Document" })

export const viewOf = (document: Document): typeof DocumentView.Type => ({
  ...Struct.omit(document, unseen),
  ...(document.failure === undefined ? {} : { error: document.failure }),
  links: linksOf(document.id)
})

export const DocumentList = Schema.Struct({
  documents: Schema.Array(DocumentView),
  nextCursor: Schema.optionalKey(
    DocumentId.annotate({ description: "The `cursor` of the next, older part; absent at the end." })
  )
})

export const PageList = Schema.Struct({
  pages: Schema.Array(PageView),
  next: Schema.optionalKey(
    Schema.Natural.annotate({ description: "The `from` of the next part; absent when no later page has a result yet." })
  )
})

const decodeLines = Schema.decodeUnknownEffect(EncodedLines)

export const pageViewOf = Effect.fnUntraced(function* (page: PageResult, detail: boolean) {
  const { error, lines, ...shown } = page
  const view: PageView = {
    ...shown,
    ...(error === undefined ? {} : { error }),
    // Lines come from the store as this process wrote them: text that does not decode is a defect.
    ...(detail ? { lines: yield* Effect.orDie(decodeLines(lines)) } : {})
  }
  return view
})
