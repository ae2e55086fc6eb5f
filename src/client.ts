/**
 * A client of the HTTP interface for Effect programs: typed by the same contract that the server is built from, with the common
 * steps that every program would otherwise write itself.
 */
import { Array as Arr, Context, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { administrationWith } from "./client/Administration.ts"
import type { ClientOptions, Interface } from "./client/ClientInterface.ts"
import { makeConnection } from "./client/Connection.ts"
import { eventsWith } from "./client/Events.ts"
import { followWith, waitForWith } from "./client/Follow.ts"
import { ingestWith } from "./client/Ingest.ts"
import { chunksWith } from "./client/ReadChunks.ts"
import { pagesWith, textWith } from "./client/ReadPages.ts"
import { renderWith } from "./client/RenderDocument.ts"
import { searchWith } from "./client/Search.ts"
import { stagesWith } from "./client/Stages.ts"
import { requireOneEffect } from "./domain/EffectCopy.ts"
import type { DocumentId } from "./domain/Ids.ts"

export { Api } from "./http/api/Api.ts"
export { DocumentId, TenantId } from "./domain/Ids.ts"
export {
  type ClientError,
  InvalidBaseUrl,
  isBusy,
  Refused,
  UnexpectedAnswer,
  Unreachable
} from "./client/ClientErrors.ts"
export { PipelineName, StageName, StageVersion } from "./domain/pipeline/Pipeline.ts"
export type {
  ChunksQuery,
  ArtifactOf,
  ArtifactsOf,
  ClientOptions,
  ContentOf,
  DocumentEvent,
  DocumentText,
  EventsOf,
  FollowOptions,
  ImageOf,
  IngestOptions,
  Interface,
  ListOptions,
  RenderedText,
  RenderQuery,
  SearchQuery,
  RetryQuery,
  StageOf
} from "./client/ClientInterface.ts"

export const make = Effect.fn("SluiceClient.make")(function* (options: ClientOptions) {
  yield* requireOneEffect
  const connection = yield* makeConnection(options)
  const { api, ask } = connection
  const status = (id: DocumentId) => ask(api.documents.status({ params: { id }, query: {}, headers: {} }))
  const follow = followWith(status)

  const cancel = Effect.fn("SluiceClient.cancel")((id: DocumentId) =>
    ask(api.documents.cancel({ params: { id }, query: {}, headers: {} }))
  )

  const removeOnce = (id: DocumentId) => ask(api.documents.remove({ params: { id }, query: {}, headers: {} }))
  const remove = Effect.fn("SluiceClient.remove")(function* (id: DocumentId) {
    // A document that had not ended is cancelled by the first request, and removed by the second.
    if ((yield* removeOnce(id)) !== undefined) yield* removeOnce(id)
  })

  const retry = Effect.fn("SluiceClient.retry")((id: DocumentId, password?: Redacted.Redacted) =>
    ask(
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
    ingest: ingestWith(connection),
    status,
    follow,
    waitFor: waitForWith(status, follow),
    pages: pagesWith(connection),
    text: textWith(connection),
    render: renderWith(connection),
    chunks: chunksWith(connection),
    search: searchWith(connection),
    list: ({ status, ...query } = {}) =>
      ask(
        api.documents.list({
          query: status === undefined ? query : { ...query, status: Arr.ensure(status) },
          headers: {}
        })
      ),
    cancel,
    retry,
    remove,
    events: eventsWith(connection),
    ...stagesWith(connection),
    queue: (scope) => ask(api.queue.queueStatus({ query: scope === undefined ? {} : { scope }, headers: {} })),
    ...administrationWith(connection)
  })
})

export class SluiceClient extends Context.Service<SluiceClient, Interface>()("sluice/client/SluiceClient") {
  /** Uses the HTTP client from the context. */
  static readonly layerNoDeps = (options: ClientOptions) => Layer.effect(SluiceClient, make(options))
  /** Uses `fetch`. */
  static readonly layer = (options: ClientOptions) =>
    SluiceClient.layerNoDeps(options).pipe(Layer.provide(FetchHttpClient.layer))
}
