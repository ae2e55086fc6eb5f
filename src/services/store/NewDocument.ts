import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { type PipelineName, type StageName, type StageVersion, textPipeline } from "../../domain/pipeline/Pipeline.ts"
import type { ReceivedBlob } from "../BlobStore.ts"
import type { BlobReference } from "./BlobReferences.ts"

export interface NewDocument {
  readonly id: DocumentId
  readonly tenantId: TenantId
  readonly name: string
  /** A blob with a receipt is stored together with the document. */
  readonly source: ({ readonly _tag: "Blob" } & ReceivedBlob) | { readonly _tag: "Url"; readonly url: string }
  /** Of the blob. The commit of the document ends it, and fails if it has run out. */
  readonly reference?: BlobReference | undefined
  readonly priority: number
  /** Absent means `textPipeline`, and is what is stored for it. */
  readonly pipeline?: PipelineName | undefined
  /** In milliseconds since the epoch. In the future, by the store's clock: the document is `scheduled` until then. */
  readonly notBefore: number | undefined
  /** The sealed password. Forgotten when the document becomes terminal. */
  readonly sealedPassword: string | undefined
  /** Distinguishes passwords without revealing them. */
  readonly passwordKey: string | undefined
  /** Where to announce the terminal state. */
  readonly callback: string | undefined
  /** Whether an existing document of the same pipeline may stand in for this one. */
  readonly reuse: boolean
  /** A W3C `traceparent`, kept for the runs of the document. */
  readonly trace?: string | undefined
}

/** As it is stored: the pipeline that every document has without a name is not named. */
export const storedPipeline = (pipeline: PipelineName | undefined): PipelineName | undefined =>
  pipeline === textPipeline ? undefined : pipeline

/** A document that is to be queued again. Its password has to be given again, because it was forgotten. */
export interface Retry {
  readonly sealedPassword: string | undefined
  readonly passwordKey: string | undefined
  /** Stages that give pages their text: pages on which one of them was skipped are read again by a retry. */
  readonly givers?: ReadonlyArray<StageName> | undefined
  /** Stages that work on the document as a whole: if a retry reads pages again, what they made without these is made anew. */
  readonly whole?: ReadonlyArray<StageName> | undefined
}

/** What of a document is made again. */
export interface Rerun {
  readonly stage: StageName
  /** Only what this version of the stage has made. */
  readonly version?: StageVersion | undefined
  /** The stage gives pages their text: those on which it worked, was skipped or failed are read again, too. */
  readonly pages?: boolean | undefined
  /** Stages after it that give the same pages their text: what they made of pages that are read again goes, too. */
  readonly later?: ReadonlyArray<StageName> | undefined
}

/** Documents waiting (scheduled or queued) may not exceed these. */
export interface BacklogLimits {
  readonly tenant: number
  readonly global: number
  /** Bytes of the tenant's documents that may be kept; without bound when absent. */
  readonly storedBytes?: number | undefined
}
