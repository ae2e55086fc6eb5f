import { Schema } from "effect"
import { DocumentStatus } from "../../domain/document/Document.ts"
import { DocumentId } from "../../domain/Ids.ts"

/** No such document, or it belongs to another tenant: the caller cannot tell which. */
export class DocumentNotFound extends Schema.TaggedError<DocumentNotFound>()("DocumentNotFound", {
  documentId: Schema.String
}) {
  override get message() {
    return `there is no document ${this.documentId}`
  }
}

/** The writer is no longer the document's runner. It has changed nothing and must stop. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  documentId: DocumentId,
  attempt: Schema.Natural
}) {
  override get message() {
    return `attempt ${this.attempt} no longer holds document ${this.documentId}`
  }
}

/** Only documents that ended `partial` or `failed` can be retried, and such as ended `completed` if a stage is run again. */
export class NotRetryable extends Schema.TaggedError<NotRetryable>()("NotRetryable", {
  documentId: Schema.String,
  /** `status`: it has not ended so. `password`: it had a password, which was forgotten when it ended. */
  why: Schema.Literals(["status", "password"]),
  status: DocumentStatus
}) {
  override get message() {
    return this.why === "status"
      ? `a document that is ${this.status} cannot be retried`
      : "the document's password was forgotten when it ended"
  }
}

/** `status`: it has not ended. `endpoint`: there is no URL to deliver to. `disabled`: the tenant's endpoint is disabled. */
export class NotDeliverable extends Schema.TaggedError<NotDeliverable>()("NotDeliverable", {
  documentId: Schema.String,
  why: Schema.Literals(["status", "endpoint", "disabled"])
}) {
  override get message() {
    return {
      status: "a document that has not ended has nothing to deliver",
      endpoint: "neither the document nor its tenant names a URL to deliver to",
      disabled: "the tenant's endpoint is disabled"
    }[this.why]
  }
}

/** The backlog named by `scope` holds `limit` documents already. */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", {
  scope: Schema.Literals(["tenant", "global"]),
  limit: Schema.Natural
}) {
  override get message() {
    return `the ${this.scope} queue holds its limit of ${this.limit} documents`
  }
}

/**
 * The tenant's documents have reached its limit of bytes, or would exceed it with this one. Waiting does not help, removing
 * some does.
 */
export class QuotaReached extends Schema.TaggedError<QuotaReached>()("QuotaReached", {
  limit: Schema.Natural,
  storedBytes: Schema.Natural
}) {
  override get message() {
    return `the tenant's documents take ${this.storedBytes} bytes, and may take ${this.limit} with this one`
  }
}

/** The store cannot work just now (disk full, read-only, unreachable). Nothing of the call was kept. */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message() {
    return `the document store failed to ${this.operation}`
  }
}
