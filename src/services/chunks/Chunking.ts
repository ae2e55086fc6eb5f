import { Context, Effect, Schema, type Scope } from "effect"
import type { Chunk } from "../../domain/chunk/Chunk.ts"
import { bytesCounter } from "../../domain/chunk/Tokens.ts"
import type { OutlineItem } from "../../domain/document/Document.ts"
import { ChunkWork, type DivideOptions, type PageToDivide } from "./ChunkWork.ts"

/** Documents cannot be divided just now: the thread that does it has ended, or lacks what it needs. */
export class ChunkingUnavailable extends Schema.TaggedError<ChunkingUnavailable>()("ChunkingUnavailable", {
  detail: Schema.String
}) {
  override get message() {
    return `chunks cannot be made: ${this.detail}`
  }
}

/** The work on one document. First all pages are seen in order, then the same ones are divided in order. */
export interface ChunkJob {
  readonly see: (pages: ReadonlyArray<PageToDivide>) => Effect.Effect<void, ChunkingUnavailable>
  readonly seen: (outline: ReadonlyArray<OutlineItem>) => Effect.Effect<void, ChunkingUnavailable>
  readonly divide: (pages: ReadonlyArray<PageToDivide>) => Effect.Effect<ReadonlyArray<Chunk>, ChunkingUnavailable>
  readonly end: Effect.Effect<ReadonlyArray<Chunk>, ChunkingUnavailable>
}

export interface ChunkingShape {
  /** Names how tokens are counted: other counts give other chunks. */
  readonly tokenizer: "o200k" | "bytes"
  readonly open: (options: DivideOptions) => Effect.Effect<ChunkJob, ChunkingUnavailable, Scope.Scope>
}

/** In this thread, with an estimate of tokens. */
const here: ChunkingShape = {
  tokenizer: "bytes",
  open: (options) =>
    Effect.sync(() => {
      const work = new ChunkWork(options, bytesCounter)
      return {
        see: (pages) => Effect.sync(() => work.see(pages)),
        seen: (outline) => Effect.sync(() => work.seen(outline)),
        divide: (pages) => Effect.sync(() => work.divide(pages)),
        end: Effect.sync(() => work.end())
      }
    })
}

/** Divides documents into chunks. Unless another is provided, it does so in this thread, and estimates tokens. */
export const Chunking = Context.Reference<ChunkingShape>("sluice/services/chunks/Chunking", {
  defaultValue: () => here
})
