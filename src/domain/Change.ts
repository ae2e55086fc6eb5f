import type { Document } from "./document/Document.ts"
import type { DocumentId, TenantId } from "./Ids.ts"
import type { PageStatus } from "./document/Page.ts"

/** A page that got its result. */
export interface PageChange {
  readonly _tag: "Page"
  readonly number: number
  readonly tenantId: TenantId
  readonly documentId: DocumentId
  readonly page: number
  readonly status: PageStatus
  /** Of the document, as it is now. */
  readonly progress: Document["progress"]
}

/**
 * A document as it is now, under the number of its last change of state; or a page. Numbers grow with every change, whichever
 * document it is of, also over restarts, and none is used twice. Documents and pages from before there were numbers come
 * before all others.
 */
export type Change = { readonly _tag: "Document"; readonly number: number; readonly document: Document } | PageChange

export interface Changes {
  /** In the order of their numbers. */
  readonly changes: ReadonlyArray<Change>
  /** All numbers up to this one were looked at. */
  readonly through: number
  /** Those are all there are. */
  readonly complete: boolean
}

/** What became of one document after some number. */
export interface DocumentChanges {
  readonly document: Document
  /** Of its last change of state. */
  readonly number: number
  /** In the order in which they got their results. */
  readonly pages: ReadonlyArray<PageChange>
  readonly through: number
  readonly complete: boolean
}
