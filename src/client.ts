/**
 * A client of the HTTP interface for Effect programs: typed by the same contract that the server is built from, with the common
 * steps that every program would otherwise write itself.
 */
import { Array as Arr, Context, Duration, Effect, Layer, Option, Redacted, Schema, Stream } from "effect"
import {
  FetchHttpClient,
  HttpBody,
  HttpClient,
  HttpClientError,
  HttpClientRequest,
  HttpClientResponse,
  UrlParams
} from "effect/http"
import { HttpApiClient } from "effect/http-api"
import type { ApiKey, ApiKeyId } from "./domain/tenant/ApiKey.ts"
import { type DocumentStatus, isTerminal } from "./domain/document/Document.ts"
import { type RenderedText, type RenderQuery, renderWith } from "./client/RenderDocument.ts"
import { requireOneEffect } from "./domain/EffectCopy.ts"
import type { DocumentId, TenantId } from "./domain/Ids.ts"
import type { PageView } from "./domain/document/Page.ts"
import type { TenantState } from "./domain/tenant/TenantState.ts"
import { Api } from "./http/api/Api.ts"
import type { DocumentList, DocumentView } from "./http/api/views/DocumentView.ts"
import type { IssuedKeyView } from "./http/api/Keys.ts"
import { type AcceptedDocument, DocumentOutcome } from "./http/api/views/SubmitOutcome.ts"
import type { QueueStatusView } from "./http/api/Queue.ts"
import type { TenantChange } from "./http/api/Tenants.ts"
import { textHeaders } from "./http/handlers/pages/TextGaps.ts"

export { Api } from "./http/api/Api.ts"
export type { RenderedText, RenderQuery } from "./client/RenderDocument.ts"
export { DocumentId, TenantId } from "./domain/Ids.ts"

const problemFields = {
  code: Schema.String,
  detail: Schema.String,
  advice: Schema.optionalKey(Schema.String),
  limit: Schema.optionalKey(Schema.Finite),
  /** Seconds. */
  retryAfter: Schema.optionalKey(Schema.Natural),
  documents: Schema.optionalKey(Schema.Array(DocumentOutcome))
}

/** The server refused the request with a problem, whatever the endpoint. Branch on `code`. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { status: Schema.Int, ...problemFields }) {
  override get message() {
    return `${this.code}: ${this.detail}`
  }
}

/** There was no answer: no server listens at the address, or the connection was lost. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.url} cannot be reached: ${this.reason}`
  }
}

/** The answer does not follow this client's contract: it came from another program or an incompatible Sluice. */
export class UnexpectedAnswer extends Schema.TaggedError<UnexpectedAnswer>()("UnexpectedAnswer", {
  url: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.url} gave an unexpected answer: ${this.detail}`
  }
}

/** The base URL is not usable. The error does not contain it, because it may contain a secret. */
export class InvalidBaseUrl extends Schema.TaggedError<InvalidBaseUrl>()("InvalidBaseUrl", {
  why: Schema.Literals(["url", "credentials"])
}) {
  override get message() {
    return this.why === "url"
      ? "baseUrl is no http(s) URL"
      : "baseUrl contains credentials, which no HTTP client sends: pass an apiKey instead"
  }
}

export type ClientError = Refused | Unreachable | UnexpectedAnswer

/** True when the same request may succeed later: the server is overloaded, starting or stopping. */
export const isBusy = (error: unknown): error is Refused =>
  error instanceof Refused && (error.status === 429 || error.status === 503)

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

export interface ListOptions extends Omit<ListQuery, "status"> {
  /** Only documents in this state, or in one of these. */
  readonly status?: DocumentStatus | ReadonlyArray<DocumentStatus> | undefined
}

const shortest = Duration.millis(100)

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
  readonly render: (id: DocumentId, query: RenderQuery) => Effect.Effect<RenderedText<ClientError>, ClientError>
  /** The documents of the tenant, newest first. If there are more, `nextCursor` is the `cursor` of the next list. */
  readonly list: (options?: ListOptions) => Effect.Effect<typeof DocumentList.Type, ClientError>
  /** Cancels a document; one that has ended is not changed. Returns the document afterwards. */
  readonly cancel: (id: DocumentId) => Effect.Effect<typeof DocumentView.Type, ClientError>
  readonly retry: (id: DocumentId, password?: Redacted.Redacted) => Effect.Effect<typeof DocumentView.Type, ClientError>
  readonly queue: (scope?: "all") => Effect.Effect<typeof QueueStatusView.Type, ClientError>
  /** The limits, use and received share of a tenant; by default the caller's own. */
  readonly tenant: (tenant?: TenantId) => Effect.Effect<TenantState, ClientError>
  readonly changeTenant: (tenant: TenantId, change: typeof TenantChange.Type) => Effect.Effect<TenantState, ClientError>
  /** The valid keys of a tenant. If the server requires keys, this and the following need the administrator's key. */
  readonly keys: (tenant: TenantId) => Effect.Effect<ReadonlyArray<ApiKey>, ClientError>
  /** Makes a key. Its secret is returned only here. */
  readonly createKey: (tenant: TenantId, name: string) => Effect.Effect<typeof IssuedKeyView.Type, ClientError>
  readonly revokeKey: (tenant: TenantId, key: ApiKeyId) => Effect.Effect<void, ClientError>
}

const decodeProblem = Schema.decodeUnknownOption(Schema.Struct({ status: Schema.Int, ...problemFields }))
const decodeSeconds = Schema.decodeUnknownOption(Schema.NumberFromString.pipe(Schema.decodeTo(Schema.Natural)))

const wordsOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  if (Schema.isSchemaError(cause)) return cause.message.replace(/\s+/g, " ")
  if (cause.message === "" || cause.message === "fetch failed") {
    const inner = cause instanceof AggregateError ? cause.errors[0] : cause.cause
    if (inner !== undefined) return wordsOf(inner)
  }
  return cause.message || cause.name
}

/** Maps any failure of a request, whatever the endpoint declares, to one of three errors. */
const clientError = Effect.fnUntraced(function* (url: string, error: unknown) {
  const declared = decodeProblem(error)
  if (Option.isSome(declared)) return new Refused(declared.value)
  if (!HttpClientError.isHttpClientError(error)) return new UnexpectedAnswer({ url, detail: wordsOf(error) })
  const { reason, response } = error
  if (response === undefined) {
    return new Unreachable({ url, reason: "cause" in reason ? wordsOf(reason.cause) : reason.message })
  }
  const body = yield* Effect.option(response.json)
  const problem = Option.flatMap(body, decodeProblem)
  if (Option.isSome(problem)) return new Refused(problem.value)
  const { headers, status } = response
  if (status < 400) return new UnexpectedAnswer({ url, detail: wordsOf(error) })
  const retryAfter = Option.getOrUndefined(decodeSeconds(headers["retry-after"]))
  return new Refused({
    status,
    code: `HTTP_${status}`,
    detail: "the answer is no problem document; something between here and Sluice may have sent it",
    ...(retryAfter === undefined ? {} : { retryAfter })
  })
})

const decodeUpload = HttpApiClient.decodeResponse(Api, { group: "documents", endpoint: "upload" })

/** The part of the address that may appear in messages. */
const originOf = Effect.fnUntraced(function* (baseUrl: string) {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return yield* new InvalidBaseUrl({ why: "url" })
  if (url.username !== "" || url.password !== "") return yield* new InvalidBaseUrl({ why: "credentials" })
  return url.origin
})

export const make = Effect.fn("SluiceClient.make")(function* ({ apiKey, baseUrl, tenant }: ClientOptions) {
  yield* requireOneEffect
  const url = baseUrl.toString()
  const shown = yield* originOf(url)
  const withHeaders = (request: HttpClientRequest.HttpClientRequest) => {
    const named = tenant === undefined ? request : HttpClientRequest.setHeader(request, "x-tenant-id", tenant)
    return apiKey === undefined ? named : HttpClientRequest.bearerToken(named, apiKey)
  }
  const http = HttpClient.mapRequest(yield* HttpClient.HttpClient, withHeaders)
  const api = yield* HttpApiClient.makeWith(Api, { httpClient: http, baseUrl })

  const asked = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, ClientError, R> =>
    Effect.catch(effect, (error) => Effect.flatMap(clientError(shown, error), Effect.fail))

  const urlOf = (path: string) => `${url.replace(/\/+$/, "")}${path}`

  const status = (id: DocumentId) => asked(api.documents.status({ params: { id }, query: {}, headers: {} }))

  const ingest = Effect.fn("SluiceClient.ingest")(function* <E, R>(
    bytes: Uint8Array | Stream.Stream<Uint8Array, E, R>,
    { force, idempotencyKey, name, password, size, ...parameters }: IngestOptions
  ) {
    const context = yield* Effect.context<R>()
    let broken: { readonly error: E } | undefined
    const body = Stream.isStream(bytes)
      ? HttpBody.stream(
          bytes.pipe(
            Stream.tapError((error) => Effect.sync(() => (broken = { error }))),
            Stream.provideContext(context)
          ),
          "application/pdf",
          size
        )
      : HttpBody.uint8Array(bytes, "application/pdf")
    const query = UrlParams.fromInput({ name, ...parameters, ...(force === undefined ? {} : { force: String(force) }) })
    const request = HttpClientRequest.post(`${url.replace(/\/+$/, "")}/v1/documents`, {
      body,
      urlParams: query,
      headers: {
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
        ...(password === undefined ? {} : { "x-pdf-password": Redacted.value(password) })
      }
    })
    const { documents } = yield* asked(
      Effect.flatMap(http.execute(request), (response) => decodeUpload(response))
    ).pipe(Effect.mapError((error) => (broken === undefined ? error : broken.error)))
    const outcome = documents[0]
    if (outcome === undefined) return yield* new UnexpectedAnswer({ url: shown, detail: "it tells of no document" })
    if ("id" in outcome) return outcome
    const { message, ...known } = outcome.error
    return yield* new Refused({ status: 422, detail: message, ...known })
  })

  const follow = (id: DocumentId, { longest = "5 seconds", patience = 10 }: FollowOptions = {}) =>
    Stream.paginate({ delay: Duration.zero, failures: 0 }, ({ delay, failures }) =>
      Effect.gen(function* () {
        if (Duration.isGreaterThan(delay, Duration.zero)) yield* Effect.sleep(delay)
        const later = Duration.min(
          Duration.max(Duration.times(delay, 1.5), shortest),
          Duration.fromInputUnsafe(longest)
        )
        const seen = yield* Effect.result(status(id))
        if (seen._tag === "Success") {
          const next = isTerminal(seen.success.status) ? Option.none() : Option.some({ delay: later, failures: 0 })
          return [[seen.success], next] as const
        }
        const error = seen.failure
        const passing = isBusy(error) || error._tag === "Unreachable"
        if (!passing || failures >= patience) return yield* error
        const wanted = isBusy(error) ? Duration.seconds(error.retryAfter ?? 0) : Duration.zero
        return [[], Option.some({ delay: Duration.max(later, wanted), failures: failures + 1 })] as const
      })
    )

  const waitFor = Effect.fn("SluiceClient.waitFor")(function* (id: DocumentId, options?: FollowOptions) {
    const last = yield* Stream.runLast(follow(id, options))
    return yield* Option.match(last, { onSome: Effect.succeed, onNone: () => status(id) })
  })

  const pages = (id: DocumentId, { lines = false }: { readonly lines?: boolean } = {}) =>
    Stream.paginate(1, (from) =>
      Effect.map(
        asked(
          api.pages.pages({
            params: { id },
            query: { from, limit: 100, ...(lines ? { detail: "lines" as const } : {}) },
            headers: {}
          })
        ),
        ({ next, pages: found }) =>
          // Summaries are never requested; this narrows the type.
          [found.flatMap((page) => ("text" in page ? [page] : [])), Option.fromUndefinedOr(next)] as const
      )
    )

  const text = Effect.fn("SluiceClient.text")(function* (
    id: DocumentId,
    { mark }: { readonly mark?: "missing" | undefined } = {}
  ) {
    const request = HttpClientRequest.get(urlOf(`/v1/documents/${id}/text`), {
      urlParams: mark === undefined ? {} : { mark }
    })
    const { headers, stream } = yield* asked(Effect.flatMap(http.execute(request), HttpClientResponse.filterStatusOk))
    const { [textHeaders.incomplete]: incomplete, [textHeaders.missing]: missing } = headers
    const answer: DocumentText = {
      complete: headers[textHeaders.text] === "complete",
      status: headers[textHeaders.status] ?? "unknown",
      ...(missing === undefined ? {} : { missing }),
      ...(incomplete === undefined ? {} : { incomplete }),
      text: stream.pipe(
        Stream.decodeText,
        Stream.catch((error) => Stream.unwrap(Effect.map(clientError(shown, error), Stream.fail)))
      )
    }
    return answer
  })

  const cancel = Effect.fn("SluiceClient.cancel")((id: DocumentId) =>
    asked(api.documents.cancel({ params: { id }, query: {}, headers: {} }))
  )

  const retry = Effect.fn("SluiceClient.retry")((id: DocumentId, password?: Redacted.Redacted) =>
    asked(
      api.documents.retry({
        params: { id },
        query: {},
        headers: {},
        // The schema of the contract requires this label.
        payload:
          password === undefined ? {} : { password: Redacted.make(Redacted.value(password), { label: "password" }) }
      })
    )
  )

  return SluiceClient.of({
    api,
    ingest,
    status,
    follow,
    waitFor,
    pages,
    text,
    render: renderWith({ http, urlOf, ask: asked }),
    list: ({ status, ...query } = {}) =>
      asked(
        api.documents.list({
          query: status === undefined ? query : { ...query, status: Arr.ensure(status) },
          headers: {}
        })
      ),
    cancel,
    retry,
    queue: (scope) => asked(api.queue.queueStatus({ query: scope === undefined ? {} : { scope }, headers: {} })),
    tenant: (name) =>
      name === undefined
        ? asked(api.tenants.own({ query: {}, headers: {} }))
        : asked(api.tenants.find({ params: { tenant: name }, query: {}, headers: {} })),
    changeTenant: (name, change) =>
      asked(api.tenants.change({ params: { tenant: name }, query: {}, headers: {}, payload: change })),
    keys: (of) =>
      Effect.map(asked(api.keys.list({ params: { tenant: of }, query: {}, headers: {} })), (answer) => answer.keys),
    createKey: (of, name) =>
      asked(api.keys.create({ params: { tenant: of }, query: {}, headers: {}, payload: { name } })),
    revokeKey: (of, key) => asked(api.keys.revoke({ params: { tenant: of, key }, query: {}, headers: {} }))
  })
})

export class SluiceClient extends Context.Service<SluiceClient, Interface>()("sluice/client/SluiceClient") {
  /** Uses the HTTP client from the context. */
  static readonly layerNoDeps = (options: ClientOptions) => Layer.effect(SluiceClient, make(options))
  /** Uses `fetch`. */
  static readonly layer = (options: ClientOptions) =>
    SluiceClient.layerNoDeps(options).pipe(Layer.provide(FetchHttpClient.layer))
}
