import { Context, type Effect, type Option } from "effect"
import type { BlobHash, DocumentId, TenantId } from "../../domain/Ids.ts"
import type { Artifact } from "../../domain/pipeline/Artifact.ts"
import type { StageName, StageVersion } from "../../domain/pipeline/Pipeline.ts"
import type { BlobReference } from "./BlobReferences.ts"
import type { StoreUnavailable } from "./StoreErrors.ts"

/** Content up to this size lies in the row; larger content is a blob. */
export const largestInlineContent = 64 * 1024

/** The content of an artifact: the bytes themselves, or the blob that holds them. */
export type ArtifactContent =
  | { readonly _tag: "Inline"; readonly bytes: Uint8Array }
  | { readonly _tag: "Blob"; readonly hash: BlobHash }

/**
 * An artifact to be written under the fence of a run (`DocumentQueue.saveArtifacts`). The commit ends the `reference` to its
 * blob, and fails with `BlobReferenceExpired` if it has run out. `createdAt` is the store's. Only what is `done` has content: of
 * another one, content and size are not kept.
 */
export interface NewArtifact extends Omit<Artifact, "createdAt" | "size"> {
  readonly content: ArtifactContent | undefined
  /** Bytes of the content; 0 when there is none. */
  readonly size: number
  readonly reference?: BlobReference | undefined
}

/** Which artifacts are listed: those of one stage, of one page (`0`: of the document as a whole), or of all. */
export interface ArtifactsOptions {
  readonly stage?: StageName | undefined
  readonly page?: number | undefined
  /** Only those after this one, in the order of the list. */
  readonly after?: Pick<Artifact, "page" | "stage" | "version"> | undefined
  readonly limit: number
}

/** Names one artifact; `page` is absent for one of the document as a whole, `version` for the one that was made last. */
export interface ArtifactKey {
  readonly page?: number | undefined
  readonly stage: StageName
  readonly version?: StageVersion | undefined
}

/** How many artifacts of one stage and version a document has, by status. */
export interface StageCounts {
  readonly stage: StageName
  readonly version: StageVersion
  readonly done: number
  readonly skipped: number
  readonly failed: number
}

/**
 * What stages made of a tenant's documents. An artifact is written once for its page (or the document), stage and version, and
 * removed with its document. It is written by the run that made it, through `DocumentQueue`. Its size counts to the bytes that
 * are kept of its tenant.
 */
export class Artifacts extends Context.Service<
  Artifacts,
  {
    /** By page (those of the document as a whole first), stage and version. Empty also when there is no such document. */
    readonly list: (
      tenant: TenantId,
      id: DocumentId,
      options: ArtifactsOptions
    ) => Effect.Effect<ReadonlyArray<Artifact>, StoreUnavailable>
    /** One artifact with its content, if it is `done`. */
    readonly find: (
      tenant: TenantId,
      id: DocumentId,
      key: ArtifactKey
    ) => Effect.Effect<
      Option.Option<{ readonly artifact: Artifact; readonly content: ArtifactContent | undefined }>,
      StoreUnavailable
    >
    /** By stage and version. Empty also when there is no such document. */
    readonly counts: (tenant: TenantId, id: DocumentId) => Effect.Effect<ReadonlyArray<StageCounts>, StoreUnavailable>
  }
>()("sluice/services/store/Artifacts") {}
