// What the typed client offers.
import type { Duration, Effect, Redacted, Stream } from "effect"
import type { HttpApiClient } from "effect/http-api"
import type { ApiKey, ApiKeyId } from "../domain/tenant/ApiKey.ts"
import type { SearchAnswer, SearchRequest } from "../domain/search/Search.ts"
import type { Chunk } from "../domain/chunk/Chunk.ts"
import type { DocumentStatus } from "../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import type { DownstreamName, DownstreamState } from "../domain/downstream/Downstream.ts"
import type { PipelineName, StageName, StageVersion } from "../domain/pipeline/Pipeline.ts"
import type { PageView } from "../domain/document/Page.ts"
import type { TenantState } from "../domain/tenant/TenantState.ts"
import type { Api } from "../http/api/Api.ts"
import type { RetriedDocuments } from "../http/api/Documents.ts"
import type { ArtifactView } from "../http/api/pipelines/Artifacts.ts"
import type { PipelineList } from "../http/api/pipelines/Pipelines.ts"
import type { StreamedEvent } from "../http/api/Events.ts"
import type { DocumentList, DocumentView } from "../http/api/views/DocumentView.ts"
import type { IssuedKeyView } from "../http/api/Keys.ts"
import type { AcceptedDocument } from "../http/api/views/SubmitOutcome.ts"
import type { QueueStatusView } from "../http/api/Queue.ts"
import type { RunnersView } from "../http/api/Workers.ts"
import type { UsageList } from "../http/api/downstreams/Usage.ts"
import type { DownstreamChange } from "../http/api/downstreams/Downstreams.ts"
import type { TenantChange } from "../http/api/Tenants.ts"
import type { ClientError } from "./ClientErrors.ts"

export interface ClientOptions {
  /** `http://127.0.0.1:3000`. With credentials, or if it is no http(s) URL, the client fails with `InvalidBaseUrl`. */
  readonly baseUrl: string | URL
  /** The server's default tenant when absent. */
  readonly tenant?: TenantId | undefined
  /** Sent as `Authorization: Bearer …`, for a server or a proxy that asks for it. */
  readonly apiKey?: Redacted.Redacted | undefined
}

export interface IngestOptions {
  readonly name: string
  /** The number of bytes in a stream, if known: the server can then refuse the upload before reading it. */
  readonly size?: number | undefined
  /** 0 to 9; 5 when absent. */
  readonly priority?: number | undefined
  /** Makes a new document even if the server already has the bytes. */
  readonly force?: boolean | undefined
  readonly password?: Redacted.Redacted | undefined
  readonly callback?: string | undefined
  readonly idempotencyKey?: string | undefined
  /** The stages that it goes through; those of the server's default pipeline when absent. */
  readonly pipeline?: PipelineName | undefined
}

/** Which artifacts are meant: those of one stage, of one page (0: of the document as a whole), or all. */
export interface ArtifactsOf {
  readonly stage?: StageName
  readonly page?: number
}

/** One artifact: of a page, or of the document as a whole; the one that was made last, unless a version is named. */
export interface ArtifactOf {
  readonly stage: StageName
  readonly page?: number | undefined
  readonly version?: StageVersion | undefined
}

export interface StageOf {
  readonly stage: StageName
  /** Only what this version has made is made again. */
  readonly version?: StageVersion
}

export interface ImageOf {
  /** 150 when absent. */
  readonly dpi?: number | undefined
  /** `png` when absent. */
  readonly format?: "png" | "webp" | undefined
  readonly password?: Redacted.Redacted | undefined
}

/** Bytes and what they are. */
export interface ContentOf {
  readonly mediaType: string
  readonly bytes: Stream.Stream<Uint8Array, ClientError>
}

export interface DocumentText {
  /** False when the document is not `completed`, when a page's text may be missing, or when a page has warnings. */
  readonly complete: boolean
  readonly status: string
  /** Pages such as `3,7-9`; absent when there are none. */
  readonly missing?: string
  /** Pages with warnings, in the same form. */
  readonly incomplete?: string
  /** Form feeds separate the pages. */
  readonly text: Stream.Stream<string, ClientError>
}

export interface FollowOptions {
  /** The longest time between two polls; the first polls follow each other faster. */
  readonly longest?: Duration.Input | undefined
  /** How many polls in a row may fail because the server is busy or unreachable. */
  readonly patience?: number | undefined
}

type ListQuery = Parameters<HttpApiClient.ForApi<typeof Api>["documents"]["list"]>[0]["query"]

/** A stage, states, and the part of many documents. */
export type RetryQuery = Parameters<HttpApiClient.ForApi<typeof Api>["documents"]["retryMany"]>[0]["query"]

/** Days, what is summed by, and the part of a long answer. */
export type UsageQuery = Parameters<HttpApiClient.ForApi<typeof Api>["usage"]["list"]>[0]["query"]

export interface ListOptions extends Omit<ListQuery, "status"> {
  /** Only documents in this state, or in one of these. */
  readonly status?: DocumentStatus | ReadonlyArray<DocumentStatus> | undefined
}

export interface RenderQuery {
  readonly format: "markdown" | "html" | "json"
  /** The first and the last page; all when absent. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Running headers and footers and page numbers are left out unless `keep`. Not for `json`, as those that follow. */
  readonly headers?: "keep" | undefined
  /** `drop` leaves out text that a reader of the page does not see. */
  readonly hidden?: "drop" | undefined
  /** Bold and italic are shown if `keep`. */
  readonly emphasis?: "keep" | undefined
  /** Pages without text, or with an incomplete one, are marked. */
  readonly mark?: "missing" | undefined
}

export interface SearchQuery extends Omit<SearchRequest, "query"> {
  /** How long the caller waits: what takes longer is left out, as the answer says. */
  readonly deadline?: Duration.Input | undefined
}

export interface ChunksQuery {
  /** The most tokens of a chunk; 512 when absent. */
  readonly tokens?: number | undefined
  /** Only chunks on one of these pages. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** What is missing of a rendering, and its text. */
export interface RenderedText {
  /** False when the document is not `completed`, when a page's text may be missing, or when a page has warnings. */
  readonly complete: boolean
  readonly status: string
  /** Pages such as `3,7-9`; absent when there are none. So are the next two. */
  readonly missing?: string
  /** Pages with warnings. */
  readonly incomplete?: string
  /** Pages that were rendered from their text, as they were read without their layout. */
  readonly withoutLayout?: string
  readonly text: Stream.Stream<string, ClientError>
}

/** An event, with the `id` after which a later stream may go on. */
export type DocumentEvent = StreamedEvent

export interface EventsOf {
  readonly id?: DocumentId | undefined
  readonly scope?: "all" | undefined
  /** The `id` of the last event received. */
  readonly after?: number | undefined
}

export interface Interface {
  /** Every endpoint of the contract, with its own errors. */
  readonly api: HttpApiClient.ForApi<typeof Api>
  /** Sends one PDF. On success the document is durable. Does not retry, because the stream may not be repeatable. */
  readonly ingest: <E = never, R = never>(
    bytes: Uint8Array | Stream.Stream<Uint8Array, E, R>,
    options: IngestOptions
  ) => Effect.Effect<typeof AcceptedDocument.Type, ClientError | E, R>
  readonly status: (id: DocumentId) => Effect.Effect<typeof DocumentView.Type, ClientError>
  /** Polls the document at growing intervals; ends when the document has ended. */
  readonly follow: (id: DocumentId, options?: FollowOptions) => Stream.Stream<typeof DocumentView.Type, ClientError>
  /** The document once it has ended. */
  readonly waitFor: (id: DocumentId, options?: FollowOptions) => Effect.Effect<typeof DocumentView.Type, ClientError>
  /** Every page that has a result, in order. */
  readonly pages: (id: DocumentId, options?: { readonly lines?: boolean }) => Stream.Stream<PageView, ClientError>
  /** The text of the finished pages, and whether it is complete. With `mark`, pages without text are marked in their places. */
  readonly text: (
    id: DocumentId,
    options?: { readonly mark?: "missing" | undefined }
  ) => Effect.Effect<DocumentText, ClientError>
  /** The finished pages as Markdown, HTML or JSON, and what is missing of them. */
  readonly render: (id: DocumentId, query: RenderQuery) => Effect.Effect<RenderedText, ClientError>
  /** The document in chunks, in order. */
  readonly chunks: (id: DocumentId, options?: ChunksQuery) => Stream.Stream<Chunk, ClientError>
  /** The best chunks of the tenant's documents. */
  readonly search: (query: string, options?: SearchQuery) => Effect.Effect<SearchAnswer, ClientError>
  /** The documents of the tenant, newest first. If there are more, `nextCursor` is the `cursor` of the next list. */
  readonly list: (options?: ListOptions) => Effect.Effect<typeof DocumentList.Type, ClientError>
  /** Cancels a document; one that has ended is not changed. Returns the document afterwards. */
  readonly cancel: (id: DocumentId) => Effect.Effect<typeof DocumentView.Type, ClientError>
  readonly retry: (id: DocumentId, password?: Redacted.Redacted) => Effect.Effect<typeof DocumentView.Type, ClientError>
  /** Removes a document with all that was made of it; one that has not ended is cancelled first. */
  readonly remove: (id: DocumentId) => Effect.Effect<void, ClientError>
  /**
   * What happens from now on: to one document until its end, its earlier pages included; or to all of the tenant, or of all
   * tenants with `scope: "all"`, without end.
   */
  readonly events: (of?: EventsOf) => Stream.Stream<DocumentEvent, ClientError>
  /** The pipelines that documents may name, and the default. */
  readonly pipelines: Effect.Effect<typeof PipelineList.Type, ClientError>
  /** What stages made of a document, without contents. */
  readonly artifacts: (id: DocumentId, of?: ArtifactsOf) => Stream.Stream<typeof ArtifactView.Type, ClientError>
  /** The content of one of them. */
  readonly artifact: (id: DocumentId, of: ArtifactOf) => Effect.Effect<ContentOf, ClientError>
  /** Runs a stage of a document again, also of one that is completed. */
  readonly retryStage: (
    id: DocumentId,
    of: StageOf,
    password?: Redacted.Redacted
  ) => Effect.Effect<typeof DocumentView.Type, ClientError>
  /** Retries a part of the tenant's documents, or runs a stage of them again; `nextCursor` is the `cursor` of the next part. */
  readonly retryDocuments: (query?: RetryQuery) => Effect.Effect<typeof RetriedDocuments.Type, ClientError>
  /** A page as an image. */
  readonly image: (id: DocumentId, page: number, of?: ImageOf) => Effect.Effect<ContentOf, ClientError>
  readonly thumbnail: (id: DocumentId, page: number) => Effect.Effect<ContentOf, ClientError>
  readonly queue: (scope?: "all") => Effect.Effect<typeof QueueStatusView.Type, ClientError>
  /** The processes of the engine; takes the administrator's key. */
  readonly runners: Effect.Effect<(typeof RunnersView.Type)["runners"], ClientError>
  /** The limits, use and received share of a tenant; by default the caller's own. */
  readonly tenant: (tenant?: TenantId) => Effect.Effect<TenantState, ClientError>
  /** All downstreams, by their names. Only with the administrator's key, as the next two. */
  readonly downstreams: Effect.Effect<ReadonlyArray<DownstreamState>, ClientError>
  readonly downstream: (name: DownstreamName) => Effect.Effect<DownstreamState, ClientError>
  /** Changes what a downstream may be asked for, until the server ends. */
  readonly changeDownstream: (
    name: DownstreamName,
    change: DownstreamChange
  ) => Effect.Effect<DownstreamState, ClientError>
  /** What was used: of the tenant, or with `scope: "all"` of all. */
  readonly usage: (query?: UsageQuery) => Effect.Effect<typeof UsageList.Type, ClientError>
  readonly changeTenant: (tenant: TenantId, change: typeof TenantChange.Type) => Effect.Effect<TenantState, ClientError>
  /** The valid keys of a tenant. If the server requires keys, this and the following need the administrator's key. */
  readonly keys: (tenant: TenantId) => Effect.Effect<ReadonlyArray<ApiKey>, ClientError>
  /** Makes a key. Its secret is returned only here. */
  readonly createKey: (tenant: TenantId, name: string) => Effect.Effect<typeof IssuedKeyView.Type, ClientError>
  readonly revokeKey: (tenant: TenantId, key: ApiKeyId) => Effect.Effect<void, ClientError>
}
