/** What a rendering shows. */
export interface RenderOptions {
  /** Running headers and footers and page numbers: left out unless `keep`. */
  readonly headers: "keep" | "drop"
  /** Text that a reader of the page does not see: kept unless `drop`. */
  readonly hidden: "keep" | "drop"
  /** Whether bold and italic are shown. */
  readonly emphasis: boolean
}

export const renderDefaults: RenderOptions = { headers: "drop", hidden: "keep", emphasis: false }

/** The hyphenated words, in small letters, that keep their hyphen where a line ends with it. */
export type Compounds = ReadonlySet<string>

export const noCompounds: Compounds = new Set()
