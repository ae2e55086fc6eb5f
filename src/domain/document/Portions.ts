/** How many bytes one read of the store may bring: rows are of very different sizes, so a count alone bounds nothing. */
import type { Document, PdfMetadata } from "./Document.ts"
import type { PageResult } from "./Page.ts"
import { type Warning, warning } from "./Warning.ts"

/** The most bytes, about, of one read; more only if the first item alone is larger. */
export const portionBytes = 1024 * 1024

/**
 * Larger metadata are not read, and a warning says so. They are now cut to less before they are stored, but were not always.
 */
export const largestMetadata = 256 * 1024
export const largestOutline = 4 * 1024 * 1024
export const metadataOmitted = warning("METADATA_CUT", "The metadata is larger than is shown, and was left out.")
export const outlineOmitted = warning("OUTLINE_CUT", "The outline is larger than is shown, and was left out.")

/** Items before the one that would make all larger than `most`; the first in any case. No later item is read. */
export const upTo = <A>(items: Iterable<A>, most: number, sizeOf: (item: A) => number): Array<A> => {
  const taken: Array<A> = []
  let size = 0
  for (const item of items) {
    size += sizeOf(item)
    if (taken.length > 0 && size > most) break
    taken.push(item)
  }
  return taken
}

/** Counts the characters of variable fields: near enough to bytes to bound memory. */
export const metadataSize = (metadata: PdfMetadata): number => {
  let size = 0
  for (const value of Object.values(metadata)) if (typeof value === "string") size += value.length
  return size
}

export const pageSize = ({ layout, lines, text }: PageResult): number =>
  lines.length + text.length + (layout?.length ?? 0)

const warningsSize = (warnings: ReadonlyArray<Warning>): number =>
  warnings.reduce((sum, { code, message }) => sum + code.length + message.length, 0)

/** Of a document without its outline. */
export const documentSize = ({ failure, metadata, name, sourceUrl, warnings = [] }: Document): number =>
  warningsSize(warnings) +
  name.length +
  (sourceUrl?.length ?? 0) +
  (metadata === undefined ? 0 : metadataSize(metadata)) +
  (failure?.message.length ?? 0)
