import { Clock, Effect, Stream } from "effect"
import * as PdfJsEngine from "../../layers/pdf/PdfEngine.ts"
import { findSandbox, type SandboxMode } from "../../layers/pdf/pool/Sandbox.ts"
import { describeWalls, PdfEngine } from "../../services/PdfEngine.ts"
import { fail, ok, warn } from "./Finding.ts"

const words = "It works"

/** A minimal PDF with one page of text. It has no cross-reference table, which readers do not require. */
const tinyPdf = () => {
  const content = `BT /F1 24 Tf 20 40 Td (${words}) Tj ET`
  return new TextEncoder().encode(
    [
      "%PDF-1.4",
      "1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj",
      "2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj",
      "3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >> endobj",
      `4 0 obj << /Length ${content.length} >> stream\n${content}\nendstream endobj`,
      "5 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj",
      "trailer << /Root 1 0 R >>",
      "%%EOF\n"
    ].join("\n")
  )
}

const name = "page worker"
const advice = "See Memory in docs/limits.md: the system must let a child process have PAGE_WORKER_MEMORY."

/** Checks that a page worker starts under its memory limit and behind its walls, and reads a page. */
export const checkWorker = Effect.fnUntraced(
  function* (memoryBytes: number, sandbox: SandboxMode) {
    const startedAt = yield* Clock.currentTimeMillis
    const read = Effect.gen(function* () {
      const engine = yield* PdfEngine
      const pdf = { key: "doctor", location: { _tag: "Bytes", bytes: tinyPdf() }, password: undefined } as const
      yield* engine.open(pdf)
      const pages = yield* Stream.runCollect(engine.read(pdf, [1], 1))
      return pages[0]?.text.trim()
    }).pipe(Effect.provide(PdfJsEngine.layer({ workers: 1, memoryBytes, sandbox })))
    const text = yield* Effect.timeout(read, "30 seconds")
    const millis = (yield* Clock.currentTimeMillis) - startedAt
    return text === words
      ? ok(name, `one started and read a page in ${millis} ms`)
      : fail(name, `one read ${JSON.stringify(text)} instead of ${JSON.stringify(words)}`, "Install the package again.")
  },
  Effect.catch((error) => Effect.succeed(fail(name, error.message, advice)))
)

/** Checks which walls page workers are behind. A missing wall is a warning, or an error if all walls are required. */
export const checkSandbox = Effect.fnUntraced(function* (mode: SandboxMode) {
  const missing = "See Page workers in docs/security.md for what the walls need."
  const { walls } = yield* findSandbox(mode)
  const text = describeWalls(walls)
  if (walls.every(({ stands }) => stands)) return ok("sandbox", text)
  return mode === "require" ? fail("sandbox", text, missing) : warn("sandbox", text, missing)
})
