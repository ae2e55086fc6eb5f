// Real PDFs, where there are some: every *.pdf below the folder that the environment variable SLUICE_CORPUS names.
import { assert, describe } from "@effect/vitest"
import { Console, Effect, Fiber, Schema, Stream } from "effect"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import { isTerminal } from "../../src/domain/document/Document.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { PdfEngine } from "../../src/services/PdfEngine.ts"
import { get, postPdf } from "../http/client.ts"
import { corpusTest, minutes, pdfsBelow } from "../support/corpus.ts"
import {
  acceptedId,
  allPagesOf,
  finished,
  pagesDone,
  pagesOf,
  queueStatus,
  service,
  statusOf
} from "../support/service.ts"

const mebibyte = 1024 ** 2
const largestFile = 5 * mebibyte
/** Passwords by file name, of the files that need one. */
const passwordsIn = Effect.fnUntraced(function* (folder: string) {
  const path = join(folder, "pdfjs-passwords.json")
  if (!existsSync(path)) return {}
  const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.String)))
  return yield* decode(readFileSync(path, "utf8"))
})

const count = (values: ReadonlyArray<string>): Record<string, number> =>
  values.reduce<Record<string, number>>((sums, value) => ({ ...sums, [value]: (sums[value] ?? 0) + 1 }), {})

const longest = "p1000.pdf"

describe("The corpus", () => {
  corpusTest(
    "is read to the end, every file to a typed state",
    ".",
    (folder) =>
      Effect.gen(function* () {
        const passwords = yield* passwordsIn(folder)
        const paths = pdfsBelow(folder).filter((path) => statSync(path).size <= largestFile)
        assert.isNotEmpty(paths)

        const fates = yield* Effect.gen(function* () {
          const engine = yield* PdfEngine
          const fateOf = Effect.fnUntraced(function* (path: string) {
            const name = basename(path)
            const password = passwords[name]
            // A header holds ASCII only; the one that does not fit is read without its password.
            const isAscii = password !== undefined && /^[\x20-\x7e]*$/.test(password)
            const extra = isAscii ? { "x-pdf-password": password } : {}
            const address = `/v1/documents?name=${encodeURIComponent(name)}`
            const answer = yield* postPdf(address, { "x-tenant-id": "corpus", ...extra }, readFileSync(path))
            if (answer.status !== 202)
              return { name, end: `refused: ${String(answer.json.code)}`, millis: 0, pages: [] }
            const id = yield* acceptedId(answer)
            const { error, progress, status, timings } = yield* finished(id, "corpus")
            assert.isTrue(isTerminal(status), name)
            assert.strictEqual(error === undefined, status === "completed" || status === "partial", name)
            // Every page can be shown in full.
            const { pages } = yield* pagesOf(id, "?detail=lines&limit=500", "corpus")
            if (error === undefined) assert.strictEqual(pages.length, Math.min(500, progress.pages ?? 0), name)
            const millis = Number(timings.finishedAt?.epochMilliseconds) - Number(timings.startedAt?.epochMilliseconds)
            return { name, end: error === undefined ? status : `${status}: ${error.code}`, millis, pages }
          })
          const fates = yield* Effect.forEach(paths, fateOf, { concurrency: 32 })
          const { replaced } = yield* engine.status
          yield* Console.log(`${paths.length} files; ${replaced} workers were replaced`)
          assert.strictEqual((yield* get("/health/ready")).status, 200)
          const { processing, queue_size } = yield* queueStatus("?scope=all")
          assert.deepStrictEqual([processing, queue_size], [0, 0])
          return fates
        }).pipe(
          Effect.provide(
            service({ env: { PER_TENANT_PDF_CONCURRENCY: "8", PAGE_TIMEOUT: "10s", DOCUMENT_TIMEOUT: "60s" } })
          )
        )
        const pages = fates.flatMap((fate) => fate.pages.map((page) => page.error?.code ?? page.status))
        const slowest = fates.toSorted((a, b) => b.millis - a.millis).slice(0, 5)
        const unusual = fates.filter(({ end }) => /partial|CRASHED|TIMEOUT|RESOURCE/.test(end))
        yield* Console.log({
          documents: count(fates.map(({ end }) => end)),
          pages: count(pages),
          slowest: slowest.map(({ millis, name }) => `${name} ${millis} ms`),
          unusual: unusual.map(({ end, name }) => `${name} ${end}`)
        })
      }),
    minutes(20)
  )

  corpusTest(
    "has a long file whose pages can be read while it runs, on all workers, with the same result at any page gate",
    longest,
    (folder) =>
      Effect.gen(function* () {
        const pdf = readFileSync(join(folder, longest))

        const digestAt = (pageGate: number) =>
          Effect.gen(function* () {
            const engine = yield* PdfEngine
            const ingestion = yield* Ingestion
            const id = yield* acceptedId(yield* postPdf("/v1/documents", {}, pdf))
            let mostBusy = 0
            const watching = yield* ingestion.follow(TenantId.make("default"), id).pipe(
              Stream.runForEach(() =>
                Effect.map(engine.status, ({ workers }) => {
                  mostBusy = Math.max(mostBusy, workers.filter(({ busy }) => busy).length)
                })
              ),
              Effect.forkChild
            )
            yield* pagesDone(id, 20)
            assert.isAtLeast((yield* pagesOf(id)).pages.length, 20)
            assert.strictEqual((yield* statusOf(id)).status, "running")
            const { progress, status, timings } = yield* finished(id)
            yield* Fiber.join(watching)
            assert.deepStrictEqual([status, progress.done, progress.failed], ["completed", progress.pages, 0])
            const millis = Number(timings.finishedAt?.epochMilliseconds) - Number(timings.startedAt?.epochMilliseconds)
            yield* Console.log(`${progress.pages} pages in ${millis} ms at page gate ${pageGate}, workers: ${mostBusy}`)
            const digest = createHash("sha256")
            for (const { elapsedMillis: _, ...page } of yield* allPagesOf(id)) digest.update(JSON.stringify(page))
            return { digest: digest.digest("hex"), mostBusy }
          }).pipe(Effect.provide(service({ env: { PER_PDF_PAGE_CONCURRENCY: String(pageGate) } })))

        const one = yield* digestAt(1)
        const eight = yield* digestAt(8)
        assert.strictEqual(eight.digest, one.digest)
        assert.deepStrictEqual([one.mostBusy, eight.mostBusy], [1, 2])
      }),
    minutes(20)
  )
})
