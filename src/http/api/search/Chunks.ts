import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import {
  Chunk,
  chunkExample,
  defaultChunkTokens,
  leastChunkTokens,
  mostChunkTokens
} from "../../../domain/chunk/Chunk.ts"
import { examples } from "../../../domain/Examples.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../../auth/CurrentTenant.ts"
import { documentParams } from "../Documents.ts"
import { NotFoundResponse, ServiceUnavailableResponse, TooManyRequestsResponse } from "../problems/ProblemResponses.ts"
import { withPageRange } from "../schemas/PageRange.ts"
import { wholeNumber } from "../schemas/WholeNumber.ts"
import { RequestRules } from "../RequestRules.ts"

const tokens = Schema.optionalKey(
  wholeNumber(
    Schema.Int.check(Schema.isBetween({ minimum: leastChunkTokens, maximum: mostChunkTokens })).annotate({
      description: `The most tokens of a chunk, its context included: ${leastChunkTokens} to ${mostChunkTokens}; default ${defaultChunkTokens}.`
    })
  )
)

export const ChunkList = Schema.Struct({
  chunks: Schema.Array(Chunk),
  next: Schema.optionalKey(
    Schema.Natural.annotate({ description: "The `after` of the next answer, if there is more." })
  )
}).pipe(Schema.annotate({ identifier: "ChunkList" }), examples({ chunks: [chunkExample], next: 4 }))
export type ChunkList = typeof ChunkList.Type

const whatTheyAre =
  "Parts of the document for models and searches, within a limit of tokens: sections begin new ones, tables and code are whole or divided " +
  "between rows, running lines and hidden text are left out, and nothing is in two of them. Made of the pages that have a result, when asked " +
  "for: the same pages give the same chunks and ids. `from` and `to` choose those that are on one of these pages. 503 `CHUNKING_UNAVAILABLE`: " +
  "the server cannot divide documents just now."

const chunks = HttpApiEndpoint.get("chunks", "/v1/documents/:id/chunks", {
  params: documentParams,
  query: withPageRange({
    ...tenantQuery,
    tokens,
    after: Schema.optionalKey(
      wholeNumber(Schema.Natural.annotate({ description: "Only chunks after the one with this ordinal." }))
    ),
    limit: Schema.optionalKey(
      wholeNumber(
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 })).annotate({
          description: "The most chunks of one answer: 1 to 500; default 100."
        })
      )
    )
  }),
  headers: tenantHeaders,
  success: ChunkList,
  error: [NotFoundResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "The document in chunks",
    description: `${whatTheyAre} An answer has at most 4 MiB of chunks. For all chunks of a long document, \`chunks.ndjson\` is faster.`
  })
)

const all = HttpApiEndpoint.get("allChunks", "/v1/documents/:id/chunks.ndjson", {
  params: documentParams,
  query: withPageRange({ ...tenantQuery, tokens }),
  headers: tenantHeaders,
  success: HttpApiSchema.StreamNdjson({ schema: Chunk }),
  error: [NotFoundResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "All chunks of the document, one JSON object per line, in order",
    description: `${whatTheyAre} If the answer cannot be completed, the connection is cut.`
  })
)

export class ChunksApi extends HttpApiGroup.make("chunks")
  .add(chunks, all)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(
    OpenApi.annotations({ title: "Chunks", description: "What was read in a document, for models and searches." })
  ) {}
