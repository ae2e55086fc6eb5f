// Draws text and lines on pages of a PDF. Places count from the top left corner.
import { literal, type PdfObject, writeObjects } from "../../../examples/pdf-writer.ts"

export type Font = "regular" | "bold" | "mono" | "world"

const names: Readonly<Record<Font, string>> = { regular: "/F1", bold: "/F2", mono: "/F3", world: "/F4" }

export const page = { width: 595, height: 842 } as const

/** Of Helvetica from the blank to the tilde, in thousandths of the size. */
const widths = (
  "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 " +
  "1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 " +
  "333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
  .split(" ")
  .map(Number)

/** `world` has every character, each as wide as it is high, or half as wide if it is not Chinese. */
export const widthOf = (text: string, size: number, font: Font): number => {
  const thousandths = Array.from(text, (character) => {
    if (font === "mono") return 600
    if (font === "world") return isWide(character) ? 1000 : 500
    return (widths[(character.codePointAt(0) ?? 32) - 32] ?? 556) * (font === "bold" ? 1.06 : 1)
  })
  return (thousandths.reduce((sum, width) => sum + width, 0) * size) / 1000
}

const isWide = (character: string): boolean => /[\u2e80-\u9fff\uff00-\uffef]/.test(character)

const hex = (text: string): string => `<${Buffer.from(text, "utf16le").swap16().toString("hex")}>`

const identity = `begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange
  1 beginbfrange <0000> <ffff> <0000> endbfrange endcmap`

const font = (base: string): string => `<< /Type /Font /Subtype /Type1 /BaseFont /${base} /Encoding /WinAnsiEncoding >>`

/** Objects 3 to 9. The codes of the fourth font are the characters. */
const fonts: ReadonlyArray<PdfObject> = [
  font("Helvetica"),
  font("Helvetica-Bold"),
  font("Courier"),
  "<< /Type /Font /Subtype /Type0 /BaseFont /World /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 9 0 R >>",
  `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /World /FontDescriptor 8 0 R /DW 500 /W [11904 40959 1000 65280 65519 1000]
     /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>`,
  `<< /Type /FontDescriptor /FontName /World /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 800 /Descent -200
     /CapHeight 700 /StemV 80 >>`,
  { entries: "", bytes: new TextEncoder().encode(identity) }
]
const firstPage = 3 + fonts.length

export class Pen {
  readonly #pages: Array<Array<string>> = []

  newPage(): void {
    this.#pages.push([])
  }

  get pages(): number {
    return this.#pages.length
  }

  /** The line's baseline is `size` below `y`. */
  text(text: string, x: number, y: number, size: number, font: Font): void {
    // Windows-1252 has the bullet here.
    const shown = font === "world" ? hex(text) : literal(text.replaceAll("•", "\u0095"))
    this.#pages
      .at(-1)
      ?.push(
        `BT ${names[font]} ${size} Tf 1 0 0 1 ${x.toFixed(2)} ${(page.height - y - size).toFixed(2)} Tm ${shown} Tj ET`
      )
  }

  line(x1: number, y1: number, x2: number, y2: number): void {
    this.#pages.at(-1)?.push(`0.5 w ${x1} ${page.height - y1} m ${x2} ${page.height - y2} l S`)
  }

  pdf(): Uint8Array {
    const kids = this.#pages.map((_, index) => `${firstPage + 2 * index} 0 R`).join(" ")
    return writeObjects([
      "<< /Type /Catalog /Pages 2 0 R >>",
      `<< /Type /Pages /Kids [${kids}] /Count ${this.pages} >>`,
      ...fonts,
      ...this.#pages.flatMap((operators, index): ReadonlyArray<PdfObject> => [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${page.width} ${page.height}] /Contents ${firstPage + 2 * index + 1} 0 R
           /Resources << /Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R /F4 6 0 R >> >> >>`,
        { entries: "", bytes: Buffer.from(operators.join("\n"), "latin1") }
      ])
    ])
  }
}
