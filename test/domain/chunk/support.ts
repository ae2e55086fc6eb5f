// Chunks of layouts made by hand, and what must hold for chunks of any document.
import { assert } from "@effect/vitest"
import { createHash } from "node:crypto"
import type { Chunk } from "../../../src/domain/chunk/Chunk.ts"
import { embeddedText } from "../../../src/domain/chunk/EmbeddedText.ts"
import { DocumentChunks } from "../../../src/domain/chunk/DocumentChunks.ts"
import type { ChunkPage } from "../../../src/domain/chunk/LinePlaces.ts"
import { bytesCounter, type TokenCounter } from "../../../src/domain/chunk/Tokens.ts"
import type { PageLayout } from "../../../src/domain/document/PageLayout.ts"
import { PlainWriter } from "../../../src/domain/rendering/PlainWriter.ts"
import { renderDefaults } from "../../../src/domain/rendering/RenderOptions.ts"
import { DocumentBlocks } from "../../../src/domain/rendering/structure/DocumentBlocks.ts"
import { StructureCollector } from "../../../src/domain/rendering/structure/DocumentStructure.ts"
import { pageHeight, pageWidth } from "../../support/layouts.ts"

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

export const pagesOf = (layouts: ReadonlyArray<PageLayout | string>): ReadonlyArray<ChunkPage> =>
  layouts.map((layout, index) => ({
    number: index + 1,
    width: pageWidth,
    height: pageHeight,
    layout: typeof layout === "string" ? undefined : layout,
    text: typeof layout === "string" ? layout : ""
  }))

const structureOf = (pages: ReadonlyArray<ChunkPage>) => {
  const collector = new StructureCollector()
  for (const page of pages) collector.add(page)
  return collector.structure()
}

export const chunksOf = (
  pages: ReadonlyArray<ChunkPage>,
  limit = 512,
  count: TokenCounter = bytesCounter
): ReadonlyArray<Chunk> => {
  const chunks = new DocumentChunks(structureOf(pages), { limit, count, hash: sha256, document: "d" })
  return [...pages.flatMap((page) => chunks.page(page)), ...chunks.end()]
}

/** The letters and digits, in the order of their code points: line ends, pipes and the order of blocks aside. */
const letters = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, "")
const sorted = (text: string): string => [...letters(text)].sort().join("")

/** The text of the document without hidden text, as a rendering shows it. */
export const shownText = (pages: ReadonlyArray<ChunkPage>): string => {
  const structure = structureOf(pages)
  const isScan = pages.some(({ layout }) => layout?.isRecognized === true)
  const blocks = new DocumentBlocks(structure, { ...renderDefaults, hidden: isScan ? "keep" : "drop" })
  const writer = new PlainWriter(structure.compounds)
  return [...pages.flatMap((page) => blocks.page(page)), ...blocks.end()].map((block) => writer.write(block)).join("")
}

/** The rows of later parts, without the caption and the header that they repeat. */
const ownText = (chunk: Chunk, index: number, chunks: ReadonlyArray<Chunk>): string => {
  if (chunk.kind !== "table" || chunk.part === undefined || chunk.part.index === 0) return chunk.text
  const rows = chunk.text.split("\n")
  const earlier = chunks[index - chunk.part.index]?.text.split("\n") ?? []
  const rule = rows.findIndex((row) => /^\|(?: --- \|)+$/.test(row))
  const isRepeated = (row: string | undefined) => row === "" || (row !== undefined && earlier.includes(row))
  if (isRepeated(rows[rule])) return rows.slice(rule + 1).join("\n")
  const firstRow = rows.findIndex((row) => row.startsWith("|"))
  return rows.slice(0, firstRow).every(isRepeated) ? rows.slice(firstRow).join("\n") : chunk.text
}

export const checkChunks = (
  chunks: ReadonlyArray<Chunk>,
  pages: ReadonlyArray<ChunkPage>,
  limit: number,
  count: TokenCounter = bytesCounter
): void => {
  assert.strictEqual(
    sorted(chunks.map(ownText).join("\n")),
    sorted(shownText(pages)),
    "every letter that is shown is in one chunk"
  )
  const sizes = new Map(pages.map((page) => [page.number, page.layout ?? page]))
  for (const [index, chunk] of chunks.entries()) {
    const where = `chunk ${index}: ${chunk.text.slice(0, 60)}`
    assert.strictEqual(chunk.ordinal, index)
    assert.match(chunk.id, /^[0-9a-f]{32}$/)
    assert.notStrictEqual(chunk.text.trim(), "", where)
    assert.strictEqual(chunk.tokens, count(embeddedText(chunk)), where)
    if (chunk.oversized !== true) assert.isAtMost(chunk.tokens, limit, where)
    else assert.strictEqual(chunk.kind, "table")
    assert.isTrue(chunk.pages[0] >= 1 && chunk.pages[0] <= chunk.pages[1], where)
    for (const { box, page } of chunk.places) {
      const size = sizes.get(page)
      assert.isDefined(size, where)
      assert.isTrue(page >= chunk.pages[0] && page <= chunk.pages[1], where)
      const { height = 0, width = 0 } = size ?? {}
      assert.isTrue(box.x >= 0 && box.y >= 0 && box.width >= -0.01 && box.height >= -0.01, where)
      assert.isTrue(box.x + box.width <= width + 0.01 && box.y + box.height <= height + 0.01, where)
    }
  }
  assert.strictEqual(new Set(chunks.map(({ id }) => id)).size, chunks.length)
}
