import { Schema } from "effect"
import { DocumentId } from "../../domain/Ids.ts"

/**
 * The messages to a tenant's actor. They carry no work: the work is in the store, so a message that is repeated, or lost with
 * its process, does no harm.
 */
export const TenantMessage = Schema.TaggedUnion({
  /** There may be documents to run, or limits have changed. */
  Wake: {},
  /** Stops the attempts up to this one: the document was cancelled, or its lease was lost. */
  Stop: { documentId: DocumentId, attempt: Schema.Natural }
})
export type TenantMessage = typeof TenantMessage.Type
