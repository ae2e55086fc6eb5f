import { Effect, Metric, type Stream } from "effect"
import { type Failure, failure } from "../../domain/Failure.ts"
import type { BlobHash, TenantId } from "../../domain/Ids.ts"
import { BlobStore, BlobTooLarge } from "../../services/BlobStore.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { BlobReferences } from "../../services/store/BlobReferences.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { SubmissionRejected } from "../Ingestion.ts"
import type { CountAdmitted } from "./AdmissionLimits.ts"
import { type Accepts, onlyAccepted } from "./FileHead.ts"
import type { Upload } from "./UploadReference.ts"

export const rejected = (reason: Failure) => new SubmissionRejected({ failure: reason })
export const tooLarge = ({ message }: BlobTooLarge) => rejected(failure("TOO_LARGE", `the upload has ${message}`))

/** Gets the bytes of a submission into the blob store, or finds them there. */
export const makeSubmissionBytes = Effect.gen(function* () {
  const { uploadSize } = yield* EngineConfig
  const largest = Number(uploadSize)
  const references = yield* BlobReferences
  const blobs = yield* BlobStore

  const receive = <E, R>(
    bytes: Stream.Stream<Uint8Array, E, R>,
    accepts: Accepts,
    count: CountAdmitted,
    { reserve }: Upload
  ) =>
    blobs.receive(onlyAccepted(bytes, accepts, rejected, count), largest, { reserve }).pipe(
      Effect.trackDuration(Telemetry.blobPutDuration),
      Effect.tap((stored) => Metric.update(Telemetry.blobPutBytes, stored.size)),
      Effect.catchIf(
        (error): error is BlobTooLarge => error instanceof BlobTooLarge,
        (error) => Effect.fail(tooLarge(error))
      )
    )

  /**
   * Finds a blob that a document of the tenant refers to; the hash of another tenant's blob is refused. It may be removed until
   * the upload has a reference, so it is looked for after that.
   */
  const ownBlob = Effect.fnUntraced(function* (tenant: TenantId, hash: BlobHash, { reserve }: Upload) {
    const unknown = rejected(failure("SOURCE_REFUSED", `there is no blob ${hash}`))
    if (!(yield* references.refersTo(hash, tenant))) return yield* unknown
    yield* reserve(hash)
    const size = yield* blobs.touch(hash).pipe(Effect.catchTag("BlobLost", () => Effect.fail(unknown)))
    return { _tag: "Blob", hash, size } as const
  })

  return { largest, receive, ownBlob }
})
