import { Context, Effect, Schema, type Stream } from "effect"
import type { Chunk } from "../../domain/chunk/Chunk.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"

/** The index cannot be asked or changed just now, or there is none here. */
export class SearchUnavailable extends Schema.TaggedError<SearchUnavailable>()("SearchUnavailable", {
  detail: Schema.String
}) {
  override get message() {
    return `the search index: ${this.detail}`
  }
}

export interface DocumentKey {
  readonly tenant: TenantId
  readonly document: DocumentId
}

export interface PutDocument extends DocumentKey {
  /** Differs when the chunks, or the model that makes the vectors, do. */
  readonly version: string
  /** Who makes the vectors, if there are any. */
  readonly model?: string | undefined
}

/** A chunk with what a model made of it, if one was asked. */
export interface IndexEntry {
  readonly chunk: Chunk
  readonly vector?: Float32Array | undefined
}

/** A vector of a query; only vectors of the same model are near it. */
export interface QueryVector {
  readonly model: string
  readonly values: Float32Array
}

export interface IndexQuery {
  /** Any text; nothing in it is syntax. */
  readonly text: string
  /** Only in these documents. */
  readonly documents?: ReadonlyArray<DocumentId> | undefined
  /** Only chunks on one of these pages. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly limit: number
  /** Also chunks that are near it. */
  readonly vector?: QueryVector | undefined
}

export interface IndexHit {
  readonly document: DocumentId
  readonly chunk: Chunk
  /** Higher is better: 1 is first by every measure. */
  readonly score: number
}

export interface IndexFigures {
  readonly documents: number
  readonly chunks: number
  /** Chunks with vectors of any model. */
  readonly vectors: number
}

/** The words and vectors of documents, by tenant. No call of one tenant sees anything of another. */
export interface SearchIndexShape {
  /**
   * Puts the document in, in place of what the index has of it. Searches find all of it or what was there before, and the
   * latter also if it fails. Each portion is kept: when the same `version` is put in again after a failure or a crash,
   * `entries` is asked for those after the first `have` only. Answers with how many chunks the document has.
   */
  readonly replace: <E, R>(
    put: PutDocument,
    entries: (have: number) => Stream.Stream<ReadonlyArray<IndexEntry>, E, R>
  ) => Effect.Effect<number, SearchUnavailable | E, R>
  /** When it has succeeded, no search finds the document. */
  readonly remove: (key: DocumentKey) => Effect.Effect<void, SearchUnavailable>
  /** The best first. */
  readonly search: (tenant: TenantId, query: IndexQuery) => Effect.Effect<ReadonlyArray<IndexHit>, SearchUnavailable>
  /** The documents of all tenants, in an order of their own: those after this one, also those that are being put in. */
  readonly documents: (
    after: DocumentKey | undefined,
    limit: number
  ) => Effect.Effect<ReadonlyArray<DocumentKey>, SearchUnavailable>
  /** Of the tenant, or of all. */
  readonly figures: (tenant?: TenantId) => Effect.Effect<IndexFigures, SearchUnavailable>
}

const absent = Effect.fail(new SearchUnavailable({ detail: "there is none here" }))

/** Unless one is provided there is none: nothing is found, put in or removed. */
export const SearchIndex = Context.Reference<SearchIndexShape>("sluice/services/search/SearchIndex", {
  defaultValue: () => ({
    replace: () => absent,
    remove: () => Effect.void,
    search: () => absent,
    documents: () => Effect.succeed([]),
    figures: () => absent
  })
})
