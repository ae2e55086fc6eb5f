import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { get, postPdf } from "../http/client.ts"
import { isRunning } from "../layers/pdf/engine.ts"
import { manyPages } from "../support/pdf.ts"
import { childrenOf, clientOf, startServer } from "../support/serverProcess.ts"
import { acceptedId, allPagesOf, statusOf, temporaryFolder, until } from "../support/service.ts"

const pageCount = 2000
const halfRead = ({ progress }: { readonly progress: { readonly done: number } }) => progress.done >= 100
const ended = ({ status }: { readonly status: string }) => status !== "running" && status !== "queued"

/** The document is finished, with each page once and with the text that belongs to it. */
const assertComplete = Effect.fnUntraced(function* (id: DocumentId) {
  const document = yield* until(statusOf(id), ended)
  assert.deepStrictEqual(
    [document.status, document.progress],
    ["completed", { pages: pageCount, done: pageCount, failed: 0 }]
  )
  const pages = yield* allPagesOf(id)
  assert.deepStrictEqual(
    pages.map(({ number, text }) => [number, text]),
    Array.from({ length: pageCount }, (_, index) => [index + 1, `Page ${index + 1} of ${pageCount}`])
  )
  return { document, pages }
})

it.live("A server that is killed in the middle of a document goes on with the pages that it had not read", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const first = yield* startServer(folder)
    const { id, known, workers } = yield* Effect.gen(function* () {
      const id = yield* acceptedId(yield* postPdf("/v1/documents?name=long.pdf", {}, manyPages(pageCount)))
      yield* until(statusOf(id), halfRead)
      return { id, known: yield* allPagesOf(id), workers: childrenOf(first.pid) }
    }).pipe(Effect.provide(clientOf(first)))
    yield* first.signal("SIGKILL")
    assert.strictEqual((yield* first.ended).signal, "SIGKILL")
    assert.isAbove(known.length, 99)
    assert.isBelow(known.length, pageCount)
    if (process.platform === "linux") assert.strictEqual(workers.length, 3)
    yield* until(
      Effect.sync(() => workers.filter(isRunning)),
      (alive) => alive.length === 0
    )

    yield* Effect.gen(function* () {
      const { document, pages } = yield* assertComplete(id)
      assert.strictEqual(document.attempt, 2)
      // Including how long each took, which would differ had it been read again.
      const numbers = new Set(known.map(({ number }) => number))
      assert.deepStrictEqual(
        pages.filter(({ number }) => numbers.has(number)),
        known
      )
    }).pipe(Effect.provide(clientOf(yield* startServer(folder))))
  })
)

it.live("A server that is told to stop ends by itself, gives its documents back, and leaves no process", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const first = yield* startServer(folder)
    const { id, workers } = yield* Effect.gen(function* () {
      const id = yield* acceptedId(yield* postPdf("/v1/documents?name=long.pdf", {}, manyPages(pageCount)))
      yield* until(statusOf(id), halfRead)
      return { id, workers: childrenOf(first.pid) }
    }).pipe(Effect.provide(clientOf(first)))
    yield* first.signal("SIGTERM")
    const end = yield* first.ended
    assert.deepStrictEqual(end, { code: 0, signal: null }, first.output())
    yield* until(
      Effect.sync(() => workers.some(isRunning)),
      (some) => !some
    )

    yield* Effect.gen(function* () {
      // Given back, not left to its lease: it runs again long before that would have run out.
      const startedAgain = yield* until(statusOf(id), ({ attempt }) => attempt === 2)
      assert.isAbove(startedAgain.progress.done, 99)
      yield* assertComplete(id)
    }).pipe(Effect.provide(clientOf(yield* startServer(folder))))
  })
)

it.live("A server that is told to stop while nothing runs ends at once", () =>
  Effect.gen(function* () {
    const server = yield* startServer(yield* temporaryFolder)
    yield* Effect.provide(get("/health/ready"), clientOf(server))
    yield* server.signal("SIGINT")
    assert.strictEqual((yield* server.ended).code, 0, server.output())
  })
)
