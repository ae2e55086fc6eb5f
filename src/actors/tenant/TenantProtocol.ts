import { Schema } from "effect"
import { DocumentId } from "../../domain/Ids.ts"

/**
 * What a tenant's actor can be told. Messages carry no work: the work lies in the store, so a message that is repeated,
 * or lost with its process, costs nothing.
 */
export const TenantMessage = Schema.TaggedUnion({
  /** There may be documents to run, or limits have changed. */
  Wake: {},
  /** No attempt up to this one is to go on: the document was cancelled, or its lease was lost. */
  Stop: { documentId: DocumentId, attempt: Schema.Natural }
})
export type TenantMessage = typeof TenantMessage.Type
