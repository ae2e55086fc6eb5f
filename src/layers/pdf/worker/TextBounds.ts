// What a worker hands over of one page is bounded: a file may show the same text a million times.
import type { TextLine } from "../../../domain/document/Page.ts"
import { type EncodedLayout, noLines } from "../../../domain/document/Page.ts"
import type { PageLayout } from "../../../domain/document/PageLayout.ts"
import { type Warning, warning } from "../../../domain/document/Warning.ts"
import { encodeLayout } from "../../../domain/document/LayoutBytes.ts"
import type { TextLayout } from "../text/PageText.ts"

/** In UTF-8; far more than a page that a person reads. */
export const mostTextBytes = 4 * 1024 * 1024
export const mostLineBytes = 16 * 1024 * 1024

/** As much of the text as fits, and never half of a character. */
const textWithin = (text: string): string => {
  if (text.length * 3 <= mostTextBytes || Buffer.byteLength(text) <= mostTextBytes) return text
  return Buffer.from(text)
    .subarray(0, mostTextBytes)
    .toString("utf8")
    .replace(/\ufffd+$/, "")
}

const encodeWithin = (lines: ReadonlyArray<TextLine>): { readonly encoded: string; readonly isCut: boolean } => {
  if (lines.length === 0) return { encoded: noLines, isCut: false }
  const encoded = JSON.stringify(lines)
  if (encoded.length * 3 <= mostLineBytes || Buffer.byteLength(encoded) <= mostLineBytes)
    return { encoded, isCut: false }
  const kept: Array<string> = []
  let bytes = 2
  for (const line of lines) {
    const one = JSON.stringify(line)
    bytes += Buffer.byteLength(one) + 1
    if (bytes > mostLineBytes) break
    kept.push(one)
  }
  return { encoded: `[${kept.join(",")}]`, isCut: true }
}

/** Text and encoded lines as they are kept. */
export const boundedText = (
  layout: TextLayout
): { readonly text: string; readonly lines: string; readonly warnings: ReadonlyArray<Warning> } => {
  const text = textWithin(layout.text)
  const { encoded, isCut } = encodeWithin(layout.lines)
  return { text, lines: encoded, warnings: isCut || text !== layout.text ? [warning("TEXT_CUT")] : [] }
}

/** The layout as it is kept, as a field of the page's result. */
export const boundedLayout = (
  layout: PageLayout
): { readonly field: { readonly layout: EncodedLayout }; readonly warnings: ReadonlyArray<Warning> } => {
  const { bytes, isCut } = encodeLayout(layout)
  return { field: { layout: bytes }, warnings: isCut ? [warning("LAYOUT_CUT")] : [] }
}
