/**
 * The index in a SQLite database of its own, with two threads: one changes it, the other answers searches on a connection that only
 * reads. So neither the process nor a search waits for what is put in. The threads start when they are first needed.
 */
import { Effect, Layer, Schema, Semaphore, Stream } from "effect"
import { existsSync } from "node:fs"
import { Chunk } from "../../domain/chunk/Chunk.ts"
import { DocumentId, TenantId } from "../../domain/Ids.ts"
import {
  type DocumentKey,
  type IndexEntry,
  type IndexHit,
  type PutDocument,
  SearchIndex,
  type SearchIndexShape
} from "../../services/search/SearchIndex.ts"
import type { IndexCall, NamedDocument, NamedHit } from "./IndexMessages.ts"
import { makeIndexThreads } from "./IndexThreads.ts"
import type { Begun } from "./IndexWriter.ts"

const decodeChunk = Schema.decodeUnknownSync(Schema.fromJsonString(Chunk))

/** How often, in steps of 5 ms, a portion waits for searches that are under way. */
const longestCourtesy = 40

export const make = Effect.fnUntraced(function* (filename: string) {
  const { ask, pendingReads } = yield* makeIndexThreads(filename)
  const write = <A>(call: IndexCall) => ask<A>("writer", call)
  let isPrepared = false
  // The tables have to be there before they are read.
  const prepare = Effect.suspend(() =>
    isPrepared ? Effect.void : Effect.map(write<void>({ _tag: "prepare" }), () => void (isPrepared = true))
  )
  /** Nothing was ever put in: no thread has to start to say so. */
  const isEmpty = Effect.sync(() => !isPrepared && !existsSync(filename))
  const read = <A>(call: IndexCall, empty: A) =>
    Effect.flatMap(isEmpty, (nothing) =>
      nothing ? Effect.succeed(empty) : Effect.andThen(prepare, ask<A>("reader", call))
    )

  /** What is put in or removed lets searches go first, but not for ever: both threads may share one processor. */
  const afterSearches = Effect.suspend(() =>
    pendingReads() === 0
      ? Effect.void
      : Effect.repeat(Effect.sleep("5 millis"), { while: () => pendingReads() > 0, times: longestCourtesy })
  )

  const purging = Semaphore.makeUnsafe(1)
  const purge = Effect.andThen(afterSearches, write<boolean>({ _tag: "purge" })).pipe(
    Effect.repeat({ while: (more) => more }),
    Effect.ignore({ log: "Warn" }),
    purging.withPermitsIfAvailable(1),
    Effect.asVoid
  )
  const scope = yield* Effect.scope
  /** What is removed is no longer found; its rows go in the background, in portions. */
  const purgeLater = Effect.forkIn(purge, scope)

  const replace = Effect.fnUntraced(function* <E, R>(
    put: PutDocument,
    entries: (have: number) => Stream.Stream<ReadonlyArray<IndexEntry>, E, R>
  ) {
    const { model } = put
    const { have, row } = yield* write<Begun>({ _tag: "begin", put })
    let count = have
    yield* Stream.runForEach(entries(have), (some) => {
      count += some.length
      return Effect.andThen(afterSearches, write<void>({ _tag: "add", row, entries: some, model }))
    })
    yield* write<void>({ _tag: "commit", row, key: put })
    yield* purgeLater
    return count
  })

  const remove = ({ document, tenant }: DocumentKey) =>
    Effect.andThen(write<void>({ _tag: "remove", key: { document, tenant } }), purgeLater)

  const index: SearchIndexShape = {
    replace,
    remove: (key) => Effect.flatMap(isEmpty, (nothing) => (nothing ? Effect.void : Effect.asVoid(remove(key)))),
    search: (tenant, query) =>
      Effect.map(read<ReadonlyArray<NamedHit>>({ _tag: "search", tenant, query }, []), (hits) =>
        hits.map(({ chunk, document, score }): IndexHit => ({
          document: DocumentId.make(document),
          chunk: decodeChunk(chunk),
          score
        }))
      ),
    documents: (after, limit) =>
      Effect.map(read<ReadonlyArray<NamedDocument>>({ _tag: "documents", after, limit }, []), (found) =>
        found.map(({ document, tenant }) => ({ document: DocumentId.make(document), tenant: TenantId.make(tenant) }))
      ),
    figures: (tenant) => read({ _tag: "figures", tenant }, { documents: 0, chunks: 0, vectors: 0 })
  }
  return index
})

export const layer = (filename: string) => Layer.effect(SearchIndex, make(filename))
