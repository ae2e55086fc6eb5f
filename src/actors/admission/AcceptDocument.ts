import { DateTime, Effect, Metric, type Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { defaultPriority, type Document } from "../../domain/document/Document.ts"
import { DocumentId, type TenantId } from "../../domain/Ids.ts"
import { cutText } from "../../domain/Text.ts"
import { Events } from "../../services/Events.ts"
import { Secrets } from "../../services/secrets/Secrets.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { NewDocument } from "../../services/store/NewDocument.ts"
import { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import * as Log from "../../observability/Log.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { Submitted, type SubmitOptions } from "../Ingestion.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"
import { makeBacklogLimits } from "./AdmissionLimits.ts"
import type { Upload } from "./UploadReference.ts"

const maxNameLength = 1024

/** The fields come from a valid document, so they are not checked again. */
const unchecked = { disableChecks: true }

const noPassword = Effect.succeed({ sealedPassword: undefined, passwordKey: undefined })

/** Seals passwords for the store. */
export const makeSealed = Effect.map(Secrets, (secrets) => {
  const seal = Effect.fnUntraced(function* (tenant: TenantId, password: Redacted.Redacted) {
    return {
      sealedPassword: yield* secrets.seal(password),
      passwordKey: yield* secrets.fingerprint(password, `password of ${tenant}`)
    }
  })
  return (tenant: TenantId, password: Redacted.Redacted | undefined) =>
    password === undefined ? noPassword : seal(tenant, password)
})

const reused = Effect.fnUntraced(function* (document: Document) {
  yield* Metric.update(Telemetry.documentsReused, 1)
  const { id: documentId, tenantId } = document
  yield* Effect.annotateCurrentSpan(Telemetry.documentAttributes({ tenantId, documentId }))
  return new Submitted({ ...document, duplicateOf: documentId }, unchecked)
})

/**
 * Makes a document of stored or received bytes, or of a URL, and then wakes its tenant. Runs to its end even if the caller goes
 * away: the tenant's actor has to learn of a committed document.
 */
export const makeAcceptDocument = Effect.gen(function* () {
  const queue = yield* DocumentQueue
  const events = yield* Events
  const directory = yield* TenantDirectory
  const random = yield* SecureRandom.SecureRandom
  const backlogLimits = yield* makeBacklogLimits
  const sealed = yield* makeSealed

  const announce = Effect.fnUntraced(function* ({ id: documentId, name, status, tenantId }: Document) {
    const attributes = Telemetry.documentAttributes({ tenantId, documentId })
    yield* Metric.update(Telemetry.documentsAccepted, 1)
    yield* Effect.annotateCurrentSpan(attributes)
    yield* Log.line("Info", "document accepted", () => ({ ...attributes, status }))
    yield* events.publish({ _tag: "DocumentAccepted", tenantId, documentId, name })
    yield* directory.tell(tenantId, { _tag: "Wake" })
  })

  return Effect.fnUntraced(function* (
    tenant: TenantId,
    source: NewDocument["source"],
    options: SubmitOptions,
    { reference }: Upload
  ) {
    const id = DocumentId.make(yield* random.uuidV7())
    const wanted: NewDocument = {
      id,
      tenantId: tenant,
      name: cutText(options.name, maxNameLength),
      source,
      reference: reference(),
      priority: options.priority ?? defaultPriority,
      pipeline: options.pipeline,
      notBefore: options.notBefore && DateTime.toEpochMillis(options.notBefore),
      ...(yield* sealed(tenant, options.password)),
      callback: options.callback,
      reuse: options.force !== true,
      trace: yield* TraceContext.current
    }
    const document = yield* queue.accept(wanted, yield* backlogLimits.of(tenant)).pipe(
      Effect.catchTags({
        QueueFull: (full) => backlogLimits.limitReached(tenant, full),
        BlobReferenceExpired: (cause) =>
          Effect.fail(new StoreUnavailable({ operation: "accept a document in time", cause }))
      })
    )
    if (document.id !== id) return yield* reused(document)
    yield* announce(document)
    return new Submitted(document, unchecked)
  }, Effect.uninterruptible)
})
