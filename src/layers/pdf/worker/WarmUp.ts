// A page of text that a new page worker reads before it says that it is ready. So no document waits for what pdf.js loads and
// compiles on first use.
import { Effect } from "effect"
import { openPdf } from "./Reader.ts"

const content = "BT /F1 12 Tf 72 720 Td (The quick brown fox jumps over the lazy dog.) Tj ET"

const objects = [
  "<< /Type /Catalog /Pages 2 0 R >>",
  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
  `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
  "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
]

const samplePdf = (): Uint8Array => {
  const offsets: Array<string> = []
  let file = "%PDF-1.4\n"
  objects.forEach((object, index) => {
    offsets.push(`${String(file.length).padStart(10, "0")} 00000 n \n`)
    file += `${index + 1} 0 obj\n${object}\nendobj\n`
  })
  const size = objects.length + 1
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join("")}`
  return new TextEncoder().encode(
    `${file}${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`
  )
}

export const warmUp = Effect.suspend(() => openPdf(samplePdf(), undefined)).pipe(
  Effect.flatMap((reader) => reader.readPage(1)),
  Effect.scoped,
  Effect.ignoreCause
)
