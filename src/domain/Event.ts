import { Schema } from "effect"
import { DocumentStatus } from "./document/Document.ts"
import { Failure } from "./Failure.ts"
import { DocumentId, TenantId } from "./Ids.ts"
import { PageNumber, PageStatus } from "./document/Page.ts"

const subject = { tenantId: TenantId, documentId: DocumentId }

/** Events of documents, published after they are durable. `DocumentEnded` is the last event of a document. */
export const IngestEvent = Schema.TaggedUnion({
  DocumentAccepted: { ...subject, name: Schema.String },
  DocumentStarted: { ...subject, attempt: Schema.Natural },
  DocumentOpened: { ...subject, pages: Schema.Natural },
  PageDone: { ...subject, page: PageNumber, status: PageStatus },
  DocumentRequeued: { ...subject, attempt: Schema.Natural },
  DocumentEnded: { ...subject, status: DocumentStatus, failure: Schema.optionalKey(Failure) }
})
export type IngestEvent = typeof IngestEvent.Type
