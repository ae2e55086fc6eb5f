import { Effect, Metric, Stream } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { BlobStoreUnavailable, BlobTooLarge } from "../../services/BlobStore.ts"
import { QuotaReached, StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { type ResolvedSource, Sources } from "../../services/Sources.ts"
import { failedForSpace, StorageFull } from "../../services/StorageHealth.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { LimitReached, ShuttingDown, SubmissionRejected, type SubmitOptions } from "../Ingestion.ts"
import { makeAcceptDocument } from "./AcceptDocument.ts"
import { type CountAdmitted, makeAdmissionLimits } from "./AdmissionLimits.ts"
import { InFlightSubmissions } from "./InFlightSubmissions.ts"
import { acceptedBy } from "./FileHead.ts"
import { makePipelineFor } from "./PipelineFor.ts"
import { makeRetryDocument } from "./RetryDocument.ts"
import { makeSubmissionBytes, rejected, tooLarge } from "./SubmissionBytes.ts"
import { makeUploads, type Upload } from "./UploadReference.ts"

/**
 * Makes a durable document of a caller's bytes or of a named source. The steps: check the limits, store the bytes, check that
 * they are a PDF, commit the document, wake the tenant. A step that fails leaves nothing that a caller could see.
 *
 * The limits are checked in this order: size, bytes in flight, backlog, rate; the tenant's first, then the global ones. The rate
 * is the last, so what another limit refuses takes no token. A refusal reads nothing of the upload and writes nothing, so it
 * costs little beside its HTTP request.
 */

/** The limit or the reason that refused a submission; `undefined` for errors of the caller's own stream. */
const refusal = (error: unknown): Telemetry.Refusal | undefined => {
  if (error instanceof SubmissionRejected) return error.failure.code
  if (error instanceof LimitReached) return error.limit
  if (error instanceof ShuttingDown) return "shutting_down"
  if (error instanceof QuotaReached) return "tenant_storage"
  if (error instanceof StorageFull) return "storage_full"
  if (!(error instanceof StoreUnavailable || error instanceof BlobStoreUnavailable)) return undefined
  return failedForSpace(error) ? "storage_full" : "unavailable"
}

export const make = Effect.gen(function* () {
  const bytes = yield* makeSubmissionBytes
  const accept = yield* makeAcceptDocument
  const retrying = yield* makeRetryDocument
  const { withinLimits } = yield* makeAdmissionLimits
  const withUpload = yield* makeUploads
  const submissions = yield* InFlightSubmissions
  const sources = yield* Sources
  const pipelineFor = yield* makePipelineFor

  /** Runs an admission as a submission in flight, and counts the reason if it is refused. */
  const admit = <A, E, R>(admission: Effect.Effect<A, E, R>) =>
    Effect.tapError(submissions.track(admission), (error) => {
      const reason = refusal(error)
      return reason === undefined ? Effect.void : Metric.update(Telemetry.documentsRefused.of(reason), 1)
    })

  const submit = TraceContext.traced(
    "Ingestion.submit",
    <E, R>(tenant: TenantId, given: Uint8Array | Stream.Stream<Uint8Array, E, R>, options: SubmitOptions) => {
      const [stream, size] = Stream.isStream(given) ? [given, options.size] : [Stream.make(given), given.byteLength]
      if (size !== undefined && size > bytes.largest) {
        return admit(Effect.fail(tooLarge(new BlobTooLarge({ limit: bytes.largest }))))
      }
      return admit(
        Effect.flatMap(pipelineFor(tenant, options.pipeline), ({ name: pipeline, source }) =>
          withinLimits(tenant, size, (count) =>
            withUpload((upload) =>
              Effect.flatMap(bytes.receive(stream, acceptedBy(source, options.name), count, upload), (stored) =>
                accept(tenant, { _tag: "Blob", ...stored }, { ...options, pipeline }, upload)
              )
            )
          )
        )
      )
    }
  )

  const submitSource = Effect.fn("Ingestion.submitSource")(
    function* (
      tenant: TenantId,
      text: string,
      options: Omit<SubmitOptions, "name"> & { readonly name?: string | undefined }
    ) {
      const { name: pipeline, source: stage } = yield* pipelineFor(tenant, options.pipeline)
      const admission = Effect.fnUntraced(function* (count: CountAdmitted, upload: Upload) {
        const source: ResolvedSource = yield* sources.resolve(text, tenant)
        const name = options.name ?? (source._tag === "Blob" ? source.hash : source.name)
        const origin =
          source._tag === "Blob"
            ? yield* bytes.ownBlob(tenant, source.hash, upload)
            : source._tag === "Url"
              ? source
              : {
                  _tag: "Blob" as const,
                  ...(yield* bytes.receive(sources.readFile(source.path), acceptedBy(stage, name), count, upload))
                }
        return yield* accept(tenant, origin, { ...options, name, pipeline }, upload)
      })
      return yield* withinLimits(tenant, undefined, (count) => withUpload((upload) => admission(count, upload)))
    },
    Effect.catchTag(["SourceRefused", "SourceUnavailable"], (error) => Effect.fail(rejected(error.failure))),
    admit
  )

  return { submit, submitSource, ...retrying }
})
