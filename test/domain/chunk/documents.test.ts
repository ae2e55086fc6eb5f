// Chunks of documents that were read: every letter that is shown is in one of them, and none is larger than the limit.
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { generatedTruth } from "../../../bench/score/truth/Documents.ts"
import { readPages } from "../../../bench/score/ReadMarkdown.ts"
import type { ChunkPage } from "../../../src/domain/chunk/LinePlaces.ts"
import { bytesCounter, type TokenCounter } from "../../../src/domain/chunk/Tokens.ts"
import { corpusTest, minutes, pdfsBelow } from "../../support/corpus.ts"
import { checkChunks, chunksOf } from "./support.ts"

const check = Effect.fnUntraced(function* (pdf: Uint8Array, count: TokenCounter = bytesCounter) {
  const { pages: read } = yield* readPages(pdf).pipe(Effect.orElseSucceed(() => ({ pages: [] })))
  const pages: ReadonlyArray<ChunkPage> = read.map((page) => ({
    ...page,
    width: page.layout?.width ?? 0,
    height: page.layout?.height ?? 0
  }))
  for (const limit of [64, 512]) checkChunks(chunksOf(pages, limit, count), pages, limit, count)
})

describe("chunks of documents", () => {
  it.live(
    "hold everything that made documents show",
    () => Effect.forEach(generatedTruth(), ({ pdf }) => check(pdf), { discard: true }),
    minutes(2)
  )

  it.live(
    "hold everything that the example shows",
    () => check(new Uint8Array(readFileSync(new URL("../../../examples/mixed.pdf", import.meta.url)))),
    minutes(1)
  )

  corpusTest(
    "hold everything that real documents show",
    "pdfjs",
    (folder) =>
      Effect.forEach(
        pdfsBelow(folder).filter((path) => !path.endsWith("p1000.pdf")),
        (path) =>
          check(new Uint8Array(readFileSync(path))).pipe(
            Effect.catchDefect((defect) => Effect.die(new Error(path, { cause: defect })))
          ),
        { discard: true }
      ),
    minutes(20)
  )
})
