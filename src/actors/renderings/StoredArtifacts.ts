import { type Context, Effect, Option, Stream } from "effect"
import type { Artifact } from "../../domain/pipeline/Artifact.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { BlobBytes } from "../../services/BlobBytes.ts"
import { type BlobLost, BlobStore, type BlobStoreUnavailable } from "../../services/BlobStore.ts"
import {
  type ArtifactContent,
  type ArtifactKey,
  Artifacts,
  type ArtifactsOptions
} from "../../services/store/Artifacts.ts"
import type { Documents } from "../../services/store/Documents.ts"

/** What a stage made. */
export interface StoredArtifact {
  readonly artifact: Artifact
  /** Absent unless the artifact is `done`. */
  readonly content: ArtifactContent | undefined
  /** The bytes of the content, in portions. */
  readonly bytes: Stream.Stream<Uint8Array, BlobLost | BlobStoreUnavailable>
}

/** Of a store that keeps none. */
const noArtifacts: Artifacts["Service"] = {
  list: () => Effect.succeed([]),
  find: () => Effect.succeedNone,
  counts: () => Effect.succeed([])
}

export type StoredArtifacts = Effect.Success<ReturnType<typeof makeStoredArtifacts>>

/** Reads what stages made of documents. */
export const makeStoredArtifacts = Effect.fnUntraced(function* (documents: Context.Service.Shape<typeof Documents>) {
  const artifacts = Option.getOrElse(yield* Effect.serviceOption(Artifacts), () => noArtifacts)
  const blobs = yield* BlobStore
  const { read } = yield* BlobBytes

  const bytesOf = (content: ArtifactContent | undefined): StoredArtifact["bytes"] => {
    if (content === undefined) return Stream.empty
    if (content._tag === "Inline") return Stream.make(content.bytes)
    // Located by each reader for as long as it reads.
    return Stream.unwrap(Effect.map(blobs.locate(content.hash), read))
  }

  return {
    artifacts: Effect.fn("Ingestion.artifacts")((tenant: TenantId, id: DocumentId, options: ArtifactsOptions) =>
      Effect.andThen(documents.find(tenant, id), artifacts.list(tenant, id, options))
    ),
    stages: Effect.fn("Ingestion.stages")((tenant: TenantId, id: DocumentId) =>
      Effect.andThen(documents.find(tenant, id), artifacts.counts(tenant, id))
    ),
    artifact: Effect.fn("Ingestion.artifact")(function* (tenant: TenantId, id: DocumentId, key: ArtifactKey) {
      yield* documents.find(tenant, id)
      const found = yield* artifacts.find(tenant, id, key)
      const content = Option.getOrUndefined(found)?.content
      // What cannot be read is known before anything is sent.
      if (content?._tag === "Blob") yield* Effect.scoped(blobs.locate(content.hash))
      return Option.map(found, (stored): StoredArtifact => ({ ...stored, bytes: bytesOf(stored.content) }))
    })
  }
})
