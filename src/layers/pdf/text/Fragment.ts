// A piece of text in a frame in which all text reads from left to right and top to bottom.

/** What a run knows of its glyphs: see `reportGlyphs`. `scale` takes its numbers to those of the fragment's frame. */
export interface GlyphPlaces {
  readonly pieces: Iterable<string>
  readonly places: ReadonlyArray<number>
  readonly scale: number
}

/** Coordinates are those of the fragment's frame. `left` to `right` along the baseline; `size` is that of the font. */
export interface Fragment {
  readonly text: string
  readonly left: number
  readonly right: number
  readonly baseline: number
  readonly size: number
  readonly rightToLeft: boolean
  /** The file itself has white space between this and the fragment before it. */
  readonly spaced: boolean
  /** Its place among the fragments of the page, as the file shows them. */
  readonly order: number
  readonly glyphs: GlyphPlaces | undefined
  /** Weight, slant and the like: see `Looks.ts`. */
  readonly look: number
  /** The piece of tagged content that it belongs to. */
  readonly tag: string | undefined
}
