import { Effect, Option } from "effect"
import type { ArtifactStatus } from "../../../domain/pipeline/Artifact.ts"
import { readingStage, type StageName, type StageVersion } from "../../../domain/pipeline/Pipeline.ts"
import { allBytes } from "../../../services/BlobBytes.ts"
import { BlobStore } from "../../../services/BlobStore.ts"
import { type EarlierContent, type Stage, type StageContent, StageError } from "../../../services/pipelines/Stage.ts"
import { type ArtifactContent, Artifacts, type ArtifactsOptions } from "../../../services/store/Artifacts.ts"
import type { Claim } from "../../../services/store/Claim.ts"
import { StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import { retryingStore } from "../../retries/RetryPolicies.ts"

const portion = 1_000

/** Reads contents of artifacts into memory. */
export const makeReadContent = Effect.map(
  BlobStore,
  (blobs) => (content: ArtifactContent) =>
    content._tag === "Inline"
      ? Effect.succeed(content.bytes)
      : Effect.scoped(Effect.flatMap(blobs.locate(content.hash), allBytes)).pipe(
          retryingStore,
          Effect.catchTags({
            // It does not come back: a run that waited for it would never end.
            BlobLost: ({ message }) => StageError.of("BLOB_LOST", `what an earlier stage made is lost: ${message}`),
            BlobStoreUnavailable: (cause) =>
              Effect.fail(new StoreUnavailable({ operation: "read the content of an artifact", cause }))
          })
        )
)

const keyOf = (stage: StageName, version: StageVersion) => `${stage} ${version}`

/** What earlier runs, and this one, have stored of a document's stages. */
export const makeStoredArtifacts = Effect.fnUntraced(function* (claim: Claim) {
  const { id, tenantId } = claim.document
  const artifacts = yield* Artifacts
  const readContent = yield* makeReadContent
  /** By page (0: of the document as a whole), then by stage and version. */
  const statuses = new Map<number, Map<string, ArtifactStatus>>()
  const readings = new Map<number, Array<StageVersion>>()

  const note = (page: number | undefined, stage: StageName, version: StageVersion, status: ArtifactStatus) => {
    if (page !== undefined && stage === readingStage) readings.set(page, [...(readings.get(page) ?? []), version])
    const of = statuses.get(page ?? 0) ?? new Map<string, ArtifactStatus>()
    statuses.set(page ?? 0, of)
    of.set(keyOf(stage, version), status)
  }

  let after: ArtifactsOptions["after"]
  for (let more = claim.artifacts.length > 0; more;) {
    const found = yield* retryingStore(artifacts.list(tenantId, id, { after, limit: portion }))
    for (const { page, stage, status, version } of found) note(page, stage, version, status)
    after = found.at(-1)
    more = found.length > 0
  }

  const content = Effect.fnUntraced(function* (
    page: number | undefined,
    stage: StageName,
    version?: StageVersion
  ): Effect.fn.Return<Option.Option<StageContent>, StoreUnavailable | StageError> {
    const found = yield* retryingStore(artifacts.find(tenantId, id, { page, stage, version }))
    if (Option.isNone(found) || found.value.content === undefined) return Option.none()
    const { artifact, content: stored } = found.value
    return Option.some({ mediaType: artifact.mediaType, bytes: yield* readContent(stored) })
  })

  return {
    note,
    /** What is stored of the stage in its present version, if anything. */
    status: (page: number | undefined, { name, version }: Pick<Stage, "name" | "version">) =>
      statuses.get(page ?? 0)?.get(keyOf(name, version)),
    content,
    earlier:
      (page: number | undefined): EarlierContent =>
      (stage) =>
        content(page, stage),
    /** The versions of the readings of the page that were stored before it had its result: see `PageReadings.ts`. */
    readings: (page: number): ReadonlyArray<StageVersion> => readings.get(page) ?? []
  }
})

export type StoredArtifacts = Effect.Success<ReturnType<typeof makeStoredArtifacts>>
