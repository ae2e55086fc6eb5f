// The chunks of a document, made of its stored pages when they are asked for: of its pages, one portion is in memory at a time.
import { Cache, type Context, Effect, Stream } from "effect"
import type { Chunk } from "../../domain/chunk/Chunk.ts"
import { defaultChunkTokens } from "../../domain/chunk/Chunk.ts"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { ChunkingShape, ChunkingUnavailable } from "../../services/chunks/Chunking.ts"
import type { Documents } from "../../services/store/Documents.ts"
import type { DocumentNotFound, StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { allPages, pageResults } from "../renderings/DocumentPages.ts"

type Store = Context.Service.Shape<typeof Documents>

export interface ChunkOptions {
  /** The most tokens of a chunk. */
  readonly tokens?: number | undefined
  /** Only chunks that are on one of these pages. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Keeps the chunks for a minute if the document has ended and is not long: answers in parts ask for them again. */
  readonly keep?: boolean | undefined
}

export type DocumentChunks = Stream.Stream<Chunk, DocumentNotFound | StoreUnavailable | ChunkingUnavailable>

const divided = (store: Store, chunking: ChunkingShape, document: Document, tokens: number): DocumentChunks =>
  Stream.unwrap(
    Effect.gen(function* () {
      const pages = () => Stream.map(pageResults(store, document, allPages), (page) => [page])
      const job = yield* chunking.open({ document: document.blob ?? document.id, tokens })
      yield* Stream.runForEach(pages(), job.see)
      yield* job.seen(document.outline ?? [])
      return Stream.concat(Stream.mapEffect(pages(), job.divide), Stream.fromEffect(job.end)).pipe(
        Stream.flatMap(Stream.fromIterable)
      )
    })
  )

/** Documents whose chunks are kept, and the most characters of those of one. */
const mostKept = 4
const mostCharacters = 1024 * 1024

/** `version` differs once the document has other pages. */
interface Key {
  readonly tenant: TenantId
  readonly id: DocumentId
  readonly tokens: number
  readonly version: string
}

/** All chunks if there are not too many. */
const collect = Effect.fnUntraced(function* (store: Store, chunking: ChunkingShape, { id, tenant, tokens }: Key) {
  const document = yield* store.find(tenant, id, "outline")
  const chunks: Array<Chunk> = []
  let characters = 0
  yield* divided(store, chunking, document, tokens).pipe(
    Stream.takeWhile(() => characters <= mostCharacters),
    Stream.runForEach((chunk) =>
      Effect.sync(() => {
        chunks.push(chunk)
        characters += chunk.text.length + chunk.context.length + 200
      })
    )
  )
  return characters > mostCharacters ? undefined : chunks
})

export const makeChunkDocument = Effect.fnUntraced(function* (store: Store, chunking: ChunkingShape) {
  const kept = yield* Cache.make({
    capacity: mostKept,
    timeToLive: "1 minute",
    lookup: (key: Key) => collect(store, chunking, key)
  })
  return Effect.fn("Ingestion.chunks")(function* (tenant: TenantId, id: DocumentId, options: ChunkOptions) {
    const document = yield* store.find(tenant, id, "outline")
    const { from = 1, keep = false, to = Number.POSITIVE_INFINITY, tokens = defaultChunkTokens } = options
    const { attempt, progress, retries, status } = document
    const key: Key = { tenant, id, tokens, version: `${attempt} ${retries} ${progress.done}` }
    const all: DocumentChunks =
      keep && isTerminal(status)
        ? Stream.unwrap(
            Effect.map(Cache.get(kept, key), (chunks) =>
              chunks === undefined ? divided(store, chunking, document, tokens) : Stream.fromIterable(chunks)
            )
          )
        : divided(store, chunking, document, tokens)
    return Stream.filter(all, ({ pages: [first, last] }) => last >= from && first <= to)
  })
})
