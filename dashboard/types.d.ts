// What comes over HTTP, as the server's own schemas describe it.
import type { DocumentList, DocumentView, PageSummaryList } from "../src/http/api/views/DocumentView.ts"
import type { ArtifactList, ArtifactView } from "../src/http/api/pipelines/Artifacts.ts"
import type { PageEvent as PageEventSchema } from "../src/http/api/Events.ts"
import type { DocumentOutcome } from "../src/http/api/views/SubmitOutcome.ts"
import type { QueueStatusView } from "../src/http/api/Queue.ts"
import type { TenantList } from "../src/http/api/Tenants.ts"
import type { RunnersView, WorkersView } from "../src/http/api/Workers.ts"
import type { DownstreamState } from "../src/domain/downstream/Downstream.ts"
import type { DownstreamList } from "../src/http/api/downstreams/Downstreams.ts"
import type { TenantState } from "../src/domain/tenant/TenantState.ts"
import type { Waiting as WaitingSchema } from "../src/domain/document/Waiting.ts"
import type { PageSummary as PageSummarySchema, PageView } from "../src/domain/document/Page.ts"

export type Artifact = typeof ArtifactView.Encoded
export type Artifacts = typeof ArtifactList.Encoded
export type Downstream = typeof DownstreamState.Encoded
export type Downstreams = typeof DownstreamList.Encoded
export type Document = typeof DocumentView.Encoded
export type Documents = typeof DocumentList.Encoded
export type Page = typeof PageView.Encoded
export type PageSummary = typeof PageSummarySchema.Encoded
export type PageSummaries = typeof PageSummaryList.Encoded
export type Outcome = typeof DocumentOutcome.Encoded
export type Queue = typeof QueueStatusView.Encoded
export type Runners = typeof RunnersView.Encoded
export type Workers = typeof WorkersView.Encoded
export type Tenant = typeof TenantState.Encoded
export type Waiting = typeof WaitingSchema.Encoded

export type PageEvent = typeof PageEventSchema.Encoded
export type Tenants = typeof TenantList.Encoded

/** A view lives as long as its controller's signal. */
export type View = (root: HTMLElement, signal: AbortSignal, parameter: string) => void
