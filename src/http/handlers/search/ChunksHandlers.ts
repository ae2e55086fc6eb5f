import { Effect, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../../actors/Ingestion.ts"
import type { Chunk } from "../../../domain/chunk/Chunk.ts"
import type { ChunkingUnavailable } from "../../../services/chunks/Chunking.ts"
import { Api } from "../../api/Api.ts"
import { documentProblems, notFound, unavailable } from "../../api/problems/Failures.ts"
import { ServiceUnavailable, someTime } from "../../api/problems/Problems.ts"
import { CurrentTenant } from "../../auth/CurrentTenant.ts"
import { streamBytes, UnsentBytes } from "../../answers/UnsentBytes.ts"
import { mostBytes } from "../pages/EncodedPages.ts"
import { requireRange } from "../pages/RequestedPages.ts"

/** The chunks as the beginning of an answer, as many as it may have, and whether there are more. */
interface Collected {
  readonly chunks: Array<Chunk>
  bytes: number
  hasMore: boolean
}

const problems = { DocumentNotFound: notFound, StoreUnavailable: unavailable }

const chunkingUnavailable = ({ message }: ChunkingUnavailable) =>
  Effect.andThen(
    Effect.logWarning(message),
    Effect.fail(new ServiceUnavailable({ code: "CHUNKING_UNAVAILABLE", detail: message, retryAfter: someTime }))
  )

export const ChunksHandlers = HttpApiBuilder.group(
  Api,
  "chunks",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const unsent = yield* UnsentBytes
    return handlers.handleAll({
      chunks: Effect.fnUntraced(function* ({ params: { id }, query: { after = -1, limit = 100, ...wanted } }) {
        const tenant = yield* CurrentTenant
        yield* requireRange(yield* documentProblems(ingestion.find(tenant.id, id)), wanted)
        yield* unsent.room(mostBytes)
        const found: Collected = { chunks: [], bytes: 0, hasMore: false }
        const chunks = yield* documentProblems(ingestion.chunks(tenant.id, id, { ...wanted, keep: true }))
        yield* chunks.pipe(
          Stream.filter(({ ordinal }) => ordinal > after),
          Stream.takeUntil((chunk) => {
            const { length } = JSON.stringify(chunk)
            const isFull = found.chunks.length === limit || (found.bytes + length > mostBytes && found.bytes > 0)
            found.hasMore = isFull
            if (isFull) return true
            found.chunks.push(chunk)
            found.bytes += length
            return false
          }),
          Stream.runDrain,
          Effect.catchTags({ ...problems, ChunkingUnavailable: chunkingUnavailable })
        )
        const next = found.hasMore ? found.chunks.at(-1)?.ordinal : undefined
        const bytes = Buffer.from(JSON.stringify({ chunks: found.chunks, ...(next === undefined ? {} : { next }) }))
        yield* unsent.hold(bytes.length)
        return HttpServerResponse.uint8Array(bytes, { contentType: "application/json" })
      }),

      allChunks: Effect.fnUntraced(function* ({ params: { id }, query }) {
        const tenant = yield* CurrentTenant
        yield* requireRange(yield* documentProblems(ingestion.find(tenant.id, id)), query)
        yield* unsent.hold(streamBytes)
        const chunks = yield* documentProblems(ingestion.chunks(tenant.id, id, query))
        const lines = chunks.pipe(
          Stream.map((chunk) => `${JSON.stringify(chunk)}\n`),
          Stream.encodeText,
          // The status line has been sent, so the connection is cut: the answer must not look complete.
          Stream.tapError((error) => Effect.logWarning("chunks broke off", error))
        )
        return HttpServerResponse.stream(lines, { contentType: "application/x-ndjson" })
      })
    })
  })
)
