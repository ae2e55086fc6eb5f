// The smallest office file: a ZIP archive without compression, with the parts that a document of Word needs.
import { crc32 } from "node:zlib"

interface Entry {
  readonly name: string
  readonly text: string
}

const u16 = (value: number) => Buffer.from([value & 255, (value >> 8) & 255])
const u32 = (value: number) => Buffer.concat([u16(value & 0xffff), u16(Math.floor(value / 65_536))])

const common = ({ name, text }: Entry) => {
  const bytes = Buffer.from(text)
  const size = u32(bytes.length)
  return Buffer.concat([
    u16(20),
    u16(0),
    u16(0),
    u16(0),
    u16(0x21),
    u32(crc32(bytes)),
    size,
    size,
    u16(name.length),
    u16(0)
  ])
}

const zip = (entries: ReadonlyArray<Entry>): Uint8Array => {
  const locals: Array<Buffer> = []
  const central: Array<Buffer> = []
  let at = 0
  for (const entry of entries) {
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common(entry), Buffer.from(entry.name + entry.text)])
    const rest = Buffer.concat([u16(0), u16(0), u16(0), u32(0), u32(at)])
    central.push(Buffer.concat([Buffer.from("PK\u0001\u0002"), u16(20), common(entry), rest, Buffer.from(entry.name)]))
    locals.push(local)
    at += local.length
  }
  const directory = Buffer.concat(central)
  const count = u16(entries.length)
  const end = [Buffer.from("PK\u0005\u0006"), u16(0), u16(0), count, count, u32(directory.length), u32(at), u16(0)]
  return Buffer.concat([...locals, directory, ...end])
}

const packages = "http://schemas.openxmlformats.org/package/2006"
const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
const word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
const wordType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
const relationsType = "application/vnd.openxmlformats-package.relationships+xml"

/** A document of Word with these paragraphs. */
export const docx = (paragraphs: ReadonlyArray<string>): Uint8Array =>
  zip([
    {
      name: "[Content_Types].xml",
      text: `<?xml version="1.0"?><Types xmlns="${packages}/content-types"><Default Extension="rels" ContentType="${relationsType}"/><Override PartName="/word/document.xml" ContentType="${wordType}"/></Types>`
    },
    {
      name: "_rels/.rels",
      text: `<?xml version="1.0"?><Relationships xmlns="${packages}/relationships"><Relationship Id="r1" Type="${office}/officeDocument" Target="word/document.xml"/></Relationships>`
    },
    {
      name: "word/document.xml",
      text: `<?xml version="1.0"?><w:document xmlns:w="${word}"><w:body>${paragraphs.map((text) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`).join("")}</w:body></w:document>`
    }
  ])
