// Writes small PDFs: text at positions, drawings, images, an outline and metadata. Enough for examples and tests, and the
// same input always gives the same bytes.

/** Text with its baseline starting at (`x`, `y`), in points from the bottom left corner of the page. `angle` counts anticlockwise. */
export interface PlacedText {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly size?: number
  readonly font?: Font
  readonly angle?: number
}

/** `ligatures` is Helvetica in an encoding that has ﬁ (byte 0xDE) and ﬂ (byte 0xDF). */
export type Font = "regular" | "bold" | "ligatures"

export interface Page {
  readonly text?: ReadonlyArray<PlacedText>
  /** Operators, painted after the text. `/F1`, `/F2`, `/F3` are the fonts, `/Im` is a small grey image. */
  readonly content?: string
  /** The content stream as it shall stand in the file, with the entries of its dictionary: takes the place of the rest. */
  readonly raw?: { readonly entries: string; readonly bytes: Uint8Array }
  /** An image over the whole page, as a scanner makes it. */
  readonly scan?: boolean
  readonly mediaBox?: readonly [number, number, number, number]
  readonly rotate?: number
  /** Further entries of the page's resources, for objects given to the document as `objects`. */
  readonly xObjects?: string
}

export interface Bookmark {
  readonly title: string
  /** Counts from 1. */
  readonly page?: number
  readonly items?: ReadonlyArray<Bookmark>
}

export interface PdfSource {
  readonly pages: ReadonlyArray<Page>
  readonly info?: Readonly<Record<string, string>>
  readonly outline?: ReadonlyArray<Bookmark>
  /** What the page tree claims, if not the truth. */
  readonly count?: number
  /** Further entries of the catalogue. */
  readonly catalog?: string
  /** Further objects, which may refer to one another: the first has the number `firstExtraObject`. */
  readonly objects?: ReadonlyArray<PdfObject>
  readonly cipher?: Cipher
}

/** An object's body, or a stream with the entries of its dictionary. */
export type PdfObject = string | { readonly entries: string; readonly bytes: Uint8Array }

/** Encrypts streams; strings are left as they are. */
export interface Cipher {
  readonly dictionary: string
  readonly fileId: string
  readonly encrypt: (objectNumber: number, bytes: Uint8Array) => Uint8Array
}

/** A4 in points. */
export const a4 = { width: 595, height: 842 } as const

const fonts: Readonly<Record<Font, string>> = { regular: "/F1", bold: "/F2", ligatures: "/F3" }

/** A string of Latin-1 characters as it stands in a file. */
export const literal = (text: string): string => `(${text.replace(/[\\()]/g, "\\$&")})`

const place = ({ text, x, y, size = 11, font = "regular", angle = 0 }: PlacedText): string => {
  const radians = (angle * Math.PI) / 180
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)].map((value) => value.toFixed(5))
  const position = angle === 0 ? `1 0 0 1 ${x} ${y}` : `${cos} ${sin} ${-Number(sin)} ${cos} ${x} ${y}`
  return `BT ${fonts[font]} ${size} Tf ${position} Tm ${literal(text)} Tj ET`
}

/** Puts numbered objects together to a file. Object 1 is the catalogue. */
export const writeObjects = (objects: ReadonlyArray<PdfObject>, trailer = "", cipher?: Cipher): Uint8Array => {
  const chunks: Array<Buffer> = []
  let length = 0
  const write = (chunk: string | Uint8Array): void => {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, "latin1") : Buffer.from(chunk)
    chunks.push(bytes)
    length += bytes.length
  }
  write("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
  const offsets = objects.map((object, index) => {
    const offset = length
    write(`${index + 1} 0 obj\n`)
    if (typeof object === "string") {
      write(object)
    } else {
      const bytes = cipher === undefined ? object.bytes : cipher.encrypt(index + 1, object.bytes)
      write(`<< ${object.entries} /Length ${bytes.length} >>\nstream\n`)
      write(bytes)
      write("\nendstream")
    }
    write("\nendobj\n")
    return offset
  })
  const start = length
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")
  write(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`)
  const encryption =
    cipher === undefined ? "" : `/Encrypt ${cipher.dictionary} /ID [<${cipher.fileId}> <${cipher.fileId}>]`
  write(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} ${encryption} >>\nstartxref\n${start}\n%%EOF\n`)
  return new Uint8Array(Buffer.concat(chunks))
}

const fixedObjects: ReadonlyArray<PdfObject> = [
  "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
  "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
  "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /MacRomanEncoding >>",
  {
    entries: "/Type /XObject /Subtype /Image /Width 4 /Height 4 /ColorSpace /DeviceGray /BitsPerComponent 8",
    bytes: Uint8Array.from({ length: 16 }, (_, index) => 80 + 10 * index)
  }
]

// Catalogue, page tree, three fonts, the image; then whatever the caller adds.
const firstFixed = 3
export const firstExtraObject = firstFixed + fixedObjects.length
const resources = "/Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R >>"

const pageObjects = (page: Page, number: number): ReadonlyArray<PdfObject> => {
  const [left, bottom, right, top] = page.mediaBox ?? [0, 0, a4.width, a4.height]
  const scan = page.scan === true ? `q ${right - left} 0 0 ${top - bottom} ${left} ${bottom} cm /Im Do Q` : ""
  const operators = [scan, ...(page.text ?? []).map(place), page.content ?? ""].filter((part) => part !== "").join("\n")
  const rotate = page.rotate === undefined ? "" : `/Rotate ${page.rotate}`
  return [
    `<< /Type /Page /Parent 2 0 R /MediaBox [${left} ${bottom} ${right} ${top}] ${rotate} /Contents ${number + 1} 0 R ` +
      `/Resources << ${resources} /XObject << /Im 6 0 R ${page.xObjects ?? ""} >> >> >>`,
    page.raw ?? { entries: "", bytes: Buffer.from(operators, "latin1") }
  ]
}

const outlineObjects = (bookmarks: ReadonlyArray<Bookmark>, root: number, firstPage: number): ReadonlyArray<string> => {
  const objects: Array<string> = []
  // Adds the items of one level and what is below them; returns the numbers of the first and the last.
  const level = (items: ReadonlyArray<Bookmark>, parent: number): string => {
    const numbers = items.map(() => root + objects.push(""))
    items.forEach((item, index) => {
      const own = numbers[index] ?? root
      const link = (key: string, number: number | undefined): string =>
        number === undefined ? "" : `/${key} ${number} 0 R `
      const target = item.page === undefined ? "" : `/Dest [${firstPage + 2 * (item.page - 1)} 0 R /Fit] `
      const below = item.items === undefined || item.items.length === 0 ? "" : level(item.items, own)
      objects[own - root - 1] =
        `<< /Title ${literal(item.title)} ${link("Parent", parent)}${link("Prev", numbers[index - 1])}` +
        `${link("Next", numbers[index + 1])}${target}${below}>>`
    })
    return `/First ${numbers[0]} 0 R /Last ${numbers.at(-1)} 0 R /Count ${numbers.length} `
  }
  const top = level(bookmarks, root)
  return [`<< /Type /Outlines ${top}>>`, ...objects]
}

export const writePdf = (source: PdfSource): Uint8Array => {
  const extra = source.objects ?? []
  const firstPage = firstExtraObject + extra.length
  const pages = source.pages.flatMap((page, index) => pageObjects(page, firstPage + 2 * index))
  const outlineRoot = firstPage + pages.length
  const outline =
    source.outline === undefined || source.outline.length === 0
      ? []
      : outlineObjects(source.outline, outlineRoot, firstPage)
  const info = Object.entries(source.info ?? {})
  const infoObject = `<< ${info.map(([key, value]) => `/${key} ${literal(value)}`).join(" ")} >>`
  const kids = source.pages.map((_, index) => `${firstPage + 2 * index} 0 R`).join(" ")
  return writeObjects(
    [
      `<< /Type /Catalog /Pages 2 0 R ${outline.length === 0 ? "" : `/Outlines ${outlineRoot} 0 R`} ${source.catalog ?? ""} >>`,
      `<< /Type /Pages /Kids [${kids}] /Count ${source.count ?? source.pages.length} >>`,
      ...fixedObjects,
      ...extra,
      ...pages,
      ...outline,
      ...(info.length === 0 ? [] : [infoObject])
    ],
    info.length === 0 ? "" : `/Info ${outlineRoot + outline.length} 0 R`,
    source.cipher
  )
}

/** A page of lines set below one another, from the top. */
export const linesPage = (lines: ReadonlyArray<string>, options?: { readonly size?: number }): Page => {
  const size = options?.size ?? 11
  return { text: lines.map((text, index) => ({ text, x: 72, y: a4.height - 72 - index * size * 1.4, size })) }
}
