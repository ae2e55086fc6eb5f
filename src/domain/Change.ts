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
  /** The current progress of the document. */
  readonly progress: Document["progress"]
}

/**
 * The current state of a document, with the number of its last change of state; or a page with its result. Numbers grow with
 * every change of any document, also across restarts, and none is used twice. Documents and pages from before there were
 * numbers come before all others.
 */
export type Change = { readonly _tag: "Document"; readonly number: number; readonly document: Document } | PageChange

export interface Changes {
  /** In the order of their numbers. */
  readonly changes: ReadonlyArray<Change>
  /** All changes up to this number were considered. */
  readonly through: number
  /** There are no further changes. */
  readonly complete: boolean
}

/** The changes of one document after some number. */
export interface DocumentChanges {
  readonly document: Document
  /** The number of the document's last change of state. */
  readonly number: number
  /** In the order in which they got their results. */
  readonly pages: ReadonlyArray<PageChange>
  readonly through: number
  readonly complete: boolean
}
