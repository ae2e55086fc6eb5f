// Vectors of texts by the interface that OpenAI has, and vLLM, Ollama, TEI and others have too, as the downstream `embed`.
import { Config, Effect, Layer, Schema } from "effect"
import { count } from "../../services/config/ConfigValues.ts"
import { Downstreams, reportUsed } from "../../services/downstreams/Downstreams.ts"
import { type DownstreamAnswer, DownstreamHttp } from "../../services/downstreams/DownstreamHttp.ts"
import { Embedder, type EmbedderShape, NotEmbedded } from "../../services/search/Embedder.ts"

export const embedDownstream = "embed"

const Answer = Schema.fromJsonString(
  Schema.Struct({
    data: Schema.Array(Schema.Struct({ index: Schema.Natural, embedding: Schema.Array(Schema.Finite) })),
    usage: Schema.optionalKey(Schema.Struct({ total_tokens: Schema.optionalKey(Schema.Finite) }))
  })
)
const decode = Schema.decodeUnknownEffect(Answer)

export interface EmbedSettings {
  readonly model: string
  /** Asked for, and required of every vector; what the model has when absent. */
  readonly dimensions: number | undefined
  readonly batch: EmbedderShape["batch"]
}

export const embedSettingsFromEnv = Config.all({
  model: Config.NonEmptyString("EMBED_MODEL").pipe(Config.withDefault(undefined)),
  dimensions: count("EMBED_DIMENSIONS", 8_192).pipe(Config.withDefault(undefined)),
  texts: count("EMBED_BATCH", 2_048).pipe(Config.withDefault(64)),
  tokens: count("EMBED_BATCH_TOKENS", 1_000_000).pipe(Config.withDefault(16_000))
})

/** The vectors in the order of the texts: answers may come in another one. */
const vectorsOf = Effect.fnUntraced(function* (
  { body }: DownstreamAnswer,
  texts: number,
  { dimensions }: EmbedSettings
) {
  const { data, usage } = yield* decode(new TextDecoder().decode(body)).pipe(
    Effect.mapError(() => new NotEmbedded({ detail: "the answer is not one of /v1/embeddings" }))
  )
  yield* reportUsed({ tokens: usage?.total_tokens ?? 0 })
  const vectors = data.toSorted((a, b) => a.index - b.index)
  const length = dimensions ?? vectors[0]?.embedding.length ?? 0
  const isWhole = vectors.length === texts && vectors.every(({ index }, place) => index === place)
  if (!isWhole || length === 0 || vectors.some(({ embedding }) => embedding.length !== length)) {
    const lengths = [...new Set(vectors.map(({ embedding }) => embedding.length))].slice(0, 3).join(", ")
    const detail = `${texts} vectors of ${dimensions ?? "one"} length were expected, ${vectors.length} of ${lengths} came`
    return yield* new NotEmbedded({ detail })
  }
  return vectors.map(({ embedding }) => Float32Array.from(embedding))
})

export const make = Effect.fnUntraced(function* (settings: EmbedSettings) {
  const http = yield* DownstreamHttp
  const { batch, dimensions, model } = settings
  const embedder: EmbedderShape = {
    model: dimensions === undefined ? model : `${model}/${dimensions}`,
    batch,
    embed: Effect.fn("Embedder.embed")(function* (texts, options) {
      const downstreams = yield* Downstreams
      const body = JSON.stringify({
        model,
        input: texts,
        encoding_format: "float",
        ...(dimensions === undefined ? {} : { dimensions })
      })
      const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
      const exchange = http
        .send(embedDownstream, { path: "/v1/embeddings", body, headers: { "content-type": "application/json" } })
        .pipe(Effect.flatMap((answer) => vectorsOf(answer, texts.length, settings)))
      return yield* downstreams
        .call(embedDownstream, { ...options, estimate: { tokens } })(exchange)
        .pipe(
          Effect.catchTag("DownstreamRejected", ({ excerpt, status }) =>
            Effect.fail(
              new NotEmbedded({ detail: `the model answered with status ${status}: ${excerpt.slice(0, 200)}` })
            )
          )
        )
    })
  }
  return embedder
})

/** None unless `EMBED_MODEL` names a model. */
export const layerFromEnv = Layer.unwrap(
  Effect.gen(function* () {
    const { dimensions, model, texts, tokens } = yield* embedSettingsFromEnv
    return model === undefined
      ? Layer.empty
      : Layer.effect(Embedder, make({ model, dimensions, batch: { texts, tokens } }))
  })
)
