// Items of lists: what Markdown's marks can say is said by them, and other markers are kept in the text.

/** The mark of an item, and what of its marker has to stay in the text. */
const markOf = (marker: string): { readonly mark: string; readonly kept: string } => {
  const trimmed = marker.trim()
  if (/^\d{1,9}[.)]$/.test(trimmed)) return { mark: trimmed, kept: "" }
  return { mark: "-", kept: /[\p{L}\p{N}]/u.test(trimmed) ? `${trimmed} ` : "" }
}

/** Knows the indents of the lists that are open. */
export class ListIndents {
  readonly #widths: Array<number> = []

  /** A block that is no item ends all lists. */
  end(): void {
    this.#widths.length = 0
  }

  get isOpen(): boolean {
    return this.#widths.length > 0
  }

  /** What the item begins with. An item deeper than one level below the one before is one level deeper. */
  begin(marker: string, depth: number): { readonly prefix: string; readonly kept: string } {
    const { kept, mark } = markOf(marker)
    this.#widths.length = Math.min(depth, this.#widths.length)
    const indent = this.#widths.reduce((sum, width) => sum + width, 0)
    this.#widths.push(mark.length + 1)
    return { prefix: `${" ".repeat(indent)}${mark} `, kept }
  }
}
