import type { DocumentId, TenantId } from "../../domain/Ids.ts"
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
  /** In milliseconds since the epoch. In the future, by the store's clock: the document is `scheduled` until then. */
  readonly notBefore: number | undefined
  /** The sealed password. Forgotten when the document becomes terminal. */
  readonly sealedPassword: string | undefined
  /** Distinguishes passwords without revealing them. */
  readonly passwordKey: string | undefined
  /** Where to announce the terminal state. */
  readonly callback: string | undefined
  /** Whether an existing document may stand in for this one. */
  readonly reuse: boolean
  /** A W3C `traceparent`, kept for the runs of the document. */
  readonly trace?: string | undefined
}

/** A document whose failed pages are to be read again. Its password has to be given again, because it was forgotten. */
export interface Retry {
  readonly sealedPassword: string | undefined
  readonly passwordKey: string | undefined
}

/** Documents waiting (scheduled or queued) may not exceed these. */
export interface BacklogLimits {
  readonly tenant: number
  readonly global: number
  /** Bytes of the tenant's documents that may be kept; without bound when absent. */
  readonly storedBytes?: number | undefined
}
