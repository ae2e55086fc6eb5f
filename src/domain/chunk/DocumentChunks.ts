// A document in chunks, made page by page in order. Sections begin new chunks, tables are chunks of their own, and nothing is in two.
import type { Caption, Figure, Table } from "../document/PageLayout.ts"
import type { DocumentBlock } from "../rendering/DocumentBlock.ts"
import { renderDefaults } from "../rendering/RenderOptions.ts"
import { DocumentBlocks } from "../rendering/structure/DocumentBlocks.ts"
import type { DocumentStructure } from "../rendering/structure/DocumentStructure.ts"
import type { Chunk } from "./Chunk.ts"
import { embeddedText } from "./EmbeddedText.ts"
import { Emitter, type NewChunk } from "./Emitter.ts"
import { type ChunkPage, LinePlaces } from "./LinePlaces.ts"
import { type ChunkLimits, OpenChunk } from "./OpenChunk.ts"
import { contextOf, type OpenHeading, under } from "./Section.ts"
import { tableText } from "./TableRows.ts"
import { tableParts } from "./TableParts.ts"
import { inPieces } from "./Tokens.ts"
import { joinUnits, type Unit } from "./Unit.ts"
import { plainUnit, Units } from "./Units.ts"

type CaptionBlock = typeof Caption.Type
type Captioned = Table | typeof Figure.Type

export interface ChunkOptions extends ChunkLimits {
  /** Names the bytes of the document: ids are made of it. */
  readonly document: string
  /** 32 or more hexadecimal digits. */
  readonly hash: (text: string) => string
}

/** Of a page with more, tables and sections begin no chunks of their own any more. */
export const mostChunksPerPage = 100

/** A section with fewer tokens than this share of the limit goes on with the next one, unless that is above it or a chapter. */
const leastShare = 8

/** It is needed once: what it has given, it has forgotten. */
export class DocumentChunks {
  readonly #blocks: DocumentBlocks
  readonly #places = new LinePlaces()
  readonly #units: Units
  readonly #structure: DocumentStructure
  readonly #limits: ChunkLimits
  readonly #emitter: Emitter
  readonly #open: OpenChunk
  #path: ReadonlyArray<OpenHeading> = []
  /** Of the first heading of the open chunk, or of the section that it goes on with. */
  #level = 0
  #page = 0
  /** A table or figure whose caption may follow, or a caption whose table or figure may. */
  #waiting: { readonly block: Captioned | CaptionBlock; readonly page: number } | undefined

  constructor(structure: DocumentStructure, { count, document, hash, limit }: ChunkOptions) {
    this.#structure = structure
    this.#blocks = new DocumentBlocks(structure, renderDefaults)
    this.#limits = { limit, count: inPieces(count) }
    this.#emitter = new Emitter(document, hash)
    this.#open = new OpenChunk(this.#limits, this.#emitter)
    this.#units = new Units(structure.compounds, this.#places)
  }

  /** The chunks that are complete. */
  page(page: ChunkPage): ReadonlyArray<Chunk> {
    this.#page = page.number
    const { height, width } = page
    const box = width > 0 && height > 0 ? { x: 0, y: 0, width, height } : undefined
    const whole = { page: page.number, place: box && { page: page.number, box } }
    for (const block of this.#blocks.page(this.#places.add(page))) {
      // A text has no lines: it is that of the page that was added last.
      if (block._tag === "text") this.#unit(plainUnit(block.text.trim(), [whole]))
      else this.#block(block)
    }
    return this.#emitter.take()
  }

  /** The last ones. */
  end(): ReadonlyArray<Chunk> {
    for (const block of this.#blocks.end()) if (block._tag !== "text") this.#block(block)
    this.#settle()
    this.#open.close()
    return this.#emitter.take()
  }

  #block(block: Exclude<DocumentBlock, { readonly _tag: "text" }>): void {
    const waiting = this.#waiting?.block
    if (block._tag === "caption" && (waiting?._tag === "table" || waiting?._tag === "figure")) {
      this.#waiting = undefined
      return this.#captioned(waiting, block)
    }
    if (block._tag === "table" || block._tag === "figure") {
      if (waiting?._tag === "caption") {
        this.#waiting = undefined
        return this.#captioned(block, waiting)
      }
      this.#settle()
      this.#waiting = { block, page: this.#page }
      return
    }
    this.#settle()
    if (block._tag === "caption") this.#waiting = { block, page: this.#page }
    else this.#text(block)
  }

  /** What waited has no caption, or is one of nothing. */
  #settle(): void {
    const waiting = this.#waiting?.block
    this.#waiting = undefined
    if (waiting?._tag === "caption") this.#text(waiting)
    else if (waiting !== undefined) this.#captioned(waiting, undefined)
  }

  get #isCrowded(): boolean {
    return this.#emitter.startedOn(this.#page) >= mostChunksPerPage
  }

  #text(block: Exclude<DocumentBlock, { readonly _tag: "table" | "figure" | "text" }>): void {
    const unit = this.#units.of(block)
    if (unit === undefined) return
    if (block._tag !== "heading") return this.#unit(unit)
    const { level } = block
    const { bodyTokens } = this.#open
    const isLong = bodyTokens * leastShare >= this.#limits.limit
    const isAbove = level === 1 || level < this.#level
    if (bodyTokens > 0 && (isLong || isAbove) && !this.#isCrowded) this.#open.close()
    if (this.#open.isEmpty) this.#level = level
    this.#path = under(this.#path, { level, text: unit.text })
    this.#open.add({ ...unit, above: this.#path.slice(0, -1) }, this.#path)
  }

  #unit(unit: Unit): void {
    if (unit.text === "") return
    if (this.#open.isEmpty) this.#level = this.#path.at(-1)?.level ?? 0
    this.#open.add(unit, this.#path)
  }

  #captioned(block: Captioned, caption: CaptionBlock | undefined): void {
    const captionUnit = caption && this.#units.of(caption)
    if (block._tag === "table") return this.#table(block, captionUnit)
    if (captionUnit === undefined) return
    const { count, limit } = this.#limits
    if (count(captionUnit.text) * 2 > limit || this.#isCrowded) return this.#unit(captionUnit)
    const places = [...this.#places.of([block]), ...captionUnit.places]
    this.#apart({ kind: "figure", text: captionUnit.text, places })
  }

  #table(table: Table, caption: Unit | undefined): void {
    const found = tableText(table, this.#structure.compounds)
    const { count, limit } = this.#limits
    // A caption that leaves no room is text before the table.
    const isPart = caption !== undefined && count(caption.text) * 4 <= limit && !this.#isCrowded
    if (caption !== undefined && (!isPart || found.header.length + found.rows.length === 0)) this.#unit(caption)
    if (found.header.length + found.rows.length === 0) return
    if (this.#isCrowded) {
      const rows = [...found.header.filter(({ lines }) => lines.length > 0), ...found.rows]
      for (const unit of this.#units.rows(rows)) this.#unit(unit)
      return
    }
    const context = contextOf(this.#path, limit / 4, count)
    const embedded = (text: string) => embeddedText({ context, text })
    const shown = isPart ? caption : undefined
    const parts = tableParts(found, shown?.text ?? "", { limit, count, embedded })
    for (const [index, { hasHead, oversized, rows, text }] of parts.entries()) {
      const isFirst = index === 0
      const all = [...(isFirst && hasHead ? found.header : []), ...rows]
      const places = [...(isFirst ? (shown?.places ?? []) : []), ...all.flatMap((row) => this.#places.ofRow(row))]
      const part = parts.length === 1 ? {} : { part: { index, count: parts.length } }
      this.#apart({ kind: "table", text, places, oversized, ...part })
    }
  }

  /** A chunk that holds nothing else but the headings right above it, where they fit. */
  #apart(chunk: Omit<NewChunk, "context" | "headings" | "tokens">): void {
    const { count, limit } = this.#limits
    const above = this.#open.takeHeadings()
    const headings = this.#path.map(({ text }) => text)
    const [first] = above
    if (first !== undefined) {
      const context = contextOf(first.above ?? [], limit / 4, count)
      const text = `${joinUnits(above)}\n\n${chunk.text}`
      const tokens = count(embeddedText({ context, text }))
      if (tokens <= limit) {
        const places = [...above.flatMap((unit) => unit.places), ...chunk.places]
        return this.#emitter.emit({ ...chunk, text, context, headings, places, tokens })
      }
      for (const unit of above) this.#open.add(unit, this.#path)
      this.#open.close()
    }
    const context = contextOf(this.#path, limit / 4, count)
    const tokens = count(embeddedText({ context, text: chunk.text }))
    this.#emitter.emit({ ...chunk, context, headings, tokens })
  }
}
