import { createHash } from "node:crypto"
import type { Document, DocumentStatus } from "../../src/domain/document/Document.ts"
import type { ArtifactStatus } from "../../src/domain/pipeline/Artifact.ts"
import type { DocumentId, TenantId } from "../../src/domain/Ids.ts"
import type { PageResult } from "../../src/domain/document/Page.ts"
import type { NewDocument } from "../../src/services/store/NewDocument.ts"

/** What must be true of one document, kept apart from the store and from nothing but the calls that succeeded. */
export interface Entry {
  readonly id: DocumentId
  readonly tenant: TenantId
  readonly label: string
  readonly notBefore: number | undefined
  readonly sourceUrl: string | undefined
  status: DocumentStatus
  attempt: number
  runner: string | undefined
  leasedUntil: number
  pageCount: number | undefined
  /** What is stored of its stages, by `artifactKey`, and how many of them were when the last attempt began. */
  readonly artifacts: Map<string, ArtifactStatus>
  artifactsAtClaim: number
  readonly pages: Map<number, { readonly digest: string; readonly status: PageResult["status"]; readonly code: string }>
  /** Pages that were done when the last attempt began. */
  doneAtClaim: ReadonlySet<number>
  failureCode: string | undefined
  endedAt: number | undefined
  ends: number
  announcements: number
  /** No run works under the present lease any more: its end could not be written. */
  abandonedAt: number | undefined
  /** Since when it waits for its first run, or its first after a retry. */
  queuedSince: number | undefined
  /** When the permit of its tenant was taken under which it runs. */
  permitAt: number
  /** A service failed this run, or a defect met its tenant: however it goes back to its queue, that may be why. */
  disturbed: boolean
  /** It gave way to another tenant the last time that it ran; and how often it has since it was accepted or retried. */
  gaveWay: boolean
  preemptions: number
  /** The bytes of its source are known. */
  fetched: boolean
  /** Other submissions that were answered with it. */
  shares: number
  /** An attempt lost its lease while its run went on; the two may overlap. */
  overlapped: boolean
  removed: boolean
}

export const artifactKey = ({ page = 0, stage }: { readonly page?: number; readonly stage: string }) =>
  `${stage} ${page}`

export const pageDigest = (page: PageResult): string =>
  createHash("sha256")
    .update(JSON.stringify({ ...page, elapsedMillis: 0 }))
    .digest("hex")
    .slice(0, 16)

export const newEntry = (document: NewDocument, stored: Document, label: string): Entry => ({
  id: document.id,
  tenant: document.tenantId,
  label,
  notBefore: document.notBefore,
  sourceUrl: document.source._tag === "Url" ? document.source.url : undefined,
  status: stored.status,
  attempt: stored.attempt,
  runner: undefined,
  leasedUntil: 0,
  pageCount: undefined,
  artifacts: new Map(),
  artifactsAtClaim: 0,
  pages: new Map(),
  doneAtClaim: new Set(),
  failureCode: undefined,
  endedAt: undefined,
  ends: 0,
  announcements: 0,
  abandonedAt: undefined,
  queuedSince: stored.status === "queued" ? stored.timings.acceptedAt.epochMilliseconds : undefined,
  permitAt: 0,
  disturbed: false,
  gaveWay: false,
  preemptions: 0,
  fetched: false,
  shares: 0,
  overlapped: false,
  removed: false
})
