import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { StoredBlob } from "../BlobStore.ts"

/** Milliseconds since the epoch. */
type Moment = number

export interface NewDocument {
  readonly id: DocumentId
  readonly tenantId: TenantId
  readonly name: string
  /** A blob that comes with its `bytes` has to be stored in the same step: it is stored nowhere else. */
  readonly source: ({ readonly _tag: "Blob" } & StoredBlob) | { readonly _tag: "Url"; readonly url: string }
  readonly priority: number
  /** In the future: the document is `scheduled` until then. */
  readonly notBefore: Moment | undefined
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
  readonly acceptedAt: Moment
}

/** A document whose failed pages are to be read again. Its password has to be given again, because it was forgotten. */
export interface Retry {
  readonly sealedPassword: string | undefined
  readonly passwordKey: string | undefined
  readonly at: Moment
}

/** Documents waiting (scheduled or queued) may not exceed these. */
export interface BacklogLimits {
  readonly tenant: number
  readonly global: number
  /** Bytes of the tenant's documents that may be kept; without bound when absent. */
  readonly storedBytes?: number | undefined
}
