import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { embeddedText } from "../../../src/domain/chunk/EmbeddedText.ts"
import { encodeLayout } from "../../../src/domain/document/LayoutBytes.ts"
import * as ChunkingThread from "../../../src/layers/chunks/ChunkingThread.ts"
import { Chunking, type ChunkingShape } from "../../../src/services/chunks/Chunking.ts"
import { page } from "../../conformance/storeFixtures.ts"
import { heading, layoutOf, paragraph } from "../../support/layouts.ts"

const words = Array.from({ length: 300 }, (_, i) => `word${i}`).join(" ")
const pages = [
  page(1, { layout: encodeLayout(layoutOf(heading(1, "Begin"), paragraph("It says <|endoftext|> here."))).bytes }),
  page(2, { layout: encodeLayout(layoutOf(paragraph(words))).bytes })
]

const divided = Effect.fnUntraced(function* (chunking: ChunkingShape) {
  const job = yield* chunking.open({ document: "a", tokens: 128 })
  yield* job.see(pages)
  yield* job.seen([])
  return [...(yield* job.divide(pages)), ...(yield* job.end)]
}, Effect.scoped)

describe("the thread that divides documents", () => {
  it.live("gives what this thread gives", () =>
    Effect.gen(function* () {
      const here = yield* divided(yield* Chunking)
      const there = yield* Effect.provide(Effect.flatMap(Chunking, divided), ChunkingThread.layer("bytes"))
      assert.deepStrictEqual(there, here)
      assert.isAbove(here.length, 2)
    })
  )

  it.live("counts tokens as models do, and takes what looks like a special token for text", () =>
    Effect.gen(function* () {
      const { countTokens } = yield* Effect.promise(() => import("gpt-tokenizer/encoding/o200k_base"))
      const chunks = yield* Effect.provide(Effect.flatMap(Chunking, divided), ChunkingThread.layer("o200k"))
      assert.include(chunks[0]?.text, "<|endoftext|>")
      for (const chunk of chunks) {
        assert.isAtMost(chunk.tokens, 128)
        assert.strictEqual(chunk.tokens, countTokens(embeddedText(chunk), { disallowedSpecial: new Set() }))
      }
    })
  )

  it.live("fails calls of a job that has ended, and ends with its scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(ChunkingThread.layer("bytes"), scope)
      const chunking = yield* Effect.provideContext(Chunking, context)
      const job = yield* Effect.scoped(chunking.open({ document: "a", tokens: 128 }))
      const error = yield* Effect.flip(job.see(pages))
      assert.strictEqual(error._tag, "ChunkingUnavailable")
      yield* Scope.close(scope, Exit.void)
    })
  )
})
