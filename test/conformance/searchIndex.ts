// What every index must do.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import type { Chunk } from "../../src/domain/chunk/Chunk.ts"
import { DocumentId, TenantId } from "../../src/domain/Ids.ts"
import {
  type DocumentKey,
  type IndexEntry,
  type IndexQuery,
  type PutDocument,
  SearchIndex
} from "../../src/services/search/SearchIndex.ts"

export const acme = TenantId.make("acme")
export const globex = TenantId.make("globex")
export const documentId = (n: number) => DocumentId.make(`01900000-0000-7000-8000-${String(n).padStart(12, "0")}`)
const key = (n: number, tenant = acme): DocumentKey => ({ tenant, document: documentId(n) })

export const chunk = (
  ordinal: number,
  text: string,
  pages: readonly [number, number] = [1, 1],
  context = ""
): Chunk => ({
  id: ordinal.toString(16).padStart(32, "0"),
  ordinal,
  kind: "text",
  text,
  context,
  headings: [],
  pages,
  places: [{ page: pages[0], box: { x: 1, y: 2, width: 3, height: 4 } }],
  tokens: 5
})

const put = (n: number, tenant = acme, version = "1", model?: string): PutDocument => ({
  ...key(n, tenant),
  version,
  model
})

/** Each in a portion of its own. */
const entries =
  (...texts: ReadonlyArray<string>) =>
  (have: number) =>
    Stream.fromIterable(
      texts
        .map((text, index): ReadonlyArray<IndexEntry> => [{ chunk: chunk(index, text, [index + 1, index + 1]) }])
        .slice(have)
    )

/** Words and where they stand as a vector: equal texts are equal vectors. */
export const vectorOf = (...values: ReadonlyArray<number>) => Float32Array.from({ length: 8 }, (_, i) => values[i] ?? 0)

const texts = (tenant: TenantId, query: Partial<IndexQuery> & { readonly text: string }) =>
  Effect.gen(function* () {
    const index = yield* SearchIndex
    return (yield* index.search(tenant, { limit: 10, ...query })).map((hit) => hit.chunk.text)
  })

/** What must be found and not be an error, whatever is in it. */
const hostile = [
  "",
  " ",
  '"',
  '""',
  "'; DROP TABLE chunk; --",
  "body : sales",
  'scope : "t2"',
  "t2",
  "d1",
  "NEAR(a b, 2)",
  "sales AND",
  "NOT NOT",
  "(((",
  "*",
  "^sales",
  "-sales +x {a b}",
  "sales\u0000costs",
  "\ud800 lone",
  "🙂🙂",
  "% _ \\",
  "a".repeat(10_240),
  "x ".repeat(5_120),
  "漢".repeat(5_000),
  "\n\t\r\u2028"
]

export const searchIndexConformance = (name: string, layer: Layer.Layer<never>) =>
  describe(`${name}: an index`, () => {
    const test = <E>(title: string, body: Effect.Effect<void, E>) =>
      it.live(title, () => body.pipe(Effect.provide(Layer.fresh(layer))), 60_000)

    test(
      "finds chunks by their words, those with more of them first, and answers with the whole chunk",
      Effect.gen(function* () {
        const index = yield* SearchIndex
        const count = yield* index.replace(
          put(1),
          entries("Sales rose by seven percent.", "Costs fell.", "Costs and sales are equal.")
        )
        assert.strictEqual(count, 3)
        const hits = yield* index.search(acme, { text: "costs SALES", limit: 10 })
        assert.strictEqual(hits.length, 3)
        assert.deepStrictEqual(hits[0], {
          document: documentId(1),
          chunk: chunk(2, "Costs and sales are equal.", [3, 3]),
          score: hits[0]?.score ?? 0
        })
        assert.strictEqual((yield* index.search(acme, { text: "costs", limit: 1 })).length, 1)
        assert.deepStrictEqual(yield* texts(acme, { text: "nothing-of-this" }), [])
      })
    )

    test(
      "finds words of the headings above, with other endings of English, other case and marks, and in Chinese, Japanese and Korean",
      Effect.gen(function* () {
        const index = yield* SearchIndex
        const all = [
          "Über die Größe",
          "開発人員所做的工作",
          "ドキュメントの検索",
          "문서를 저장한다",
          "Invoices were paid"
        ]
        yield* index.replace(put(1), entries(...all))
        yield* index.replace(put(2), () => Stream.make([{ chunk: chunk(0, "Text", [1, 1], "Annual report") }]))
        for (const [text, at] of [
          ["uber", 0],
          ["grosse", 0],
          ["開発", 1],
          ["工作", 1],
          ["開", 1],
          ["検索", 2],
          ["문서", 3],
          ["invoice", 4]
        ] as const)
          assert.deepStrictEqual(yield* texts(acme, { text }), [all[at]], text)
        assert.deepStrictEqual(yield* texts(acme, { text: "annual" }), ["Text"])
        assert.deepStrictEqual(yield* texts(acme, { text: "発工" }), [])
      })
    )

    test(
      "keeps tenants apart, also those with documents of the same name",
      Effect.gen(function* () {
        const index = yield* SearchIndex
        yield* index.replace(put(1), entries("secret of acme"))
        yield* index.replace(put(1, globex), entries("secret of globex"))
        assert.deepStrictEqual(yield* texts(acme, { text: "secret" }), ["secret of acme"])
        assert.deepStrictEqual(yield* texts(globex, { text: "secret", documents: [documentId(1)] }), [
          "secret of globex"
        ])
        assert.deepStrictEqual(yield* texts(TenantId.make("nobody"), { text: "secret" }), [])
        yield* index.remove(key(1, globex))
        assert.deepStrictEqual(yield* texts(acme, { text: "secret" }), ["secret of acme"])
        assert.deepStrictEqual(yield* texts(globex, { text: "secret" }), [])
        assert.deepStrictEqual(yield* index.figures(globex), { documents: 0, chunks: 0, vectors: 0 })
        assert.deepStrictEqual(yield* index.figures(), { documents: 1, chunks: 1, vectors: 0 })
      })
    )

    test(
      "searches within documents and pages",
      Effect.gen(function* () {
        const index = yield* SearchIndex
        yield* index.replace(put(1), entries("word one", "word two", "word three"))
        yield* index.replace(put(2), entries("word four"))
        assert.deepStrictEqual(yield* texts(acme, { text: "word", documents: [documentId(2)] }), ["word four"])
        assert.deepStrictEqual(yield* texts(acme, { text: "word", from: 2, to: 2 }), ["word two"])
        assert.deepStrictEqual(yield* texts(acme, { text: "word", documents: [documentId(9)] }), [])
        assert.deepStrictEqual(yield* texts(acme, { text: "word", documents: [] }), [])
      })
    )

    test(
      "replaces a document as a whole, and keeps what was there when that fails",
      Effect.gen(function* () {
        const index = yield* SearchIndex
        yield* index.replace(put(1), entries("old word"))
        const broken = (have: number) =>
          Stream.concat(entries("new word", "newer word")(have), Stream.fail("broken" as const))
        const second = put(1, acme, "2")
        assert.strictEqual(yield* Effect.flip(index.replace(second, broken)), "broken")
        assert.deepStrictEqual(yield* texts(acme, { text: "word" }), ["old word"])
        let had: number | undefined
        const rest = (have: number) => {
          had = have
          return entries("new word", "newer word", "last")(have)
        }
        assert.strictEqual(yield* index.replace(second, rest), 3)
        assert.strictEqual(had, 2)
        assert.deepStrictEqual((yield* texts(acme, { text: "word" })).toSorted(), ["new word", "newer word"])
        assert.deepStrictEqual(yield* index.figures(acme), { documents: 1, chunks: 3, vectors: 0 })
        yield* index.replace(put(1, acme, "3"), () => Stream.empty)
        assert.deepStrictEqual(yield* texts(acme, { text: "word" }), [])
      })
    )

    test(
      "puts nothing in of a document that is removed meanwhile, nor of another version that was begun",
      Effect.gen(function* () {
        const index = yield* SearchIndex
        const removed = (have: number) =>
          Stream.concat(entries("a word")(have), Stream.fromEffect(Effect.as(index.remove(key(1)), [])))
        assert.strictEqual((yield* Effect.flip(index.replace(put(1), removed)))._tag, "SearchUnavailable")
        assert.deepStrictEqual(yield* texts(acme, { text: "word" }), [])
        const broken = () => Stream.concat(entries("old word")(0), Stream.fail("broken" as const))
        yield* Effect.flip(index.replace(put(1), broken))
        assert.deepStrictEqual(yield* index.documents(undefined, 10), [key(1)])
        yield* index.replace(put(1, acme, "2"), entries("new word"))
        assert.deepStrictEqual(yield* texts(acme, { text: "word" }), ["new word"])
      })
    )

    test(
      "takes any query for words",
      Effect.gen(function* () {
        const index = yield* SearchIndex
        yield* index.replace(put(1), entries("sales of a"))
        yield* index.replace(put(1, globex), entries("sales of b"))
        for (const text of hostile) {
          for (const found of yield* texts(acme, { text })) assert.strictEqual(found, "sales of a", text.slice(0, 20))
        }
        assert.deepStrictEqual(yield* texts(acme, { text: "sales\u0000costs" }), ["sales of a"])
      })
    )

    test(
      "lists documents of all tenants after one of them",
      Effect.gen(function* () {
        const index = yield* SearchIndex
        for (const each of [put(2), put(1, globex), put(1)]) yield* index.replace(each, entries("a"))
        const first = yield* index.documents(undefined, 2)
        assert.deepStrictEqual(first, [key(1), key(2)])
        assert.deepStrictEqual(yield* index.documents(first.at(-1), 2), [key(1, globex)])
      })
    )

    test(
      "finds what is near in meaning, of the same model and tenant, and puts both rankings together",
      Effect.gen(function* () {
        const index = yield* SearchIndex
        const entry = (ordinal: number, text: string, ...values: ReadonlyArray<number>) => ({
          chunk: chunk(ordinal, text),
          vector: vectorOf(...values)
        })
        const some = [entry(0, "near", 1, 0.1), entry(1, "far", -1), entry(2, "word", 0, 1)]
        yield* index.replace(put(1, acme, "1", "m"), () => Stream.make(some))
        yield* index.replace(put(1, globex, "1", "m"), () => Stream.make([entry(0, "of globex", 1)]))
        const vector = { model: "m", values: vectorOf(1) }
        assert.deepStrictEqual(yield* texts(acme, { text: "", vector }), ["near", "word", "far"])
        assert.deepStrictEqual(yield* texts(acme, { text: "word", vector, limit: 1 }), ["word"])
        assert.deepStrictEqual(yield* texts(acme, { text: "", vector: { model: "n", values: vectorOf(1) } }), [])
        assert.deepStrictEqual(yield* texts(acme, { text: "", vector, documents: [documentId(2)] }), [])
        assert.deepStrictEqual(yield* texts(acme, { text: "", vector, documents: [documentId(1)], limit: 1 }), ["near"])
        assert.strictEqual((yield* index.figures(acme)).vectors, 3)
        yield* index.remove(key(1))
        assert.deepStrictEqual(yield* texts(acme, { text: "", vector }), [])
        assert.deepStrictEqual(yield* texts(globex, { text: "", vector }), ["of globex"])
      })
    )
  })
