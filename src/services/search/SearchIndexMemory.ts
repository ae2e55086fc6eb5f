// An index in memory, for embedding and tests: every search looks at every chunk of the tenant.
import { Effect, Layer, Stream } from "effect"
import { embeddedText } from "../../domain/chunk/EmbeddedText.ts"
import { fuse } from "../../domain/search/Fusion.ts"
import { matchesIn, queryTerms } from "../../domain/search/Terms.ts"
import {
  type DocumentKey,
  type IndexEntry,
  type IndexQuery,
  SearchIndex,
  type SearchIndexShape,
  SearchUnavailable
} from "./SearchIndex.ts"

interface Entry extends DocumentKey {
  readonly model: string | undefined
  readonly entries: ReadonlyArray<IndexEntry>
}

interface Begun extends DocumentKey {
  readonly version: string
  readonly entries: Array<IndexEntry>
}

interface Candidate {
  readonly entry: Entry
  readonly item: IndexEntry
}

/** What a search takes of each ranking. */
const mostRanked = 50

const keyOf = ({ document, tenant }: DocumentKey): string => `${tenant} ${document}`

const cosine = (a: Float32Array, b: Float32Array): number => {
  let product = 0
  let squareA = 0
  let squareB = 0
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0
    product += value * other
    squareA += value * value
    squareB += other * other
  }
  return product / Math.sqrt(squareA * squareB || 1)
}

/** Those with a word of the query, the rarest words counting most. */
const byWords = (candidates: ReadonlyArray<Candidate>, text: string): ReadonlyArray<Candidate> => {
  const terms = queryTerms(text)
  const scores = new Map<Candidate, number>()
  for (const term of terms) {
    const found = candidates.map((candidate) => ({
      candidate,
      count: matchesIn(embeddedText(candidate.item.chunk), [term]).length
    }))
    const having = found.filter(({ count }) => count > 0)
    const weight = Math.log(1 + candidates.length / Math.max(1, having.length))
    for (const { candidate, count } of having)
      scores.set(candidate, (scores.get(candidate) ?? 0) + (weight * count) / (count + 1))
  }
  return [...scores].toSorted(([, a], [, b]) => b - a).map(([candidate]) => candidate)
}

const byVector = (
  candidates: ReadonlyArray<Candidate>,
  { model, values }: NonNullable<IndexQuery["vector"]>
): ReadonlyArray<Candidate> =>
  candidates
    .flatMap((candidate) => {
      const { vector } = candidate.item
      return vector === undefined || candidate.entry.model !== model || vector.length !== values.length
        ? []
        : [{ candidate, near: cosine(vector, values) }]
    })
    .toSorted((a, b) => b.near - a.near)
    .map(({ candidate }) => candidate)

const make = (): SearchIndexShape => {
  const documents = new Map<string, Entry>()
  /** Being put in, or not to its end. */
  const begun = new Map<string, Begun>()
  const inOrder = () =>
    [...new Map<string, DocumentKey>([...begun, ...documents])].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    replace: Effect.fnUntraced(function* ({ document, model, tenant, version }, entries) {
      const key = keyOf({ document, tenant })
      const before = begun.get(key)
      const portions: Begun = before?.version === version ? before : { document, tenant, version, entries: [] }
      begun.set(key, portions)
      yield* Stream.runForEach(entries(portions.entries.length), (some) =>
        Effect.sync(() => void portions.entries.push(...some))
      )
      if (begun.get(key) !== portions)
        return yield* new SearchUnavailable({ detail: "the document was removed meanwhile" })
      begun.delete(key)
      documents.set(key, { document, tenant, model, entries: portions.entries })
      return portions.entries.length
    }),
    remove: (key) =>
      Effect.sync(() => {
        documents.delete(keyOf(key))
        begun.delete(keyOf(key))
      }),
    search: (tenant, { documents: only, from = 1, limit, text, to = Number.POSITIVE_INFINITY, vector }) =>
      Effect.sync(() => {
        const candidates = [...documents.values()]
          .filter((entry) => entry.tenant === tenant && (only === undefined || only.includes(entry.document)))
          .flatMap((entry) => entry.entries.map((item): Candidate => ({ entry, item })))
          .filter(({ item: { chunk } }) => chunk.pages[0] <= to && chunk.pages[1] >= from)
        const rankings = [byWords(candidates, text), ...(vector === undefined ? [] : [byVector(candidates, vector)])]
        return fuse(rankings.map((ranking) => ranking.slice(0, Math.max(mostRanked, limit))))
          .slice(0, limit)
          .map(({ id: { entry, item }, score }) => ({ document: entry.document, chunk: item.chunk, score }))
      }),
    documents: (after, limit) =>
      Effect.sync(() =>
        inOrder()
          .filter(([key]) => after === undefined || key > keyOf(after))
          .slice(0, limit)
          .map(([, { document, tenant }]) => ({ document, tenant }))
      ),
    figures: (tenant) =>
      Effect.sync(() => {
        const mine = [...documents.values()].filter((entry) => tenant === undefined || entry.tenant === tenant)
        const all = mine.flatMap(({ entries }) => entries)
        return {
          documents: mine.length,
          chunks: all.length,
          vectors: all.filter(({ vector }) => vector !== undefined).length
        }
      })
  }
}

export const layer = Layer.sync(SearchIndex, make)
