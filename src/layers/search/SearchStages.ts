// The stages of search that the engine has without a declaration.
import { Config, Effect } from "effect"
import { Schema } from "effect"
import { defaultChunkTokens, leastChunkTokens, mostChunkTokens } from "../../domain/chunk/Chunk.ts"
import { Chunking } from "../../services/chunks/Chunking.ts"
import type { PipelineDeclaration } from "../../services/pipelines/PipelineDeclarations.ts"
import { Embedder } from "../../services/search/Embedder.ts"
import { SearchIndex } from "../../services/search/SearchIndex.ts"
import { Documents } from "../../services/store/Documents.ts"
import { chunkStage } from "./stages/ChunkStage.ts"
import { indexStage } from "./stages/IndexStage.ts"

/** The limit of the chunks that are indexed. */
export const ChunkTokens = Config.schema(
  Schema.Int.check(Schema.isBetween({ minimum: leastChunkTokens, maximum: mostChunkTokens })),
  "CHUNK_TOKENS"
).pipe(Config.withDefault(defaultChunkTokens))

/** `chunk` and `index`. They take the index, the model and the dividing of documents as they are provided where this runs. */
export const searchStages = Effect.gen(function* () {
  const tokens = yield* ChunkTokens
  const documents = yield* Documents
  return [chunkStage(yield* Chunking, documents, tokens), indexStage(yield* SearchIndex, yield* Embedder)]
})

export const searchPipelines: ReadonlyArray<PipelineDeclaration> = [
  { name: "rag", steps: [{ stage: "chunk" }, { stage: "index" }] }
]
