import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { get, postPdf } from "../http/client.ts"
import { isRunning } from "../layers/pdf/engine.ts"
import { assertKept, assertLetGo, held, heldDocument, holding, lettingGo } from "../support/heldDocument.ts"
import { childrenOf, clientOf, startServer } from "../support/serverProcess.ts"
import { acceptedId, allPagesOf, temporaryFolder, until } from "../support/service.ts"

const pageCount = 200

/** A server in the middle of a document. */
const atWork = Effect.fnUntraced(function* (folder: string, env: Readonly<Record<string, string>> = {}) {
  const server = yield* startServer(folder, { ...holding, ...env })
  return yield* Effect.gen(function* () {
    const id = yield* acceptedId(yield* postPdf("/v1/documents?name=long.pdf", {}, heldDocument(pageCount)))
    yield* held(id, pageCount)
    return { server, id, known: yield* allPagesOf(id), workers: childrenOf(server.pid) }
  }).pipe(Effect.provide(clientOf(server)))
})

/** Lets the document go, which goes on in its second run with what the first had not read. */
const assertGoesOn = Effect.fnUntraced(function* (
  folder: string,
  { id, known }: Effect.Success<ReturnType<typeof atWork>>
) {
  const server = yield* startServer(folder, lettingGo)
  const { document, pages } = yield* Effect.provide(assertLetGo(id, pageCount), clientOf(server))
  assert.strictEqual(document.attempt, 2)
  assert.isAtLeast(known.length, pageCount)
  assertKept(known, pages)
})

const gone = (workers: ReadonlyArray<number>) =>
  until(
    Effect.sync(() => workers.some(isRunning)),
    (some) => !some
  )

it.live("A server that is killed in the middle of a document goes on with the pages that it had not read", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const work = yield* atWork(folder)
    yield* work.server.signal("SIGKILL")
    assert.strictEqual((yield* work.server.ended).signal, "SIGKILL")
    if (process.platform === "linux") assert.strictEqual(work.workers.length, 3)
    yield* gone(work.workers)
    yield* assertGoesOn(folder, work)
  })
)

it.live("A server that is told to stop ends by itself, gives its documents back, and leaves no process", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const work = yield* atWork(folder, { SHUTDOWN_GRACE: "500ms" })
    yield* work.server.signal("SIGTERM")
    const end = yield* work.server.ended
    assert.deepStrictEqual(end, { code: 0, signal: null }, work.server.output())
    yield* gone(work.workers)
    // Given back, not left to its lease: it runs again long before that would have run out.
    yield* assertGoesOn(folder, work)
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
