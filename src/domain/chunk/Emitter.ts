// Numbers chunks and gives them their ids.
import type { Chunk, ChunkKind, ChunkPlace } from "./Chunk.ts"
import type { Found } from "./LinePlaces.ts"
import { joinPlaces } from "./Places.ts"

export interface NewChunk {
  readonly kind: ChunkKind
  readonly text: string
  readonly context: string
  readonly headings: ReadonlyArray<string>
  readonly places: ReadonlyArray<Found>
  readonly tokens: number
  readonly part?: Chunk["part"]
  readonly oversized?: boolean
}

export class Emitter {
  /** Names the bytes of the document. */
  readonly #document: string
  readonly #hash: (text: string) => string
  readonly #perPage = new Map<number, number>()
  #ready: Array<Chunk> = []
  #ordinal = 0

  constructor(document: string, hash: (text: string) => string) {
    this.#document = document
    this.#hash = hash
  }

  emit({ oversized, part, places, ...chunk }: NewChunk): void {
    const numbers = places.map(({ page }) => page)
    const first = numbers.reduce((least, page) => Math.min(least, page), Number.POSITIVE_INFINITY)
    const last = numbers.reduce((most, page) => Math.max(most, page), 0)
    const ordinal = this.#ordinal++
    this.#perPage.set(first, this.startedOn(first) + 1)
    this.#ready.push({
      id: this.#hash(`${this.#document}\n${ordinal}\n${chunk.text}`).slice(0, 32),
      ordinal,
      ...chunk,
      pages: [first, last],
      places: joinPlaces(
        places.flatMap(({ place }): ReadonlyArray<ChunkPlace> => (place === undefined ? [] : [place]))
      ),
      ...(part === undefined ? {} : { part }),
      ...(oversized === true ? { oversized } : {})
    })
  }

  /** How many chunks began on this page. */
  startedOn(page: number): number {
    return this.#perPage.get(page) ?? 0
  }

  /** What was emitted since the last call. */
  take(): ReadonlyArray<Chunk> {
    const ready = this.#ready
    this.#ready = []
    return ready
  }
}
