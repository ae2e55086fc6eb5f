import type { DocumentId } from "../../domain/Ids.ts"

/** The right to write to a document: every write names it and is refused once the attempt has moved on. */
export interface Fence {
  readonly documentId: DocumentId
  readonly attempt: number
}
