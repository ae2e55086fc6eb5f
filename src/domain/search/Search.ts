import { Schema } from "effect"
import { Chunk, chunkExample } from "../chunk/Chunk.ts"
import { Box } from "../document/PageLayout.ts"
import { PageNumber } from "../document/Page.ts"
import { examples } from "../Examples.ts"
import { DocumentId, documentIdExample } from "../Ids.ts"

export const longestQuery = 16_000
export const mostHits = 100
export const defaultHits = 10
export const mostDocuments = 100

/** What is looked for, and where. */
export const SearchRequest = Schema.Struct({
  query: Schema.String.check(Schema.isMaxLength(longestQuery)).annotate({
    description: `Any text, of at most ${longestQuery} characters. Nothing in it is syntax; its first 32 different words count.`
  }),
  documents: Schema.optionalKey(
    Schema.Array(DocumentId)
      .check(Schema.isMaxLength(mostDocuments))
      .annotate({ description: `Only in these documents, ${mostDocuments} at most.` })
  ),
  from: Schema.optionalKey(PageNumber.annotate({ description: "Only chunks on this page or after it." })),
  to: Schema.optionalKey(PageNumber.annotate({ description: "Only chunks on this page or before it." })),
  limit: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: mostHits })).annotate({
      description: `The most hits: 1 to ${mostHits}; default ${defaultHits}.`
    })
  ),
  mode: Schema.optionalKey(
    Schema.Literals(["hybrid", "keyword"]).annotate({
      description: "`keyword` leaves the model out, which is faster. Otherwise the server does what it can."
    })
  )
}).pipe(
  Schema.annotate({ identifier: "SearchRequest" }),
  examples({ query: "How did sales develop?", limit: 5 }, { query: "invoice", documents: [documentIdExample], from: 2 })
)
export interface SearchRequest extends Schema.Schema.Type<typeof SearchRequest> {}

export const SearchHit = Schema.Struct({
  document: Schema.Struct({ id: DocumentId, name: Schema.String }),
  chunk: Chunk,
  page: PageNumber.annotate({ description: "The page on which the chunk begins." }),
  boxes: Schema.Array(Box).annotate({ description: "Where it stands on that page; all places are in `chunk`." }),
  score: Schema.Finite.annotate({
    description: "Higher is better: 1 is first by every measure. Scores of two searches do not compare."
  }),
  snippet: Schema.String.annotate({
    description: "A part of its text as HTML: words of the query are in `<mark>`, everything else is escaped."
  })
}).annotate({ identifier: "SearchHit" })
export interface SearchHit extends Schema.Schema.Type<typeof SearchHit> {}

/** A part of a search that was left out, and the code of the reason. */
export const Degraded = Schema.Struct({
  part: Schema.Literals(["vector", "rerank"]),
  reason: Schema.String,
  detail: Schema.String
}).annotate({ identifier: "Degraded" })
export interface Degraded extends Schema.Schema.Type<typeof Degraded> {}

const hitExample = {
  document: { id: documentIdExample, name: "report.pdf" },
  chunk: chunkExample,
  page: 3,
  boxes: [{ x: 72, y: 110, width: 320, height: 48 }],
  score: 0.97,
  snippet: "2.1 <mark>Sales</mark> <mark>Sales</mark> rose by seven percent."
} as const

export const SearchAnswer = Schema.Struct({
  hits: Schema.Array(SearchHit),
  mode: Schema.Literals(["hybrid", "keyword"]).annotate({
    description: "How it was searched: `hybrid` by words and by meaning, `keyword` by words only."
  }),
  degraded: Schema.Array(Degraded).annotate({
    description:
      "What was left out although it was wanted: `vector`, the search by meaning; with the reason. Empty for a whole answer, and where no model is configured."
  })
}).pipe(
  Schema.annotate({ identifier: "SearchAnswer" }),
  examples(
    { hits: [hitExample], mode: "hybrid", degraded: [] },
    {
      hits: [],
      mode: "keyword",
      degraded: [{ part: "vector", reason: "DOWNSTREAM_UNAVAILABLE", detail: "the downstream embed: no connection" }]
    }
  )
)
export interface SearchAnswer extends Schema.Schema.Type<typeof SearchAnswer> {}
