// The chunk of text that is being packed, and what becomes of a unit that has no room in it.
import type { Chunk } from "./Chunk.ts"
import { embeddedText } from "./EmbeddedText.ts"
import type { Emitter } from "./Emitter.ts"
import { contextOf, type OpenHeading } from "./Section.ts"
import { splitCode, splitText } from "./SplitText.ts"
import type { TokenCounter } from "./Tokens.ts"
import { joinUnits, type Unit } from "./Unit.ts"

export interface ChunkLimits {
  /** Tokens of context and text of a chunk. */
  readonly limit: number
  readonly count: TokenCounter
}

type Part = Chunk["part"]

/** What two units cost besides their own tokens. */
const gapTokens = 2

const isHeading = (unit: Unit): boolean => unit.above !== undefined

export class OpenChunk {
  readonly #limits: ChunkLimits
  readonly #emitter: Emitter
  #units: Array<Unit> = []
  /** Counted apart: more than their text as a whole has, nearly always. */
  #tokens = 0
  #bodyTokens = 0
  #context = ""
  #contextTokens = 0
  #headings: ReadonlyArray<string> = []

  constructor(limits: ChunkLimits, emitter: Emitter) {
    this.#limits = limits
    this.#emitter = emitter
  }

  get isEmpty(): boolean {
    return this.#units.length === 0
  }

  /** Tokens of what is not a heading. */
  get bodyTokens(): number {
    return this.#bodyTokens
  }

  /** `path`: the headings above the unit. A heading counts among those of what follows it. */
  add(unit: Unit, path: ReadonlyArray<OpenHeading>): void {
    const { count } = this.#limits
    const tokens = count(unit.text)
    if (this.#bodyTokens > 0 && this.#tokens + gapTokens + tokens > this.#room) {
      for (const heading of this.takeHeadings()) {
        if (this.isEmpty) this.#begin(heading.above ?? path)
        this.#put(heading, count(heading.text), path)
      }
    }
    if (this.isEmpty) this.#begin(unit.above ?? path)
    const left = this.#room - (this.isEmpty ? 0 : this.#tokens + gapTokens)
    if (tokens <= left) this.#put(unit, tokens, path)
    // Of a unit that would fit without the headings before it, a part stays with them.
    else this.#divide(unit, Math.max(left, Math.floor(this.#room / 2)), path)
  }

  /** Ends the chunk. */
  close(part?: Part): void {
    this.#emit(this.#units, part)
    this.#units = []
    this.#tokens = 0
    this.#bodyTokens = 0
  }

  /** Ends the chunk without the headings at its end: they begin what follows. */
  takeHeadings(): ReadonlyArray<Unit> {
    const last = this.#units.findLastIndex((unit) => !isHeading(unit))
    const taken = this.#units.slice(last + 1)
    this.#units = this.#units.slice(0, last + 1)
    this.close()
    return taken
  }

  get #room(): number {
    return this.#limits.limit - this.#contextTokens
  }

  #begin(above: ReadonlyArray<OpenHeading>): void {
    const { count, limit } = this.#limits
    this.#context = contextOf(above, limit / 4, count)
    this.#contextTokens = this.#context === "" ? 0 : count(this.#context) + 1
    this.#headings = above.map(({ text }) => text)
  }

  #put(unit: Unit, tokens: number, path: ReadonlyArray<OpenHeading>): void {
    this.#tokens += tokens + (this.isEmpty ? 0 : gapTokens)
    if (this.#bodyTokens === 0) this.#headings = path.map(({ text }) => text)
    if (!isHeading(unit)) this.#bodyTokens += tokens
    this.#units.push(unit)
  }

  #divide(unit: Unit, limit: number, path: ReadonlyArray<OpenHeading>): void {
    const { count } = this.#limits
    const isCode = unit.kind === "code"
    const pieces = (isCode ? splitCode : splitText)(unit.text, limit, count)
      .map((piece) => unit.piece(piece))
      .filter(({ text }) => text !== "")
    for (const [index, piece] of pieces.entries()) {
      const tokens = count(piece.text)
      const hasRoom = this.isEmpty || this.#tokens + gapTokens + tokens <= this.#room
      if (!hasRoom || (isCode && this.#bodyTokens > 0)) this.close()
      if (this.isEmpty) this.#begin(path)
      this.#put(piece, tokens, path)
      if (isCode && pieces.length > 1) this.close({ index, count: pieces.length })
    }
  }

  /** Emits the units as one chunk, or as several if the whole has more tokens than its parts together. */
  #emit(units: ReadonlyArray<Unit>, part: Part | undefined): void {
    if (units.length === 0) return
    const { count, limit } = this.#limits
    const text = joinUnits(units)
    const tokens = count(embeddedText({ context: this.#context, text }))
    if (tokens > limit && units.length > 1) {
      this.#emit(units.slice(0, -1), part)
      return this.#emit(units.slice(-1), part)
    }
    const [only] = units
    if (tokens > limit && only !== undefined && only.text.length > 1) {
      const smaller = Math.max(1, limit - this.#contextTokens - (tokens - limit) - 2)
      const pieces = splitText(only.text, smaller, count).map(({ end, start }) => only.text.slice(start, end).trim())
      const texts = pieces.filter((piece) => piece !== "")
      if (texts.length > 1) {
        for (const piece of texts) this.#emit([{ ...only, text: piece }], part)
        return
      }
    }
    const body = units.filter((unit) => !isHeading(unit))
    const kinds = new Set((body.length > 0 ? body : units).map(({ kind }) => kind))
    const [kind] = kinds
    this.#emitter.emit({
      kind: kinds.size === 1 && kind !== undefined ? kind : "text",
      text,
      context: this.#context,
      headings: this.#headings,
      places: units.flatMap(({ places }) => places),
      tokens,
      ...(part === undefined ? {} : { part })
    })
  }
}
