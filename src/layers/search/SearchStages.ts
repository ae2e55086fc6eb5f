// The stages of search that the engine has without a declaration.
import { Config, Effect, Schema } from "effect"
import { defaultChunkTokens, leastChunkTokens, mostChunkTokens } from "../../domain/chunk/Chunk.ts"
import { StageVersion } from "../../domain/pipeline/Pipeline.ts"
import { Chunking } from "../../services/chunks/Chunking.ts"
import type { PipelineDeclaration, StageOutline } from "../../services/pipelines/PipelineDeclarations.ts"
import { Embedder } from "../../services/search/Embedder.ts"
import { SearchIndex } from "../../services/search/SearchIndex.ts"
import { Documents } from "../../services/store/Documents.ts"
import { chunkStage, chunkStageName } from "./stages/ChunkStage.ts"
import { indexStage, indexStageName } from "./stages/IndexStage.ts"

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

/** What is known of them before they are made. */
export const searchOutlines: ReadonlyArray<StageOutline> = [
  { name: chunkStageName, version: StageVersion.make("1"), kind: "document", needs: [] },
  { name: indexStageName, version: StageVersion.make("1"), kind: "document", needs: [chunkStageName] }
]

export const searchPipelines: ReadonlyArray<PipelineDeclaration> = [
  { name: "rag", steps: [{ stage: "chunk" }, { stage: "index" }] }
]
