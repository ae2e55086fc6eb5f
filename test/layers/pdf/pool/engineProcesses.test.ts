import { assert, it, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { execFileSync, fork } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { PdfEngine } from "../../../../src/services/PdfEngine.ts"
import { childrenOf } from "../../../support/serverProcess.ts"
import { brokenPage, makeEncryptedPdf, makePdf, manyPages, spinningPage, textPage } from "../../../support/pdf.ts"
import { eventually, inMemory, isRunning, pdfOf, read, twoWorkers } from "../engine.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-engine-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const parent = Effect.acquireRelease(
  Effect.sync(() =>
    fork(fileURLToPath(new URL("./orphaningParent.ts", import.meta.url)), { execArgv: ["--no-warnings"] })
  ),
  (child) => Effect.sync(() => child.kill("SIGKILL"))
)

it.live("Workers end when their engine's process is killed, even one that spins", () =>
  Effect.gen(function* () {
    const child = yield* parent
    const pids = yield* Effect.callback<ReadonlyArray<number>>((resume) => {
      child.once("message", (message) => resume(Effect.succeed(Array.isArray(message) ? message.map(Number) : [])))
    })
    assert.deepStrictEqual(pids.map(isRunning), [true, true, true])
    child.kill("SIGKILL")
    yield* eventually(() => !pids.some(isRunning))
  })
)

const isPageWorker = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("sluice-page-worker")
  } catch {
    return false
  }
}

it.live.skipIf(process.platform !== "linux")("The first page worker starts alone, so that there is one soon", () =>
  Effect.gen(function* () {
    // The processes by which the engine finds out at its start which walls it can have are no workers.
    const others = childrenOf(process.pid)
    const started = () => childrenOf(process.pid).filter((pid) => !others.includes(pid) && isPageWorker(pid))
    yield* Effect.gen(function* () {
      const engine = yield* PdfEngine
      const workersAtFirst = Effect.gen(function* () {
        const { length } = started()
        const { workers } = yield* engine.status
        return workers.length > 0 ? undefined : length
      })
      const seen = yield* workersAtFirst.pipe(
        Effect.tap((count) => Effect.sync(() => assert.isAtMost(count ?? 0, 1))),
        Effect.delay("10 millis"),
        Effect.repeat({ until: (count) => count === undefined })
      )
      assert.isUndefined(seen)
      yield* eventually(() => started().length === 3)
    }).pipe(Effect.provide(twoWorkers))
  })
)

layer(twoWorkers, { excludeTestServices: true })("Page workers", (it) => {
  const codeOf = (key: string, bytes: Uint8Array, password?: string) =>
    read(pdfOf(key, inMemory(bytes), password), [1]).pipe(
      Effect.map((results) => results[0]?.status),
      Effect.catchReason("PdfEngineError", "PdfUnreadable", (reason) => Effect.succeed(reason.failure.code))
    )

  it.effect("tell a missing password from a wrong one, also when the document is held open", () =>
    Effect.gen(function* () {
      const pdf = makeEncryptedPdf("open sesame")
      assert.strictEqual(yield* codeOf("locked", pdf), "PASSWORD_REQUIRED")
      assert.strictEqual(yield* codeOf("locked", pdf, "wrong"), "PASSWORD_INVALID")
      assert.strictEqual(yield* codeOf("locked", pdf, "open sesame"), "ok")
      assert.strictEqual(yield* codeOf("locked", pdf), "PASSWORD_REQUIRED")
    })
  )

  it.effect("read the same from a file as from bytes", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "three.pdf")
      writeFileSync(path, manyPages(3))
      const fromFile = yield* read(pdfOf("file", { _tag: "File", path }), [1, 2, 3])
      const fromBytes = yield* read(pdfOf("bytes", inMemory(manyPages(3))), [1, 2, 3])
      const timeless = (results: typeof fromFile) => results.map((result) => ({ ...result, elapsedMillis: 0 }))
      assert.deepStrictEqual(timeless(fromFile), timeless(fromBytes))
    })
  )

  it.effect("say that a file is lost when it is not there", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "nowhere.pdf")
      const { reason } = yield* Effect.flip(read(pdfOf("lost", { _tag: "File", path }), [1]))
      assert.strictEqual(reason._tag === "PdfUnreadable" && reason.failure.code, "BLOB_LOST")
    })
  )

  it.effect.skipIf(process.platform === "win32")(
    "say at once that a file is lost when something else is in its place",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const pipe = join(folder, "pipe.pdf")
        execFileSync("mkfifo", [pipe])
        for (const path of [pipe, folder, "/dev/null"]) {
          const engine = yield* PdfEngine
          const { reason } = yield* Effect.flip(engine.open(pdfOf("no file", { _tag: "File", path })))
          assert.strictEqual(reason._tag === "PdfUnreadable" && reason.failure.code, "BLOB_LOST", path)
        }
      })
  )

  it.effect("read files of many portions, also after calls that were interrupted between them", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      // Far beyond what is handed over at a time: what follows the end of a PDF is not read.
      const path = join(yield* temporaryFolder, "large.pdf")
      writeFileSync(path, Buffer.concat([manyPages(3), Buffer.alloc(5 * 1024 * 1024, " ")]))
      for (const location of [{ _tag: "File", path } as const, inMemory(readFileSync(path))]) {
        for (let n = 0; n < 5; n++) {
          const opening = yield* Effect.forkChild(engine.open(pdfOf(`large ${n}`, location)), {
            startImmediately: true
          })
          // Further on each time.
          yield* Effect.yieldNow.pipe(Effect.repeat({ times: n * 50 }))
          yield* Fiber.interrupt(opening)
        }
        assert.strictEqual((yield* engine.open(pdfOf(`large ${location._tag}`, location))).pageCount, 3)
      }
    })
  )

  it.effect("forget a document when its head was all there is to read of it, and hold it otherwise", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      for (const [key, bytes, head, held] of [
        ["through", manyPages(1), 8, false],
        ["opened", manyPages(1), 0, true],
        ["begun", manyPages(2), 1, true],
        ["to be read again", makePdf({ pages: [brokenPage] }), 8, true]
      ] as const) {
        const { pageCount } = yield* engine.open(pdfOf(key, inMemory(bytes)), { pages: head, concurrency: 4 })
        // Who holds the document does not look at the bytes.
        const again = yield* engine.open(pdfOf(key, inMemory(manyPages(7))))
        assert.strictEqual(again.pageCount, held ? pageCount : 7, key)
      }
    })
  )

  it.effect("open a file also when a page of its head spins, which is told, and not waited for", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const pdf = pdfOf("spinning head", inMemory(spinningPage([textPage(["beside"]), textPage(["it"])])))
      const { head = [], pageCount, suspects = [] } = yield* engine.open(pdf, { pages: 8, concurrency: 2 })
      assert.strictEqual(pageCount, 3)
      const read = head.map(({ number }) => number)
      assert.isAbove(suspects.length, 0)
      assert.deepStrictEqual(
        suspects.filter((page) => read.includes(page)),
        []
      )
      const spinning = [1, 2, 3].filter((page) => !read.includes(page))
      assert.includeMembers(spinning, [...suspects])
    })
  )

  it.effect("read again what they no longer hold", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const pdfs = Array.from({ length: 30 }, (_, index) => pdfOf(`of many ${index}`, inMemory(manyPages(index + 1))))
      for (const round of [1, 2]) {
        const counts = yield* Effect.forEach(pdfs, (pdf) => Effect.map(engine.open(pdf), (opened) => opened.pageCount))
        assert.strictEqual(counts.at(-1), 30, `in round ${round}`)
      }
    })
  )
})
