/** Selections of documents with their details, and the codecs of rows that both databases share. */
import type { PageResult } from "../../../domain/document/Page.ts"
import type { OpenedPdf } from "../../../services/PdfEngine.ts"
import { largestMetadata, largestOutline } from "../../../domain/document/Portions.ts"
import { encodeFailure, encodeMetadata, encodeOutline, encodeWarnings } from "../../rows/documentRows.ts"
import { byteas, float8s, int4, int4s, text, texts } from "../database/Parameters.ts"

export {
  decodePageStatus,
  decodeStatus,
  encodeFailure,
  number,
  optional,
  optionalText,
  progress,
  rowSize,
  text,
  toDocument,
  toPage
} from "../../rows/documentRows.ts"

/** The length of a value is known without reading it, and one that is too large is not read. */
const unless = (column: string, most: number) =>
  `CASE WHEN octet_length(x.${column}) <= ${most} THEN x.${column} END AS ${column},
  (octet_length(x.${column}) > ${most})::int AS ${column}_omitted`

const metadataColumns = `${unless("metadata", largestMetadata)}, x.warnings`
const outlineColumns = `${metadataColumns}, ${unless("outline", largestOutline)}`

/** Documents `d` of a table or a function, with what was found when they were opened. */
export const documentsFrom = (source: string, more = ""): string =>
  `SELECT d.*, ${metadataColumns}${more} FROM ${source} d LEFT JOIN document_details x ON x.document = d.seq`

export const documentsWithOutline = `
  SELECT d.*, ${outlineColumns} FROM documents d LEFT JOIN document_details x ON x.document = d.seq`

/** Arguments for `open_document` and `finish_whole_document`. */
export const detailArguments = ({ metadata, outline, pageCount, warnings = [] }: OpenedPdf) => [
  int4(pageCount),
  text(encodeMetadata(metadata)),
  text(encodeOutline(outline)),
  text(warnings.length === 0 ? undefined : encodeWarnings(warnings))
]

/** Arguments for `save_pages` and `finish_whole_document`. */
export const pageArguments = (pages: ReadonlyArray<PageResult>) => [
  int4s(pages.map(({ number }) => number)),
  texts(pages.map(({ status }) => status)),
  float8s(pages.map(({ width }) => width)),
  float8s(pages.map(({ height }) => height)),
  float8s(pages.map(({ rotation }) => rotation)),
  float8s(pages.map(({ elapsedMillis }) => elapsedMillis)),
  texts(pages.map(({ error }) => (error === undefined ? undefined : encodeFailure(error)))),
  texts(pages.map(({ warnings = [] }) => (warnings.length === 0 ? undefined : encodeWarnings(warnings)))),
  texts(pages.map((page) => page.text)),
  texts(pages.map(({ lines }) => lines)),
  byteas(pages.map(({ layout }) => layout))
]

/** Whether any page has one. The argument may then follow those of the pages. */
export const sourceArgument = (pages: ReadonlyArray<PageResult>) => texts(pages.map(({ source }) => source))

/** `$from, …` for so many arguments. */
export const placeholders = (from: number, count: number): string =>
  Array.from({ length: count }, (_, index) => `$${from + index}`).join(", ")
