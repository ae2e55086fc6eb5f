// What a search does in its place: the vector of the query, the index, and what the store says of the documents.
import { Duration, Effect, Option } from "effect"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import {
  defaultHits,
  type Degraded,
  type SearchAnswer,
  type SearchHit,
  type SearchRequest
} from "../../domain/search/Search.ts"
import { snippetOf } from "../../domain/search/Snippet.ts"
import { queryTerms } from "../../domain/search/Terms.ts"
import { Downstreams } from "../../services/downstreams/Downstreams.ts"
import { Embedder, type EmbedderShape } from "../../services/search/Embedder.ts"
import { type IndexHit, type QueryVector, SearchIndex } from "../../services/search/SearchIndex.ts"
import { Documents } from "../../services/store/Documents.ts"

/** Of the time that is left, the part in which the model has to answer: the search by words needs some, too. */
const modelShare = 0.6

/** Hits of documents that are gone leave room for others. */
const spareHits = 10

/** A query is cut to what models take. */
const longestEmbedded = 2_000

interface Meaning {
  readonly vector: QueryVector | undefined
  readonly degraded: ReadonlyArray<Degraded>
}

const hitOf = ({ chunk, document, score }: IndexHit, name: string, terms: ReadonlyArray<string>): SearchHit => {
  const [page] = chunk.pages
  return {
    document: { id: document, name },
    chunk,
    page,
    boxes: chunk.places.filter((place) => place.page === page).map(({ box }) => box),
    score,
    snippet: snippetOf(chunk.text, terms)
  }
}

/** The vector of the query if the model answers in time; the search goes on without it otherwise, and says so. */
const meaningOf = Effect.fnUntraced(
  function* (embedder: EmbedderShape, tenant: TenantId, query: string, within: Duration.Duration) {
    const [values] = yield* embedder.embed([query.slice(0, longestEmbedded)], { tenant, class: "online" }).pipe(
      Effect.timeoutOrElse({
        duration: within,
        orElse: () =>
          Effect.fail({ code: "TIMEOUT", message: `the model did not answer within ${Duration.format(within)}` })
      })
    )
    const meaning: Meaning = {
      vector: values === undefined ? undefined : { model: embedder.model, values },
      degraded: []
    }
    return meaning
  },
  Effect.catch((error) => {
    const reason = "code" in error ? error.code : "NOT_EMBEDDED"
    const meaning: Meaning = { vector: undefined, degraded: [{ part: "vector", reason, detail: error.message }] }
    return Effect.succeed(meaning)
  })
)

export const makeFindChunks = Effect.gen(function* () {
  const documents = yield* Documents
  const index = yield* SearchIndex
  const embedder = yield* Embedder
  const downstreams = yield* Downstreams

  /** The names of documents that are there. What was removed, and is still in the index, is removed from it, too. */
  const namesOf = Effect.fnUntraced(function* (tenant: TenantId, ids: ReadonlySet<DocumentId>) {
    const names = new Map<DocumentId, string>()
    for (const document of ids) {
      const found = yield* documents.find(tenant, document).pipe(
        Effect.map(Option.some),
        Effect.catchTag("DocumentNotFound", () => Effect.succeedNone)
      )
      if (Option.isSome(found)) names.set(document, found.value.name)
      else yield* Effect.ignore(index.remove({ tenant, document }), { log: "Warn" })
    }
    return names
  })

  /** `left`: the time until the answer is wanted. */
  return Effect.fnUntraced(function* (tenant: TenantId, request: SearchRequest, left: Duration.Duration) {
    const { documents: only, from, limit = defaultHits, mode = "hybrid", query, to } = request
    const within = Duration.times(left, modelShare)
    const { degraded, vector }: Meaning =
      embedder === undefined || mode === "keyword" || query.trim() === ""
        ? { vector: undefined, degraded: [] }
        : yield* Effect.provideService(meaningOf(embedder, tenant, query, within), Downstreams, downstreams)
    const hits = yield* index.search(tenant, {
      text: query,
      documents: only,
      from,
      to,
      limit: limit + spareHits,
      vector
    })
    const names = yield* namesOf(tenant, new Set(hits.map(({ document }) => document)))
    const terms = queryTerms(query)
    const answer: SearchAnswer = {
      hits: hits
        .flatMap((hit) => {
          const name = names.get(hit.document)
          return name === undefined ? [] : [hitOf(hit, name, terms)]
        })
        .slice(0, limit),
      mode: vector === undefined ? "keyword" : "hybrid",
      degraded
    }
    return answer
  })
})
