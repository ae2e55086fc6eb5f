import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { open, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as SqliteSearchIndex from "../../../src/layers/search/SqliteSearchIndex.ts"
import type { SearchIndexShape } from "../../../src/services/search/SearchIndex.ts"
import { acme, chunk, documentId } from "../../conformance/searchIndex.ts"
import { temporaryFolder } from "../../support/service.ts"

const put = (index: SearchIndexShape, number: number) =>
  index.replace({ tenant: acme, document: documentId(number), version: "1" }, () =>
    Stream.make(Array.from({ length: 50 }, (_, ordinal) => ({ chunk: chunk(ordinal, `parrots and word${ordinal}`) })))
  )

const found = (index: SearchIndexShape) =>
  Effect.map(index.search(acme, { text: "parrots", limit: 100 }), (hits) => new Set(hits.map((hit) => hit.document)))

/** Overwrites a part of the file, as a broken disk does. */
const spoil = (filename: string, from: number) =>
  Effect.promise(async () => {
    const file = await open(filename, "r+")
    try {
      const { size } = await file.stat()
      await file.write(Buffer.alloc(size - from, 0xa5), 0, size - from, from)
    } finally {
      await file.close()
    }
  })

describe("a damaged file of the index", () => {
  it.live("that is no database is replaced by an empty index", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "search.sqlite")
      yield* Effect.promise(() => writeFile(filename, "garbage ".repeat(10_000)))
      const index = yield* SqliteSearchIndex.make(filename)
      assert.deepStrictEqual<unknown>([...(yield* found(index))], [])
      yield* put(index, 1)
      assert.deepStrictEqual<unknown>([...(yield* found(index))], [documentId(1)])
    })
  )

  it.live("that has broken pages is, too, and searches go on", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "search.sqlite")
      yield* Effect.scoped(Effect.flatMap(SqliteSearchIndex.make(filename), (index) => put(index, 1)))
      yield* spoil(filename, 4_096)
      const index = yield* SqliteSearchIndex.make(filename)
      assert.deepStrictEqual<unknown>([...(yield* found(index))], [])
      yield* Effect.all([put(index, 2), put(index, 3)], { concurrency: 2 })
      assert.deepStrictEqual<unknown>([...(yield* found(index))].toSorted(), [documentId(2), documentId(3)])
    })
  )
})
