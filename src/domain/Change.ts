import type { Brand } from "effect"
import type { Document } from "./document/Document.ts"
import type { DocumentId, TenantId } from "./Ids.ts"
import type { PageStatus } from "./document/Page.ts"

/** A place in the order of changes. What it holds is known to the change log only, which makes, compares and reads it. */
export type ChangeCursor = Brand.Branded<number, "sluice/ChangeCursor">

/** A page that got its result. */
export interface PageChange {
  readonly _tag: "Page"
  readonly cursor: ChangeCursor
  readonly tenantId: TenantId
  readonly documentId: DocumentId
  readonly page: number
  readonly status: PageStatus
  /** The current progress of the document. */
  readonly progress: Document["progress"]
}

/**
 * The current state of a document, with the cursor of its last change of state; or a page with its result. Every change of any
 * document comes after all earlier ones, also across restarts, and no cursor is used twice. Documents and pages from before
 * there were cursors come before all others.
 */
export type Change =
  | { readonly _tag: "Document"; readonly cursor: ChangeCursor; readonly document: Document }
  | PageChange

export interface Changes {
  /** In their order. */
  readonly changes: ReadonlyArray<Change>
  /** All changes up to this one were considered. */
  readonly through: ChangeCursor
  /** There are no further changes. */
  readonly complete: boolean
}

/** The changes of one document after some cursor. */
export interface DocumentChanges {
  readonly document: Document
  /** Of the document's last change of state. */
  readonly cursor: ChangeCursor
  /** In the order in which they got their results. */
  readonly pages: ReadonlyArray<PageChange>
  readonly through: ChangeCursor
  readonly complete: boolean
}
