import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { heldDocument, heldTexts, holding, lettingGo } from "../support/heldDocument.ts"
import { manyPages, spinningPage } from "../support/pdf.ts"
import { temporaryFolder } from "../support/service.ts"
import { type Client, makeClient, type View } from "./client.ts"
import { isAlive } from "./processes.ts"
import { freePort, startServer } from "./server.ts"

const tenant = "acme"
const count = 40
const name = "long.pdf"
const expected = heldTexts(count)
const upload = { name, tenant, bytes: heldDocument(count), expected: { status: "partial", pages: expected } } as const

/** Looks until it holds. The test's time limit bounds it. */
const until = (client: Client, id: string, holds: (view: View) => boolean) =>
  client.document(tenant, id).pipe(Effect.repeat({ until: holds, schedule: Schedule.spaced("10 millis") }))

const hasReadAll = ({ progress }: View) => progress.done >= count

/** Waits for the end of the document, which was handed back and read on in one further run. */
const assertEnds = Effect.fnUntraced(function* (client: Client, id: string) {
  const document = yield* until(client, id, ({ status }) => status === "partial")
  assert.deepStrictEqual(
    [document.attempt, document.progress],
    [2, { pages: expected.length, done: expected.length, failed: 1 }]
  )
  const pages = yield* client.pages(tenant, id)
  assert.deepStrictEqual(
    pages.map(({ number, text }) => [number, text || undefined]),
    expected.map((text, index) => [index + 1, text])
  )
})

describe.skipIf(process.platform !== "linux")("A server that is told to stop", () => {
  it.live("gives back what it does not finish and exits with 0; the next goes on from there", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const port = yield* freePort
      const server = yield* startServer({ directory, port, env: { ...holding, SHUTDOWN_GRACE: "1s" } })
      yield* server.listening
      const client = makeClient(server.url)
      const id = yield* client.upload(upload)
      yield* until(client, id, hasReadAll)
      const workers = server.workers()
      assert.isAtLeast(workers.length, 2)
      yield* server.signal("SIGTERM")
      // As npm and a terminal do it: both tell the server.
      yield* server.signal("SIGINT")
      assert.deepStrictEqual(yield* server.ended, { code: 0, signal: null })
      // The system ends them with the namespaces that they are in, which may take a moment.
      yield* Effect.sync(() => workers.some(isAlive)).pipe(
        Effect.repeat({ until: (some) => !some, schedule: Schedule.spaced("10 millis") })
      )

      const next = yield* startServer({ directory, port, env: lettingGo })
      yield* next.listening
      assert.isAtLeast((yield* client.document(tenant, id)).progress.done, count)
      yield* assertEnds(client, id)
      yield* next.signal("SIGINT")
      assert.deepStrictEqual(yield* next.ended, { code: 0, signal: null })
    })
  )

  it.live("refuses and is not ready while it drains, and exits at once when it is told again, with nothing lost", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const port = yield* freePort
      const server = yield* startServer({ directory, port, env: { ...holding, SHUTDOWN_GRACE: "1h" } })
      yield* server.listening
      const client = makeClient(server.url)
      // One that is read keeps the drain waiting: of the other, the page that holds it may not have been begun yet.
      const reading = yield* client.upload({ ...upload, name: "holding.pdf", bytes: spinningPage([]) })
      // Opened: from now on its page is read alone, without end.
      yield* until(client, reading, ({ progress }) => progress.pages === 1)
      const id = yield* client.upload(upload)
      yield* until(client, id, hasReadAll)
      yield* server.signal("SIGTERM")
      const ready = client
        .ask(tenant, "/health/ready")
        .pipe(Effect.repeat({ until: ({ status }) => status === 503, schedule: Schedule.spaced("10 millis") }))
      assert.include((yield* ready).body, "no more work is accepted")
      const refused = yield* Effect.flip(client.upload({ ...upload, bytes: manyPages(1) }))
      assert.strictEqual(refused._tag === "Refused" && refused.status, 503)
      assert.include(String(refused._tag === "Refused" && refused.body), "SHUTTING_DOWN")
      assert.strictEqual((yield* client.document(tenant, reading)).status, "running")
      // Closer together they would count as one request, which no event tells the end of.
      yield* Effect.sleep("600 millis")
      yield* server.signal("SIGTERM")
      assert.deepStrictEqual(yield* server.ended, { code: 143, signal: null })

      const next = yield* startServer({ directory, port, env: lettingGo })
      yield* next.listening
      yield* assertEnds(client, id)
    })
  )

  it.live("does not wait for clients that keep their connections open", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const server = yield* startServer({ directory, port: yield* freePort, env: { SHUTDOWN_GRACE: "1s" } })
      yield* server.listening
      const client = makeClient(server.url)
      // Never sends the rest of its body.
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode("%PDF-1.7\n"))
      })
      const init = { method: "POST", headers: { "content-type": "application/pdf" }, body, duplex: "half" } as const
      yield* Effect.forkChild(client.ask(tenant, "/v1/documents", init), { startImmediately: true })
      yield* client.document(tenant, "01a20767-c274-7467-b1de-fa5ee9b9fb0b").pipe(Effect.flip)
      yield* server.signal("SIGTERM")
      assert.deepStrictEqual(yield* server.ended, { code: 0, signal: null })
    })
  )
})
