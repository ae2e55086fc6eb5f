import { Effect, Option, Stream } from "effect"
import type { Artifact } from "../../../domain/pipeline/Artifact.ts"
import { Document } from "../../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import { readingStage } from "../../../domain/pipeline/Pipeline.ts"
import type { StageProgress } from "../../../domain/pipeline/StageProgress.ts"
import { BlobBytes } from "../../../services/BlobBytes.ts"
import { BlobStore, type BlobLost, type BlobStoreUnavailable } from "../../../services/BlobStore.ts"
import { Pipelines } from "../../../services/pipelines/Pipelines.ts"
import {
  type ArtifactContent,
  type ArtifactKey,
  Artifacts,
  type ArtifactsOptions
} from "../../../services/store/Artifacts.ts"
import { Documents } from "../../../services/store/Documents.ts"

/** An artifact, and the bytes of its content if it is `done`. */
export interface FoundArtifact {
  readonly artifact: Artifact
  readonly bytes: Stream.Stream<Uint8Array, BlobLost | BlobStoreUnavailable> | undefined
}

/** What tenants see of what stages made. */
export const makeReadArtifacts = Effect.gen(function* () {
  const documents = yield* Documents
  const artifacts = yield* Artifacts
  const blobs = yield* BlobStore
  const { read } = yield* BlobBytes
  const { stages } = yield* Pipelines

  const bytesOf = (content: ArtifactContent) =>
    content._tag === "Inline" ? Stream.make(content.bytes) : Stream.unwrap(Effect.map(blobs.locate(content.hash), read))

  return {
    artifacts: Effect.fn("Ingestion.artifacts")(function* (
      tenant: TenantId,
      id: DocumentId,
      options: ArtifactsOptions
    ) {
      yield* documents.find(tenant, id)
      return yield* artifacts.list(tenant, id, options)
    }),
    artifact: Effect.fn("Ingestion.artifact")(function* (tenant: TenantId, id: DocumentId, key: ArtifactKey) {
      yield* documents.find(tenant, id)
      return Option.map(yield* artifacts.find(tenant, id, key), ({ artifact, content }): FoundArtifact => ({
        artifact,
        bytes: content === undefined ? undefined : bytesOf(content)
      }))
    }),
    /** The document with what its stages have made. */
    withStages: Effect.fnUntraced(function* (document: Document) {
      if (document.pipeline === undefined) return document
      const counts = yield* artifacts.counts(document.tenantId, document.id)
      const progress = counts
        .filter(({ stage }) => stage !== readingStage)
        .map(({ done, failed, skipped, stage, version }): StageProgress => {
          const kind = stages.find(({ name }) => name === stage)?.kind
          return { stage, version, done, failed, skipped, ...(kind === undefined ? {} : { kind }) }
        })
      return progress.length === 0 ? document : new Document({ ...document, stages: progress }, { disableChecks: true })
    })
  }
})
