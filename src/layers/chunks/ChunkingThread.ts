// Chunks are made in a thread: reading layouts and counting tokens would keep this one from everything else.
import { Config, Effect, Layer, Schema } from "effect"
import { Chunk } from "../../domain/chunk/Chunk.ts"
import { Chunking, ChunkingUnavailable, type ChunkJob } from "../../services/chunks/Chunking.ts"
import type { PageToDivide } from "../../services/chunks/ChunkWork.ts"
import { makeThread } from "../threads/Thread.ts"
import type { ChunkCall, ChunkThreadData } from "./ChunkMessages.ts"

export const ChunkTokenizer = Config.Literals(["o200k", "bytes"], "CHUNK_TOKENIZER").pipe(Config.withDefault("o200k"))

/** Layouts of a portion of pages take a few dozen MB at most; vocabularies about 60. */
const heapMegabytes = 512

const isChunks = Schema.is(Schema.Array(Chunk))

const needed = ({ height, layout, number, status, text, width }: PageToDivide): PageToDivide => ({
  number,
  status,
  width,
  height,
  text,
  ...(layout === undefined ? {} : { layout })
})

export const layer = (tokenizer: ChunkThreadData["tokenizer"]) =>
  Layer.effect(
    Chunking,
    Effect.gen(function* () {
      const workerData: ChunkThreadData = { tokenizer }
      const thread = yield* makeThread({ url: import.meta.url, name: "ChunkThread", workerData, heapMegabytes })
      let last = 0
      const ask = (call: ChunkCall) =>
        thread.call(call).pipe(Effect.mapError(({ detail }) => new ChunkingUnavailable({ detail })))
      const chunks = (call: ChunkCall) =>
        Effect.flatMap(ask(call), (answer) =>
          isChunks(answer)
            ? Effect.succeed(answer)
            : Effect.fail(new ChunkingUnavailable({ detail: "the thread answered with something else" }))
        )
      return {
        tokenizer,
        open: Effect.fnUntraced(function* (options) {
          const job = ++last
          yield* Effect.acquireRelease(ask({ _tag: "open", job, options }), () =>
            Effect.ignore(ask({ _tag: "forget", job }))
          )
          const opened: ChunkJob = {
            see: (pages) => Effect.asVoid(ask({ _tag: "see", job, pages: pages.map(needed) })),
            seen: (outline) => Effect.asVoid(ask({ _tag: "seen", job, outline })),
            divide: (pages) => chunks({ _tag: "divide", job, pages: pages.map(needed) }),
            end: chunks({ _tag: "end", job })
          }
          return opened
        })
      }
    })
  )

export const layerFromEnv = Layer.unwrap(Effect.map(ChunkTokenizer, layer))
