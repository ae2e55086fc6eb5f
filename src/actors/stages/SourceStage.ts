import { Effect, Option, Stream } from "effect"
import { failure } from "../../domain/Failure.ts"
import type { BlobHash } from "../../domain/Ids.ts"
import type { SourceStage } from "../../services/pipelines/Stage.ts"
import { StageError } from "../../services/pipelines/Stage.ts"
import { BlobBytes } from "../../services/BlobBytes.ts"
import { type BlobLost, BlobStore } from "../../services/BlobStore.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import type { PdfRef } from "../../services/PdfEngine.ts"
import type { Step } from "../../services/pipelines/Pipelines.ts"
import { Artifacts } from "../../services/store/Artifacts.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { headBytes, isPdf } from "../admission/FileHead.ts"
import { makeUploads } from "../admission/UploadReference.ts"
import { DocumentFailed } from "../document/FinishDocument.ts"
import { retryingStore } from "../retries/RetryPolicies.ts"
import type { StagedRun } from "./StagedRun.ts"
import { whileReferenceExpires } from "./artifacts/WriteArtifacts.ts"

/** The first bytes of a file, by which it was accepted. */
const headOf = Effect.fnUntraced(function* ({ location }: PdfRef) {
  const { read } = yield* BlobBytes
  const add = (head: Buffer, bytes: Uint8Array) => Buffer.concat([head, bytes.subarray(0, headBytes - head.length)])
  const heads = Stream.scan(read(location), () => Buffer.of(), add)
  const head = yield* Stream.runLast(Stream.takeUntil(heads, ({ length }) => length >= headBytes))
  return Option.getOrElse(head, () => Buffer.of())
})

/**
 * A PDF that the stage does not take is read as it is. Once it was opened so, it stays so, also when the stage takes such files by
 * then.
 */
const isReadAsItIs = Effect.fnUntraced(function* (run: StagedRun, { stage }: Step<SourceStage>, original: PdfRef) {
  const { name, progress } = run.claim.document
  const head = yield* headOf(original)
  return isPdf(head) && (progress.pages !== undefined || !stage.accepts(head, name))
})

/**
 * The PDF that an earlier run made. Once it was opened, the document is read from it to its end, also when the stage has another
 * version by then: pages of two PDFs do not belong together.
 */
const madeBefore = Effect.fnUntraced(function* (run: StagedRun, { stage }: Step<SourceStage>) {
  const { id, progress, tenantId } = run.claim.document
  if (run.claim.artifacts.length === 0) return Option.none<BlobHash>()
  const key = { stage: stage.name, version: progress.pages === undefined ? stage.version : undefined }
  const found = yield* retryingStore(Artifacts.use((artifacts) => artifacts.find(tenantId, id, key)))
  return Option.flatMapNullishOr(found, ({ content }) => (content?._tag === "Blob" ? content.hash : undefined))
})

/** Makes the PDF and keeps it, as a blob: workers of other runners read it, too. */
const make = Effect.fnUntraced(function* (run: StagedRun, step: Step<SourceStage>, original: PdfRef) {
  const { uploadSize } = yield* EngineConfig
  const blobs = yield* BlobStore
  const queue = yield* DocumentQueue
  const withUpload = yield* makeUploads
  const { name, version } = step.stage
  const input = { ...run.subject, location: original.location }
  const end = yield* run.run(step, "the file", (stage: SourceStage) =>
    Effect.filterOrFail(
      stage.run(input),
      ({ pdf }) => isPdf(pdf),
      () => StageError.of("STAGE_FAILED", "what it made is not a PDF")
    )
  )
  if (end._tag !== "Done") return yield* DocumentFailed.of(end.error)
  const { pdf } = end.output
  if (pdf.length > Number(uploadSize)) {
    const message = `the stage ${name}: it made a PDF of ${pdf.length} bytes; the limit is ${Number(uploadSize)}`
    return yield* DocumentFailed.of(failure("TOO_LARGE", message))
  }
  const put = withUpload(({ reference, reserve }) =>
    Effect.flatMap(blobs.put(Stream.make(pdf), pdf.length, { reserve }), ({ hash, size }) =>
      Effect.as(
        queue.saveArtifacts(run.claim.fence, [
          {
            stage: name,
            version,
            status: "done",
            mediaType: "application/pdf",
            content: { _tag: "Blob", hash },
            size,
            reference: reference(),
            elapsedMillis: end.elapsedMillis
          }
        ]),
        hash
      )
    )
  )
  return yield* put.pipe(Effect.catchTag("BlobTooLarge", Effect.die), whileReferenceExpires, retryingStore, run.kept)
})

const blobLost = (error: BlobLost) => Effect.fail(DocumentFailed.of(failure("BLOB_LOST", error.message)))

/** The PDF that the document's pages are read from: made by the source stage, once, or the file itself. */
export const sourcePdf = Effect.fnUntraced(function* (run: StagedRun, step: Step<SourceStage>, original: PdfRef) {
  const blobs = yield* BlobStore
  const known = yield* madeBefore(run, step)
  if (Option.isNone(known)) {
    const asItIs = isReadAsItIs(run, step, original).pipe(retryingStore, Effect.catchTag("BlobLost", blobLost))
    if (yield* asItIs) return original
  }
  const hash = Option.isSome(known) ? known.value : yield* make(run, step, original)
  const location = yield* blobs.locate(hash).pipe(retryingStore, Effect.catchTag("BlobLost", blobLost))
  const pdf: PdfRef = { ...original, location }
  return pdf
})
