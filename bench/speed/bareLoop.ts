/**
 * A process that reads PDFs with the engine's page workers and does nothing else: no store, no actors, no HTTP. It is told
 * over IPC which files to read and how, and answers with the time that took.
 */
import { Effect, ManagedRuntime, Schema, Stream } from "effect"
import * as Engine from "../../src/layers/pdf/PdfEngine.ts"
import { PdfEngine, type PdfRef } from "../../src/services/PdfEngine.ts"
import { BareTask } from "./bareTask.ts"

const workers = Number(process.argv[2])
const runtime = ManagedRuntime.make(Engine.layer({ workers }))
const decode = Schema.decodeUnknownSync(BareTask)
let keys = 0

const readFile = Effect.fnUntraced(function* (path: string, { concurrency, head, lanes, rangePages }: BareTask["how"]) {
  const engine = yield* PdfEngine
  const pdf: PdfRef = { key: `bare ${keys++}`, location: { _tag: "File", path }, password: undefined }
  const opened = yield* engine.open(pdf, { pages: head, concurrency })
  const known = new Set(opened.head?.map(({ number }) => number))
  const rest = Array.from({ length: opened.pageCount }, (_, index) => index + 1).filter((page) => !known.has(page))
  const ranges = Array.from({ length: Math.ceil(rest.length / rangePages) }, (_, index) =>
    rest.slice(index * rangePages, (index + 1) * rangePages)
  )
  yield* Effect.forEach(ranges, (range) => Stream.runDrain(engine.read(pdf, range, concurrency)), {
    concurrency: lanes,
    discard: true
  })
  yield* engine.close(pdf.key)
  return opened.pageCount
})

const readAll = Effect.fnUntraced(function* ({ how, paths }: BareTask) {
  const start = performance.now()
  const pages = yield* Effect.forEach(paths, (path) => readFile(path, how), { concurrency: how.lanes })
  return { seconds: (performance.now() - start) / 1000, pages: pages.reduce((sum, count) => sum + count, 0) }
})

const allWorkers = Effect.gen(function* () {
  const engine = yield* PdfEngine
  while (engine.ready() < workers) yield* Effect.sleep("20 millis")
})

process.on("message", (message) => {
  runtime.runPromise(readAll(decode(message))).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    }
  )
})
process.on("disconnect", () => process.exit())
process.on("SIGTERM", () => {
  runtime.dispose().finally(() => process.exit())
})

await runtime.runPromise(allWorkers)
process.send?.("ready")
