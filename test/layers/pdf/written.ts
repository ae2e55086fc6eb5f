// Files put together object by object, with what a test wants to break in them; and what is read of them.
import { Effect } from "effect"
import { openPdf } from "../../../src/layers/pdf/worker/Reader.ts"
import type { PdfObject } from "../../support/pdf.ts"
import { writeObjects } from "../../support/pdf.ts"

export const helvetica = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"

export const stream = (bytes: string | Uint8Array, entries = ""): PdfObject => ({
  entries,
  bytes: typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes
})

/** An operator sequence that shows one line. */
export const shows = (text: string, y = 700): string => `BT /F1 12 Tf 72 ${y} Td (${text}) Tj ET\n`

export interface OnePage {
  readonly content: string | PdfObject
  /** Further entries: of the catalogue, of the page, of its resources, of the fonts among them. */
  readonly catalog?: string
  readonly page?: string
  readonly resources?: string
  readonly fonts?: string
  /** From object `firstMore` on. */
  readonly more?: ReadonlyArray<PdfObject>
  readonly trailer?: string
}

export const firstMore = 6

/** A file with one page: catalogue, page tree, page, content and Helvetica as `/F1` are its objects 1 to 5. */
export const onePage = ({
  catalog = "",
  content,
  fonts = "",
  more = [],
  page = "",
  resources = "",
  trailer
}: OnePage) =>
  writeObjects(
    [
      `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
      "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R ${page}
        /Resources << /Font << /F1 5 0 R ${fonts} >> ${resources} >> >>`,
      typeof content === "string" ? stream(content) : content,
      helvetica,
      ...more
    ],
    trailer
  )

/** Everything that is read of a file. */
export const readAll = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const reader = yield* openPdf(bytes, undefined)
  const numbers = Array.from({ length: reader.pageCount }, (_, index) => index + 1)
  const pages = yield* Effect.forEach(numbers, reader.readPage)
  return { described: yield* reader.describe, pages }
}, Effect.scoped)

/** The only page of a file. */
export const readFirst = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const reader = yield* openPdf(bytes, undefined)
  return yield* reader.readPage(1)
}, Effect.scoped)

export const codesOf = (warned: { readonly warnings?: ReadonlyArray<{ readonly code: string }> }) =>
  (warned.warnings ?? []).map(({ code }) => code)
