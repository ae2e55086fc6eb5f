// Requests for pages that a document does not have.
import { Effect } from "effect"
import { type Document, isTerminal } from "../../../domain/document/Document.ts"
import type { PageRange } from "../../api/schemas/PageRange.ts"
import { NotFound } from "../../api/problems/Problems.ts"

/** Why there is no result of page `n`. */
export const whyAbsent = ({ progress: { pages }, status }: Document, n: number): string => {
  if (pages !== undefined && n > pages) return `page ${n} is beyond the last page, ${pages}`
  return isTerminal(status) ? `page ${n} has no result: the document is ${status}` : `page ${n} is pending`
}

export const pageNotFound = (document: Document, n: number) =>
  new NotFound({ code: "PAGE_NOT_FOUND", detail: whyAbsent(document, n) })

/** Refuses a range that begins beyond the last page. The first page is always in range, also of a document without pages. */
export const requireRange = (document: Document, { from = 1 }: PageRange): Effect.Effect<void, NotFound> =>
  from > 1 && from > (document.progress.pages ?? Number.POSITIVE_INFINITY)
    ? Effect.fail(pageNotFound(document, from))
    : Effect.void
