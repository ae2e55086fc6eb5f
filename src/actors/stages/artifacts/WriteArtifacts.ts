import { Effect, Stream } from "effect"
import { BlobStore, type BlobStoreUnavailable } from "../../../services/BlobStore.ts"
import type { Stage, StageContent } from "../../../services/pipelines/Stage.ts"
import { largestInlineContent, type NewArtifact } from "../../../services/store/Artifacts.ts"
import { BlobReferenceExpired } from "../../../services/store/BlobReferences.ts"
import type { LeaseLost, StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import { makeUploads } from "../../admission/UploadReference.ts"
import { retryingStore } from "../../retries/RetryPolicies.ts"
import type { StageEnd, Timed } from "../RunStage.ts"

/** What a stage made of a page, or of the document when `page` is absent; its content is not stored yet. */
export interface MadeArtifact extends Omit<NewArtifact, "content" | "size" | "reference"> {
  readonly content: Uint8Array | undefined
}

/** How a stage ended, as the artifact that tells it. */
export const madeBy = (
  stage: Pick<Stage, "name" | "version">,
  page: number | undefined,
  end: Timed<StageEnd<{ readonly content: StageContent }>>
): MadeArtifact => ({
  ...(page === undefined ? {} : { page }),
  stage: stage.name,
  version: stage.version,
  elapsedMillis: end.elapsedMillis,
  ...(end._tag === "Done"
    ? {
        status: "done",
        mediaType: end.output.content.mediaType,
        content: end.output.content.bytes
      }
    : {
        status: end._tag === "Skipped" ? "skipped" : "failed",
        mediaType: "application/octet-stream",
        content: undefined,
        error: end.error
      })
})

type CommitError = LeaseLost | StoreUnavailable | BlobReferenceExpired
type Commit = (artifacts: ReadonlyArray<NewArtifact>) => Effect.Effect<void, CommitError>

/** The store was not available for as long as a reference lasts: the bytes may be gone, so they are put again. */
export const whileReferenceExpires = <A, E, R>(
  write: Effect.Effect<A, E | BlobReferenceExpired, R>
): Effect.Effect<A, E, R> =>
  Effect.catch(write, (error) =>
    error instanceof BlobReferenceExpired ? whileReferenceExpires(write) : Effect.fail(error)
  )

/**
 * Writes artifacts: small contents go into the rows, larger ones are blobs, which something refers to until the rows are
 * committed. `commit` is the fenced write of the run.
 */
export const makeWriteArtifacts = Effect.gen(function* () {
  const blobs = yield* BlobStore
  const withUpload = yield* makeUploads

  const withContents = (
    made: ReadonlyArray<MadeArtifact>,
    commit: Commit,
    ready: ReadonlyArray<NewArtifact> = []
  ): Effect.Effect<void, CommitError | BlobStoreUnavailable> => {
    const [first, ...others] = made
    if (first === undefined) return commit(ready)
    const { content, ...artifact } = first
    if (content === undefined || content.length <= largestInlineContent) {
      const inline = content === undefined ? undefined : ({ _tag: "Inline", bytes: content } as const)
      return withContents(others, commit, [...ready, { ...artifact, content: inline, size: content?.length ?? 0 }])
    }
    return withUpload(({ reference, reserve }) =>
      blobs.put(Stream.make(content), content.length, { reserve }).pipe(
        Effect.catchTag("BlobTooLarge", Effect.die),
        Effect.flatMap(({ hash, size }) => {
          const blob = { ...artifact, content: { _tag: "Blob" as const, hash }, size, reference: reference() }
          return withContents(others, commit, [...ready, blob])
        })
      )
    )
  }

  return (made: ReadonlyArray<MadeArtifact>, commit: Commit) =>
    withContents(made, commit).pipe(whileReferenceExpires, retryingStore)
})
