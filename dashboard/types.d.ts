// What comes over HTTP, as the server's own schemas describe it.
import type { DocumentList, DocumentView, PageSummaryList } from "../src/http/DocumentView.ts"
import type { PageEvent as PageEventSchema } from "../src/http/EventsApi.ts"
import type { DocumentOutcome } from "../src/http/Outcome.ts"
import type { QueueStatusView } from "../src/http/QueueApi.ts"
import type { TenantList } from "../src/http/TenantsApi.ts"
import type { WorkersView } from "../src/http/WorkersApi.ts"
import type { TenantState } from "../src/domain/TenantState.ts"
import type { Waiting as WaitingSchema } from "../src/domain/Waiting.ts"
import type { PageSummary as PageSummarySchema, PageView } from "../src/domain/Page.ts"

export type Document = typeof DocumentView.Encoded
export type Documents = typeof DocumentList.Encoded
export type Page = typeof PageView.Encoded
export type PageSummary = typeof PageSummarySchema.Encoded
export type PageSummaries = typeof PageSummaryList.Encoded
export type Outcome = typeof DocumentOutcome.Encoded
export type Queue = typeof QueueStatusView.Encoded
export type Workers = typeof WorkersView.Encoded
export type Tenant = typeof TenantState.Encoded
export type Waiting = typeof WaitingSchema.Encoded

export type PageEvent = typeof PageEventSchema.Encoded
export type Tenants = typeof TenantList.Encoded

/** A view lives as long as its controller's signal. */
export type View = (root: HTMLElement, signal: AbortSignal, parameter: string) => void
