// The work on one document, step by step: all pages are seen, then the same pages are divided. It takes time, so a server does it
// in a thread of its own.
import { createHash } from "node:crypto"
import type { Chunk } from "../../domain/chunk/Chunk.ts"
import { DocumentChunks } from "../../domain/chunk/DocumentChunks.ts"
import type { ChunkPage } from "../../domain/chunk/LinePlaces.ts"
import type { TokenCounter } from "../../domain/chunk/Tokens.ts"
import type { OutlineItem } from "../../domain/document/Document.ts"
import { decodeLayout } from "../../domain/document/LayoutBytes.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import { hasNoText } from "../../domain/document/PageMarks.ts"
import { StructureCollector } from "../../domain/rendering/structure/DocumentStructure.ts"

/** What is needed of a page. */
export type PageToDivide = Pick<PageResult, "number" | "status" | "text" | "layout" | "width" | "height">

export interface DivideOptions {
  /** Names the bytes of the document. */
  readonly document: string
  /** The most tokens of a chunk. */
  readonly tokens: number
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex")

const pageOf = (page: PageToDivide): ChunkPage => {
  const { height, layout, number, text, width } = page
  return {
    number,
    width,
    height,
    layout: layout === undefined ? undefined : decodeLayout(layout),
    text: hasNoText(page) ? "" : text
  }
}

export class ChunkWork {
  readonly #collector = new StructureCollector()
  readonly #options: DivideOptions
  readonly #count: TokenCounter
  #chunks: DocumentChunks | undefined

  constructor(options: DivideOptions, count: TokenCounter) {
    this.#options = options
    this.#count = count
  }

  see(pages: ReadonlyArray<PageToDivide>): void {
    for (const page of pages) this.#collector.add(pageOf(page))
  }

  /** All pages were seen. `outline` is that of the file. */
  seen(outline: ReadonlyArray<OutlineItem>): void {
    const { document, tokens: limit } = this.#options
    const structure = this.#collector.structure(outline)
    this.#chunks = new DocumentChunks(structure, { document, limit, count: this.#count, hash })
  }

  divide(pages: ReadonlyArray<PageToDivide>): ReadonlyArray<Chunk> {
    return pages.flatMap((page) => this.#chunks?.page(pageOf(page)) ?? [])
  }

  end(): ReadonlyArray<Chunk> {
    return this.#chunks?.end() ?? []
  }
}
