import { Effect, Metric, type Redacted } from "effect"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { Events } from "../../services/Events.ts"
import { Documents } from "../../services/store/Documents.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"
import { makeSealed } from "./AcceptDocument.ts"
import { makeAdmissionLimits, makeBacklogLimits } from "./AdmissionLimits.ts"
import { InFlightSubmissions } from "./InFlightSubmissions.ts"

/** Queues a document again for its failed pages. A full backlog refuses it like a submission. */
export const makeRetryDocument = Effect.gen(function* () {
  const documents = yield* Documents
  const events = yield* Events
  const directory = yield* TenantDirectory
  const submissions = yield* InFlightSubmissions
  const backlogLimits = yield* makeBacklogLimits
  const { withinRate } = yield* makeAdmissionLimits
  const sealed = yield* makeSealed

  const queueAgain = Effect.fnUntraced(function* (
    tenant: TenantId,
    id: DocumentId,
    password: Redacted.Redacted | undefined
  ) {
    const retried = documents.retry(tenant, id, yield* sealed(tenant, password), yield* backlogLimits.of(tenant))
    const document = yield* Effect.catchTag(retried, "QueueFull", (full) => backlogLimits.limitReached(tenant, full))
    yield* Metric.update(Telemetry.documentsRequeued.of("retried"), 1)
    yield* events.publish({ _tag: "DocumentRequeued", tenantId: tenant, documentId: id, attempt: document.attempt })
    yield* directory.tell(tenant, { _tag: "Wake" })
    return document
  }, Effect.uninterruptible)

  return Effect.fn("Ingestion.retry")(
    (tenant: TenantId, id: DocumentId, options: { readonly password?: Redacted.Redacted | undefined } = {}) =>
      submissions.track(withinRate(tenant, () => queueAgain(tenant, id, options.password)))
  )
})
