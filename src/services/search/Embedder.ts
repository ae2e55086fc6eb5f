import { Context, Effect, Schema } from "effect"
import type { AiError, EmbeddingModel } from "effect/ai"
import type { CallClass } from "../../domain/downstream/Downstream.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { DownstreamFailure, Downstreams } from "../downstreams/Downstreams.ts"

/** The model answered with something that are no vectors, or refused what it was sent. Another try does not help. */
export class NotEmbedded extends Schema.TaggedError<NotEmbedded>()("NotEmbedded", { detail: Schema.String }) {
  override get message() {
    return `the texts were not embedded: ${this.detail}`
  }
}

export interface EmbedOptions {
  readonly tenant: TenantId
  readonly class: CallClass
  readonly priority?: number
}

export interface EmbedderShape {
  /** Names what makes the vectors: those of different names are never compared. */
  readonly model: string
  /** Texts and tokens of one call at most. */
  readonly batch: { readonly texts: number; readonly tokens: number }
  /** A vector for each text, in their order. One call of the downstream. */
  readonly embed: (
    texts: ReadonlyArray<string>,
    options: EmbedOptions
  ) => Effect.Effect<ReadonlyArray<Float32Array>, NotEmbedded | DownstreamFailure, Downstreams>
}

/** The model that makes vectors of texts; undefined where there is none, and searches go by words alone. */
export const Embedder = Context.Reference<EmbedderShape | undefined>("sluice/services/search/Embedder", {
  defaultValue: () => undefined
})

/** An embedder of a model of `effect/ai`, for programs that embed the engine. It has no budget of a downstream. */
export const embedderOf = (
  name: string,
  model: EmbeddingModel.EmbeddingModel,
  batch: EmbedderShape["batch"] = { texts: 64, tokens: 16_000 }
): EmbedderShape => ({
  model: name,
  batch,
  embed: (texts) =>
    model.embedMany(texts).pipe(
      Effect.map(({ embeddings }) => embeddings.map(({ vector }) => Float32Array.from(vector))),
      Effect.mapError((error: AiError.AiError) => new NotEmbedded({ detail: error.message }))
    )
})
