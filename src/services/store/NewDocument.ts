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
}

/** What of a document is made again. */
export interface Rerun {
  readonly stage: StageName
  /** Only what this version of the stage has made. */
  readonly version?: StageVersion | undefined
  /** The stage provides text: pages that it worked on are read again, too, also those that it failed on or skipped. */
  readonly pages?: boolean | undefined
}

/** Documents waiting (scheduled or queued) may not exceed these. */
export interface BacklogLimits {
  readonly tenant: number
  readonly global: number
  /** Bytes of the tenant's documents that may be kept; without bound when absent. */
  readonly storedBytes?: number | undefined
}
