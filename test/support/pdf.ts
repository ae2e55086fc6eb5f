// PDFs for tests, healthy and hostile. Nothing here is read from disk; the same call always gives the same bytes.
import { createHash } from "node:crypto"
import { constants, deflateRawSync, deflateSync } from "node:zlib"
import type { Cipher, Page, PdfObject } from "../../examples/pdf-writer.ts"
import { firstExtraObject, linesPage, literal, writeObjects, writePdf } from "../../examples/pdf-writer.ts"

export type { Bookmark, Page, PdfObject, PdfSource, PlacedText } from "../../examples/pdf-writer.ts"
export { a4, writeObjects, writePdf as makePdf, linesPage as textPage } from "../../examples/pdf-writer.ts"

/** `n` pages with a line each: "Page 1 of n", ... */
export const manyPages = (n: number): Uint8Array =>
  writePdf({ pages: Array.from({ length: n }, (_, index) => linesPage([`Page ${index + 1} of ${n}`])) })

/** A page with this text that keeps a reader busy for some tens of milliseconds. */
export const slowPage = (text: string, operators: number): Page => {
  const content = `BT /F1 11 Tf 72 700 Td ${literal(text)} Tj ET\n${"0 0 m 9 9 l S\n".repeat(operators)}`
  return { raw: { entries: "/Filter /FlateDecode", bytes: deflateSync(content, { level: 1 }) } }
}

/** As `manyPages`, but each page takes some ten milliseconds. */
export const slowPages = (n: number): Uint8Array =>
  writePdf({ pages: Array.from({ length: n }, (_, index) => slowPage(`Page ${index + 1} of ${n}`, 10_000)) })

/** A page with an image over all of it and no text. */
export const scannedPage: Page = { scan: true }

/** A page with nothing on it. */
export const emptyPage: Page = {}

/** A page whose content cannot be decoded. The pages beside it are not harmed. */
export const brokenPage: Page = {
  raw: {
    entries: "/Filter /FlateDecode",
    bytes: Buffer.from("x\xda deflated no further than this, not at all", "latin1")
  }
}

/** A file that needs `userPassword` (RC4 with 128 bits; the streams are encrypted, the strings are not). */
export const makeEncryptedPdf = (
  userPassword: string,
  pages: ReadonlyArray<Page> = [linesPage(["Behind the password"])]
): Uint8Array => writePdf({ pages, cipher: rc4Cipher(userPassword, "owner") })

/** The file without the end of it. */
export const truncated = (pdf: Uint8Array, keep = 0.5): Uint8Array => pdf.slice(0, Math.floor(pdf.length * keep))

/** A page tree in which a node is its own descendant. */
export const pageTreeCycle = (): Uint8Array =>
  writeObjects([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 2 >>",
    "<< /Type /Pages /Parent 2 0 R /Kids [2 0 R 3 0 R] /Count 2 >>"
  ])

/** An outline whose items follow one another in a circle. */
export const outlineCycle = (): Uint8Array =>
  writePdf({
    pages: [linesPage(["One page"])],
    catalog: `/Outlines ${firstExtraObject} 0 R`,
    objects: [
      `<< /First ${firstExtraObject + 1} 0 R /Last ${firstExtraObject + 2} 0 R /Count 2 >>`,
      `<< /Title (one) /Next ${firstExtraObject + 2} 0 R /First ${firstExtraObject} 0 R >>`,
      `<< /Title (two) /Next ${firstExtraObject + 1} 0 R /First ${firstExtraObject + 1} 0 R >>`
    ]
  })

/** A file whose one page inflates to `bytes` bytes of blanks. The file has about a millionth of that, and is made at once. */
export const flateBomb = (bytes: number, beside: ReadonlyArray<Page> = []): Uint8Array =>
  writePdf({
    pages: [
      ...beside,
      {
        raw: { entries: "/Filter [/FlateDecode /FlateDecode]", bytes: deflateSync(deflatedZeros(bytes), { level: 9 }) }
      }
    ]
  })

/**
 * A file whose one page keeps a reader busy without taking memory: forms that draw forms, ten of them on each of `depth`
 * levels, so that 10 ** depth are drawn.
 */
export const nestedForms = (depth: number, beside: ReadonlyArray<Page> = []): Uint8Array => {
  const width = 10
  const number = (level: number, index: number): number => firstExtraObject + level * width + index
  const names = (level: number): string =>
    Array.from({ length: width }, (_, index) => `/X${index} ${number(level, index)} 0 R`).join(" ")
  const drawAll = Array.from({ length: width }, (_, index) => `/X${index} Do`).join(" ")
  const objects: Array<PdfObject> = []
  for (let level = 0; level < depth; level++) {
    const last = level === depth - 1
    for (let index = 0; index < width; index++) {
      objects.push({
        entries: `/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Resources << /XObject << ${last ? "" : names(level + 1)} >> >>`,
        bytes: Buffer.from(last ? `${index} 0 m` : drawAll)
      })
    }
  }
  return writePdf({ pages: [...beside, { content: drawAll, xObjects: names(0) }], objects })
}

/** A file with one page that is read for hours, after the pages `beside` it. */
export const spinningPage = (beside: ReadonlyArray<Page> = []): Uint8Array => nestedForms(9, beside)

// Deflate of `bytes` zeros. A block that ends on a byte boundary may be repeated, so nothing of that size is ever held.
const deflatedZeros = (bytes: number): Uint8Array => {
  const step = 1 << 20
  const { Z_FULL_FLUSH } = constants
  const block = deflateRawSync(Buffer.alloc(step), { level: 9, finishFlush: Z_FULL_FLUSH })
  const blocks = Math.ceil(bytes / step)
  const end = Buffer.from([0x03, 0x00, 0, 0, 0, 1])
  // Adler-32 of zeros: the low half stays 1, the high half counts them.
  end.writeUInt16BE((blocks * step) % 65521, 2)
  return Buffer.concat([Buffer.from([0x78, 0xda]), ...Array.from({ length: blocks }, () => block), end])
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const md5 = (...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const hash = createHash("md5")
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const rc4 = (key: Uint8Array, data: Uint8Array): Uint8Array => {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index)
  const at = (index: number): number => state[index & 255] ?? 0
  const swap = (i: number, j: number): void => {
    const kept = at(i)
    state[i & 255] = at(j)
    state[j & 255] = kept
  }
  for (let i = 0, j = 0; i < 256; i++) swap(i, (j = (j + at(i) + (key[i % key.length] ?? 0)) & 255))
  let i = 0
  let j = 0
  return Uint8Array.from(data, (byte) => {
    i = (i + 1) & 255
    j = (j + at(i)) & 255
    swap(i, j)
    return byte ^ at(at(i) + at(j))
  })
}

const padding = Buffer.from("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A", "hex")
const padded = (password: string): Buffer => Buffer.concat([Buffer.from(password, "latin1"), padding]).subarray(0, 32)

const twentyTimes = (key: Uint8Array, data: Uint8Array): Uint8Array => {
  let result = data
  for (let round = 0; round < 20; round++)
    result = rc4(
      key.map((byte) => byte ^ round),
      result
    )
  return result
}

const fiftyTimes = (start: Uint8Array): Uint8Array => {
  let result = start
  for (let round = 0; round < 50; round++) result = md5(result)
  return result
}

// The standard security handler, version 4, revision 4 (ISO 32000-1, 7.6.3), with RC4 and plain strings.
const rc4Cipher = (userPassword: string, ownerPassword: string): Cipher => {
  const fileId = "000102030405060708090a0b0c0d0e0f"
  const id = Buffer.from(fileId, "hex")
  const permissions = -4
  const permissionBytes = Buffer.alloc(4)
  permissionBytes.writeInt32LE(permissions)
  const owner = twentyTimes(fiftyTimes(md5(padded(ownerPassword))), padded(userPassword))
  const key = fiftyTimes(md5(padded(userPassword), owner, permissionBytes, id))
  const user = Buffer.concat([twentyTimes(key, md5(padding, id)), Buffer.alloc(16)])
  return {
    fileId,
    dictionary:
      `<< /Filter /Standard /V 4 /R 4 /Length 128 /P ${permissions} /O <${hex(owner)}> /U <${hex(user)}> ` +
      "/CF << /StdCF << /CFM /V2 /AuthEvent /DocOpen /Length 16 >> >> /StmF /StdCF /StrF /Identity >>",
    encrypt: (objectNumber, bytes) => {
      const salt = Buffer.alloc(5)
      salt.writeUIntLE(objectNumber, 0, 3)
      return rc4(md5(key, salt), bytes)
    }
  }
}
