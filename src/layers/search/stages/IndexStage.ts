// The stage `index`: puts the chunks of the stage `chunk` into the search index, with vectors where there is a model.
import { hash } from "node:crypto"
import { Effect, Option, Schema, Stream } from "effect"
import { Chunk } from "../../../domain/chunk/Chunk.ts"
import { embeddedText } from "../../../domain/chunk/EmbeddedText.ts"
import { StageName, StageVersion } from "../../../domain/pipeline/Pipeline.ts"
import { type DocumentInput, type DocumentStage, StageError } from "../../../services/pipelines/Stage.ts"
import type { EmbedderShape } from "../../../services/search/Embedder.ts"
import type { IndexEntry, SearchIndexShape } from "../../../services/search/SearchIndex.ts"
import { chunkStageName } from "./ChunkStage.ts"

export const indexStageName = StageName.make("index")

/** Chunks that are put in together, without a model. */
const portion = 64

const decodeChunk = Schema.decodeUnknownEffect(Schema.fromJsonString(Chunk))

/** Lines that follow each other, as many as one call of the model may have. */
const batchesOf = (
  chunks: ReadonlyArray<Chunk>,
  { texts, tokens: most }: EmbedderShape["batch"]
): ReadonlyArray<ReadonlyArray<Chunk>> => {
  const batches: Array<Array<Chunk>> = []
  let tokens = 0
  for (const chunk of chunks) {
    const batch = batches.at(-1)
    tokens += chunk.tokens
    if (batch !== undefined && batch.length < texts && tokens <= most) batch.push(chunk)
    else {
      batches.push([chunk])
      tokens = chunk.tokens
    }
  }
  return batches
}

const withVectors = Effect.fnUntraced(function* (
  embedder: EmbedderShape,
  { priority, tenant }: DocumentInput,
  chunks: ReadonlyArray<Chunk>
) {
  const vectors = yield* embedder.embed(chunks.map(embeddedText), { tenant, priority, class: "batch" })
  return chunks.map((chunk, index): IndexEntry => ({ chunk, vector: vectors[index] }))
})

const parsed = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const chunks: Array<Chunk> = []
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    if (line === "") continue
    chunks.push(yield* decodeChunk(line))
    if (chunks.length % 256 === 0) yield* Effect.yieldNow
  }
  return chunks
})

export const indexStage = (index: SearchIndexShape, embedder: EmbedderShape | undefined): DocumentStage => ({
  kind: "document",
  name: indexStageName,
  // A model that makes other vectors makes another index of the document.
  version: StageVersion.make(embedder === undefined ? "1" : `1-${hash("sha256", embedder.model).slice(0, 8)}`),
  needs: [chunkStageName],
  run: (input) =>
    Effect.gen(function* () {
      const found = yield* input.earlier(chunkStageName)
      if (Option.isNone(found)) return yield* StageError.of("STAGE_FAILED", "the document has no chunks")
      const { bytes } = found.value
      const chunks = yield* parsed(bytes)
      const batches = (have: number) => {
        const missing = chunks.slice(have)
        if (embedder === undefined)
          return Stream.fromIterable(batchesOf(missing, { texts: portion, tokens: Number.POSITIVE_INFINITY })).pipe(
            Stream.map((some) => some.map((chunk): IndexEntry => ({ chunk })))
          )
        return Stream.fromIterable(batchesOf(missing, embedder.batch)).pipe(
          Stream.mapEffect((some) => withVectors(embedder, input, some))
        )
      }
      const { document, tenant } = input
      const model = embedder?.model
      const version = `${hash("sha256", bytes)} ${model ?? ""}`
      const count = yield* index.replace({ document, tenant, version, model }, batches)
      const made = { chunks: count, ...(model === undefined ? {} : { model }) }
      return { content: { mediaType: "application/json", bytes: Buffer.from(JSON.stringify(made)) } }
    }).pipe(
      Effect.catchTags({
        SearchUnavailable: (error) => Effect.fail(StageError.of("STAGE_FAILED", error.message, true)),
        NotEmbedded: (error) => Effect.fail(StageError.of("STAGE_FAILED", error.message)),
        SchemaError: () => Effect.fail(StageError.of("STAGE_FAILED", "the chunks cannot be read"))
      })
    )
})
