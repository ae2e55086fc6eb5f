// Pages as a scanner makes them: an image, and nothing of its text.
import { deflateSync } from "node:zlib"
import { firstExtraObject, writePdf } from "../../examples/pdf-writer.ts"
import { collapse, textDistance } from "../../bench/score/metrics/Strings.ts"
import type { GreyImage } from "../../src/services/Ocr.ts"

export interface Scan {
  readonly image: GreyImage
  /** Of the page, in points. */
  readonly width: number
  readonly height: number
}

/** A PDF with one page for each image, which covers it. */
export const scansPdf = (scans: ReadonlyArray<Scan>): Uint8Array =>
  writePdf({
    pages: scans.map(({ height, width }, index) => ({
      content: `q ${width} 0 0 ${height} 0 0 cm /Scan Do Q`,
      xObjects: `/Scan ${firstExtraObject + index} 0 R`,
      mediaBox: [0, 0, width, height]
    })),
    objects: scans.map(({ image }) => ({
      entries:
        `/Type /XObject /Subtype /Image /Width ${image.width} /Height ${image.height} ` +
        "/BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /FlateDecode",
      bytes: deflateSync(image.bytes, { level: 1 })
    }))
  })

/** What differs only in how it was typed is the same; a word that is divided at the end of a line is whole. */
const plain = (text: string): string =>
  collapse(
    text
      .normalize("NFKC")
      .replaceAll(/[‘’‚`´]/g, "'")
      .replaceAll(/[“”„]/g, '"')
      .replaceAll(/[‐‑–—−]/g, "-")
      .replaceAll(/(\p{L})-\s*\n\s*(\p{Ll})/gu, "$1$2")
  )

/** The share of characters that are wrong, missing or too many. */
export const characterErrorRate = (truth: string, found: string): number => textDistance(plain(truth), plain(found))
