// PDFs that mean harm. Nothing here is read from disk; the same call always gives the same bytes.
import { constants, deflateRawSync, deflateSync } from "node:zlib"
import type { PdfObject } from "../../examples/pdf-writer.ts"
import { firstExtraObject, linesPage, writeObjects, writePdf } from "../../examples/pdf-writer.ts"
import type { Page } from "./pdf.ts"

/** A page whose content is said to have these entries. */
const rawPage = (entries: string, bytes: Uint8Array): Page => ({ raw: { entries, bytes } })

const bombOf = (page: Page, beside: ReadonlyArray<Page>): Uint8Array => writePdf({ pages: [...beside, page] })

/** LZW (early change 1) of at least `bytes` zeros: each code stands for one zero more than the one before it. */
const lzwZeros = (bytes: number): Uint8Array => {
  const clear = 256
  const lastCode = 4093
  const bits: Array<string> = []
  const put = (code: number, width: number) => bits.push(code.toString(2).padStart(width, "0"))
  const cycle = () => {
    put(0, 9)
    for (let code = 258; code <= lastCode; code++) put(code, Math.min(12, Math.floor(Math.log2(code + 1)) + 1))
    put(clear, 12)
  }
  put(clear, 9)
  const perCycle = ((lastCode - 256) * (lastCode - 255)) / 2
  // Eight cycles end on the bit on which they began, so the bytes repeat.
  for (let n = 0; n < 8; n++) cycle()
  const all = bits.join("")
  const [head, tail] = [all.slice(0, 9), all.slice(9)]
  const rounds = Math.ceil(bytes / (8 * perCycle))
  const period = tail.length / 8
  const bytesOf = (text: string): Uint8Array =>
    Uint8Array.from({ length: Math.ceil(text.length / 8) }, (_, index) =>
      Number.parseInt(text.slice(8 * index, 8 * index + 8).padEnd(8, "0"), 2)
    )
  // The first clear code shifts all that follows by one bit: the last bit of the head goes in front of every round.
  const shifted = bytesOf(head.slice(8) + tail).subarray(0, period)
  const next = bytesOf(tail.slice(-1) + tail).subarray(0, period)
  return Buffer.concat([bytesOf(head.slice(0, 8)), shifted, ...Array.from({ length: rounds - 1 }, () => next)])
}

/** One page that inflates to `bytes` bytes through LZW. */
export const lzwBomb = (bytes: number, beside: ReadonlyArray<Page> = []): Uint8Array =>
  bombOf(rawPage("/Filter /LZWDecode", lzwZeros(bytes)), beside)

/** One page that inflates to `bytes` bytes through a RunLength stream inside two Flate streams. */
export const runLengthBomb = (bytes: number, beside: ReadonlyArray<Page> = []): Uint8Array => {
  const runs = Buffer.alloc(bytes / 64)
  // 0x81: the next byte 128 times.
  for (let at = 0; at < runs.length; at += 2) runs[at] = 0x81
  const filters = "/Filter [/FlateDecode /FlateDecode /RunLengthDecode]"
  return bombOf(rawPage(filters, deflateSync(deflateSync(runs))), beside)
}

// Deflate of the text and then `bytes` zeros, of which no more than a block is ever held.
const deflatedWithZeros = (text: string, bytes: number): Uint8Array => {
  const block = 1 << 20
  const raw = (part: Uint8Array): Buffer => deflateRawSync(part, { level: 9, finishFlush: constants.Z_FULL_FLUSH })
  const modulus = 65521
  let [low, high] = [1, 0]
  for (const byte of Buffer.from(text, "latin1")) {
    low = (low + byte) % modulus
    high = (high + low) % modulus
  }
  const zeros = raw(Buffer.alloc(block))
  const blocks = Array.from({ length: Math.ceil(bytes / block) }, () => {
    high = (high + block * low) % modulus
    return zeros
  })
  const end = Buffer.from([0x03, 0x00, 0, 0, 0, 0])
  end.writeUInt16BE(high, 2)
  end.writeUInt16BE(low, 4)
  return Buffer.concat([Buffer.from([0x78, 0xda]), raw(Buffer.from(text, "latin1")), ...blocks, end])
}

/** A file whose page tree lies in an object stream that inflates to `bytes` bytes: opening it sets it off. */
export const objectStreamBomb = (bytes: number): Uint8Array => {
  const head = "2 0 3 60 "
  const pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".padEnd(60)
  const page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
  const deflated = deflateSync(deflatedWithZeros(head + pages + page, bytes))

  const chunks: Array<Buffer> = [Buffer.from("%PDF-1.7\n", "latin1")]
  const length = () => chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const add = (text: string, stream?: Uint8Array): number => {
    const offset = length()
    chunks.push(Buffer.from(text, "latin1"))
    if (stream !== undefined) chunks.push(Buffer.from("\nstream\n"), Buffer.from(stream), Buffer.from("\nendstream"))
    chunks.push(Buffer.from("\nendobj\n"))
    return offset
  }
  const catalog = add("1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>")
  const filters = "/Filter [/FlateDecode /FlateDecode]"
  const objects = add(
    `4 0 obj\n<< /Type /ObjStm /N 2 /First ${head.length} ${filters} /Length ${deflated.length} >>`,
    deflated
  )
  const own = length()
  const entry = (type: number, field: number, index: number): Buffer => {
    const row = Buffer.alloc(7)
    row.writeUInt8(type, 0)
    row.writeUInt32BE(field, 1)
    row.writeUInt16BE(index, 5)
    return row
  }
  const table = Buffer.concat([
    entry(0, 0, 65535),
    entry(1, catalog, 0),
    entry(2, 4, 0),
    entry(2, 4, 1),
    entry(1, objects, 0),
    entry(1, own, 0)
  ])
  add(`5 0 obj\n<< /Type /XRef /Size 6 /W [1 4 2] /Root 1 0 R /Length ${table.length} >>`, table)
  chunks.push(Buffer.from(`startxref\n${own}\n%%EOF\n`))
  return new Uint8Array(Buffer.concat(chunks))
}

/** A page of `count` path operators, after the pages `beside` it. */
export const manyOperators = (count: number, beside: ReadonlyArray<Page> = []): Uint8Array => {
  const content = Buffer.from("0 0 m 9 9 l S\n".repeat(Math.ceil(count / 3)), "latin1")
  return bombOf(rawPage("/Filter /FlateDecode", deflateSync(content)), beside)
}

/** A page with `count` images, each of its own, after the pages `beside` it. */
export const manyImages = (count: number, beside: ReadonlyArray<Page> = []): Uint8Array => {
  const objects: ReadonlyArray<PdfObject> = Array.from({ length: count }, (_, index) => ({
    entries: "/Type /XObject /Subtype /Image /Width 4 /Height 4 /ColorSpace /DeviceGray /BitsPerComponent 8",
    bytes: Uint8Array.from({ length: 16 }, () => index % 256)
  }))
  const names = objects.map((_, index) => `/N${index} ${firstExtraObject + index} 0 R`).join(" ")
  const content = objects.map((_, index) => `/N${index} Do`).join("\n")
  return writePdf({ pages: [...beside, { content, xObjects: names }], objects })
}

/** An image that claims far more pixels than any memory holds. */
export const giantImage = (): Uint8Array =>
  writePdf({
    pages: [{ content: "q 100 0 0 100 0 0 cm /Giant Do Q", xObjects: `/Giant ${firstExtraObject} 0 R` }],
    objects: [
      {
        entries:
          "/Type /XObject /Subtype /Image /Width 1000000 /Height 1000000 /ColorSpace /DeviceRGB /BitsPerComponent 8",
        bytes: new Uint8Array(64)
      }
    ]
  })

/** A cross-reference table whose predecessor is itself. */
export const xrefCycle = (): Uint8Array => {
  const text = Buffer.from(writePdf({ pages: [linesPage(["Round and round"])] })).toString("latin1")
  const start = /startxref\n(\d+)/.exec(text)?.[1] ?? "0"
  return new Uint8Array(Buffer.from(text.replace("/Root 1 0 R", `/Root 1 0 R /Prev ${start}`), "latin1"))
}

/** A Type 3 font whose only glyph shows text in that font. */
export const type3Cycle = (): Uint8Array => {
  const font = firstExtraObject
  return writeObjects([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << /Font << /T3 ${font} 0 R >> >> >>`,
    { entries: "", bytes: Buffer.from("BT /T3 12 Tf 20 100 Td (aaa) Tj ET") },
    { entries: "", bytes: Buffer.from("1000 0 d0 BT /T3 1 Tf (aaa) Tj ET") },
    "null",
    `<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << /a 5 0 R >> ` +
      `/Encoding << /Differences [97 /a] >> /FirstChar 97 /LastChar 97 /Widths [1000] ` +
      `/Resources << /Font << /T3 ${font} 0 R >> >> >>`
  ])
}

/** Opens with JavaScript, launches a program, carries an attachment and a form. `marker` is what running any of it would make. */
export const activeContent = (marker: string): Uint8Array =>
  writePdf({
    pages: [linesPage(["Harmless to look at"])],
    catalog:
      `/OpenAction << /S /JavaScript /JS (require\\("fs"\\).writeFileSync\\("${marker}", ""\\)) ` +
      `/Next << /S /Launch /F (/bin/sh) /Unix << /F (/usr/bin/touch) /P (${marker}) >> >> >> ` +
      `/AcroForm << /Fields [${firstExtraObject + 2} 0 R] /XFA ${firstExtraObject + 3} 0 R >> ` +
      `/Names << /EmbeddedFiles << /Names [(evil.exe) ${firstExtraObject} 0 R] >> ` +
      `/JavaScript << /Names [(start) << /S /JavaScript /JS (app.alert\\(1\\)) >>] >> >>`,
    objects: [
      `<< /Type /Filespec /F (evil.exe) /EF << /F ${firstExtraObject + 1} 0 R >> >>`,
      { entries: "/Type /EmbeddedFile", bytes: Buffer.from("MZ") },
      "<< /FT /Tx /T (field) /V (value) >>",
      { entries: "", bytes: Buffer.from("<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'></xdp:xdp>") }
    ]
  })

/** A page tree of `10 ** levels` pages in a few hundred bytes: each node has ten times the same child. */
export const pageTreeBomb = (levels: number, honest = true): Uint8Array => {
  const nodes = Array.from({ length: levels }, (_, level) => {
    const child = `${level + 3} 0 R `
    const parent = level === 0 ? "" : `/Parent ${level + 1} 0 R`
    return `<< /Type /Pages ${parent} /Kids [${child.repeat(10)}] /Count ${honest ? 10 ** (levels - level) : 7} >>`
  })
  const page = `<< /Type /Page /Parent ${levels + 1} 0 R /MediaBox [0 0 9 9] >>`
  return writeObjects(["<< /Type /Catalog /Pages 2 0 R >>", ...nodes, page])
}
