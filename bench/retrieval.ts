// How good and how fast the search is.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Clock, Console, Effect, Stream } from "effect"
import type { Chunk } from "../src/domain/chunk/Chunk.ts"
import { DocumentId, TenantId } from "../src/domain/Ids.ts"
import * as ChunkingThread from "../src/layers/chunks/ChunkingThread.ts"
import { make as makeIndex } from "../src/layers/search/SqliteSearchIndex.ts"
import { Chunking } from "../src/services/chunks/Chunking.ts"
import type { IndexEntry, SearchIndexShape } from "../src/services/search/SearchIndex.ts"
import { embeddedText } from "../src/domain/chunk/EmbeddedText.ts"
import type { Report } from "./material.ts"
import { generatedTruth, type TrueDocument } from "./score/truth/Documents.ts"
import { readPages } from "./score/ReadMarkdown.ts"
import { hashedVector, hashingModel } from "./search/Hashing.ts"
import { questionsOf } from "./search/Questions.ts"
import { percentile } from "./statistics.ts"

const tenant = TenantId.make("acme")
const idOf = (n: number) => DocumentId.make(`01900000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`)

const temporaryIndex = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-bench-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const filename = join(folder, "search.sqlite")
  return { filename, index: yield* makeIndex(filename) }
})

const documentsIn = (folder: string): ReadonlyArray<TrueDocument> =>
  readdirSync(join(folder, "pdf"))
    .filter((name) => name.endsWith(".pdf"))
    .map((name) => ({
      name: basename(name, ".pdf"),
      pdf: new Uint8Array(readFileSync(join(folder, "pdf", name))),
      markdown: readFileSync(join(folder, "truth", name.replace(/\.pdf$/, ".md")), "utf8")
    }))

/** The chunks of a PDF, as the service makes them. */
const chunksOf = Effect.fnUntraced(function* (pdf: Uint8Array, name: string) {
  const chunking = yield* Chunking
  const { outline, pages } = yield* readPages(pdf)
  const job = yield* chunking.open({ document: name, tokens: 256 })
  // The layouts are encoded again, as they come from the store.
  const { encodeLayout } = yield* Effect.promise(() => import("../src/domain/document/LayoutBytes.ts"))
  const stored = pages.map(({ layout, number, text }) => ({
    number,
    status: "ok" as const,
    width: layout?.width ?? 0,
    height: layout?.height ?? 0,
    text,
    ...(layout === undefined ? {} : { layout: encodeLayout(layout).bytes })
  }))
  yield* job.see(stored)
  yield* job.seen(outline)
  return [...(yield* job.divide(stored)), ...(yield* job.end)]
}, Effect.scoped)

const entryOf = (chunk: Chunk): IndexEntry => ({ chunk, vector: hashedVector(embeddedText(chunk)) })

/** The share of the questions whose document is among the first five hits. */
const recall = Effect.fnUntraced(function* (
  index: SearchIndexShape,
  questions: ReadonlyArray<{ readonly text: string; readonly document: DocumentId }>,
  mode: "keyword" | "vector" | "hybrid"
) {
  let found = 0
  for (const { document, text } of questions) {
    const vector = mode === "keyword" ? undefined : { model: hashingModel, values: hashedVector(text) }
    const hits = yield* index.search(tenant, { text: mode === "vector" ? "" : text, limit: 5, vector })
    if (hits.some((hit) => hit.document === document)) found++
  }
  return found / Math.max(1, questions.length)
})

/** Of PDFs with true Markdown (those that this program makes, or of a folder): questions are headings and captions of the truth. */
export const quality = (folder: string | undefined) =>
  Effect.gen(function* () {
    const { index } = yield* temporaryIndex
    const documents = folder === undefined ? generatedTruth() : documentsIn(folder)
    const questions: Array<{ readonly text: string; readonly document: DocumentId }> = []
    for (const [n, { markdown, name, pdf }] of documents.entries()) {
      const document = idOf(n)
      const chunks = yield* chunksOf(pdf, name)
      yield* index.replace({ tenant, document, version: "1", model: hashingModel }, (have) =>
        Stream.make(chunks.slice(have).map(entryOf))
      )
      questions.push(...questionsOf(markdown).map((text) => ({ text, document })))
    }
    yield* Console.log(`${documents.length} documents, ${questions.length} questions`)
    const rows: Array<Report[number]> = []
    for (const mode of ["keyword", "vector", "hybrid"] as const) {
      const figure = yield* recall(index, questions, mode)
      rows.push({ name: `recall@5, ${mode}`, unit: "of 1", figures: [figure] })
    }
    return rows
  }).pipe(Effect.provide(ChunkingThread.layer("o200k")), Effect.scoped)

const words = [
  "harbour",
  "pilot",
  "quay",
  "lamp",
  "rope",
  "captain",
  "market",
  "letter",
  "storm",
  "sail",
  "crane",
  "cargo"
]

const madeChunk = (document: number, ordinal: number): Chunk => {
  const text = Array.from(
    { length: 80 },
    (_, i) => `${words[(document * 7 + ordinal * 3 + i * i) % words.length]}${(document * 31 + ordinal * 17 + i) % 400}`
  ).join(" ")
  return {
    id: (document * 1_000 + ordinal).toString(16).padStart(32, "0"),
    ordinal,
    kind: "text",
    text,
    context: "",
    headings: [],
    pages: [1, 1],
    places: [],
    tokens: 120
  }
}

const dimensions = 384
const madeVector = (seed: number): Float32Array =>
  Float32Array.from({ length: dimensions }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233))

const chunksPerDocument = 100

const portion = 50

/** A document of 100 chunks in portions; made before it is measured how long it takes to put it in. */
const portionsOf = (n: number): ReadonlyArray<ReadonlyArray<IndexEntry>> =>
  Array.from({ length: chunksPerDocument / portion }, (_, p) =>
    Array.from({ length: portion }, (_, i): IndexEntry => {
      const ordinal = p * portion + i
      return { chunk: madeChunk(n, ordinal), vector: madeVector(n * 1_000 + ordinal) }
    })
  )

const put = (index: SearchIndexShape, n: number, version: string, portions: ReturnType<typeof portionsOf>) =>
  index.replace({ tenant, document: idOf(n), version, model: "made" }, (have) =>
    Stream.fromIterable(portions.slice(have / portion))
  )

const processorMillis = () => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1_000
}

/** Milliseconds of searches that come at ten a second, without waiting for each other. */
const latencies = (index: SearchIndexShape, seconds: number) =>
  Effect.forEach(
    Array.from({ length: seconds * 10 }, (_, n) => n),
    (n) =>
      Effect.gen(function* () {
        yield* Effect.sleep(n * 100)
        const began = yield* Clock.currentTimeMillis
        const values = madeVector(n * 7)
        const text = `${words[n % words.length]}${n % 400} pilot${n % 400} sail${(n * 3) % 400}`
        yield* index.search(tenant, { text, limit: 10, vector: { model: "made", values } })
        return (yield* Clock.currentTimeMillis) - began
      }),
    { concurrency: "unbounded" }
  )

const sizeOf = (filename: string) =>
  ["", "-wal"].reduce((sum, end) => sum + (statSync(`${filename}${end}`, { throwIfNoEntry: false })?.size ?? 0), 0)

/** Latency over so many chunks with vectors, idle and while documents are put in, and what it costs the process. */
export const searchUnderLoad = (chunks: number, seconds: number) =>
  Effect.gen(function* () {
    const { filename, index } = yield* temporaryIndex
    const loop = monitorEventLoopDelay({ resolution: 5 })
    const documents = chunks / chunksPerDocument
    let inserting = 0
    for (let n = 0; n < documents; n++) {
      const portions = portionsOf(n)
      const began = processorMillis()
      yield* put(index, n, "1", portions)
      inserting += processorMillis() - began
    }
    const megabytes = sizeOf(filename) / 1e6
    yield* latencies(index, 1)
    const before = processorMillis()
    const idle = yield* latencies(index, seconds)
    const perSearch = (processorMillis() - before) / idle.length
    const more = Array.from({ length: 10 }, (_, n) => portionsOf(documents + n))
    let version = 0
    const putting = Effect.suspend(() => {
      version++
      return Effect.forEach(more, (portions, n) => put(index, documents + n, String(version), portions), {
        discard: true
      })
    })
    loop.enable()
    const during = yield* Effect.raceFirst(Effect.forever(putting), latencies(index, seconds))
    loop.disable()
    const rows: Report = [
      {
        name: `insertion of ${chunks} chunks of ${dimensions} dimensions`,
        unit: "chunks a second of processor time",
        figures: [(chunks * 1_000) / inserting]
      },
      { name: "processor time of a search", unit: "ms", figures: [perSearch] },
      { name: "size on disk", unit: "MB", figures: [megabytes] },
      { name: "search idle, p50", unit: "ms", figures: [percentile(idle, 0.5)] },
      { name: "search idle, p99", unit: "ms", figures: [percentile(idle, 0.99)] },
      { name: "search while documents are put in, p50", unit: "ms", figures: [percentile(during, 0.5)] },
      { name: "search while documents are put in, p99", unit: "ms", figures: [percentile(during, 0.99)] },
      { name: "event loop of the process meanwhile, p99", unit: "ms", figures: [loop.percentile(99) / 1e6] }
    ]
    return rows
  }).pipe(Effect.scoped)
