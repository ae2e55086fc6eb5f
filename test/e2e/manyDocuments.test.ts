import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { DatabaseSync } from "node:sqlite"
import { join } from "node:path"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { get, postPdf } from "../http/client.ts"
import { makePdf, manyPages, textPage } from "../support/pdf.ts"
import { acceptedId, finished, Premises, queueStatus, service } from "../support/service.ts"

const busy = { "x-tenant-id": "busy" }

/** Looks into the store from outside, as another process would. */
const runningInStore = Effect.gen(function* () {
  const { directory } = yield* Premises
  const database = yield* Effect.acquireRelease(
    Effect.sync(() => new DatabaseSync(join(directory, "sluice.db"), { readOnly: true })),
    (open) => Effect.sync(() => open.close())
  )
  const count = database.prepare("SELECT count(*) AS running FROM documents WHERE status = 'running'")
  return Effect.sync(() => Number(count.get()?.["running"]))
})

it.live("A hundred documents of one tenant are all read, never more of them at once than its limit", () =>
  Effect.gen(function* () {
    const ingestion = yield* Ingestion
    const countRunning = yield* runningInStore
    const samples: Array<{ readonly store: number; readonly status: number }> = []
    const sample = Effect.gen(function* () {
      const { processing } = yield* queueStatus("?scope=all")
      samples.push({ store: yield* countRunning, status: processing })
    })
    // Every event of a document is a moment at which something may have gone wrong.
    const sampling = yield* ingestion.events(TenantId.make("busy")).pipe(
      Stream.runForEach(() => sample),
      Effect.forkChild({ startImmediately: true })
    )

    // All of them wait at once, however fast they are read.
    yield* ingestion.pause(TenantId.make("busy"))
    const ids = yield* Effect.forEach(
      Array.from({ length: 100 }, (_, index) => makePdf({ pages: [textPage([`Document ${index}`])] })),
      (pdf) => Effect.flatMap(postPdf("/v1/documents", busy, pdf), acceptedId),
      { concurrency: "unbounded" }
    )
    yield* ingestion.resume(TenantId.make("busy"))
    const documents = yield* Effect.forEach(ids, (id) => finished(id, "busy"), { concurrency: "unbounded" })
    yield* Fiber.interrupt(sampling)

    assert.isTrue(documents.every(({ attempt, status }) => status === "completed" && attempt === 1))
    const texts = yield* Effect.forEach(ids, (id) => Effect.map(get(`/v1/documents/${id}/text`, busy), (it) => it.text))
    assert.deepStrictEqual(
      texts,
      ids.map((_, index) => `Document ${index}`)
    )
    // How many there are, and what they meet, depends on the machine.
    assert.isNotEmpty(samples)
    assert.isAtMost(Math.max(...samples.map(({ status }) => status)), 3)
    assert.isAtMost(Math.max(...samples.map(({ store }) => store)), 3)
    const { max_processing, processing, queue_size, total_failed, total_processed } = yield* queueStatus("", "busy")
    assert.deepStrictEqual([processing, queue_size, total_processed, total_failed, max_processing], [0, 0, 100, 0, 3])
  }).pipe(Effect.provide(service({ env: { PER_TENANT_PDF_CONCURRENCY: "3", GLOBAL_PDF_CONCURRENCY: "5" } })))
)

/** Thousands in all, each of which this process has to take in: the short document overtakes them, however fast they are read. */
const longPages = 800

it.live("Many tenants together keep to the global limit, and a one-page document overtakes long ones", () =>
  Effect.gen(function* () {
    const ingestion = yield* Ingestion
    const post = (tenant: string, pages: number) =>
      Effect.flatMap(postPdf("/v1/documents", { "x-tenant-id": tenant }, manyPages(pages)), acceptedId)
    const long = yield* Effect.forEach(["a", "b", "c", "d"], (tenant) =>
      Effect.map(post(tenant, longPages), (id) => ({ id, tenant }))
    )
    const { id: first, tenant } = long[0] ?? assert.fail("nothing was posted")
    yield* ingestion.follow(TenantId.make(tenant), first).pipe(
      Stream.takeUntil((event) => event._tag === "PageDone"),
      Stream.runDrain
    )
    const short = yield* finished(yield* post("quiet", 1), "quiet")
    assert.strictEqual(short.status, "completed")
    const ended = yield* Effect.forEach(long, ({ id, tenant }) => finished(id, tenant), { concurrency: "unbounded" })
    assert.deepStrictEqual(
      ended.map(({ progress, status }) => [status, progress.done]),
      ended.map(() => ["completed", longPages])
    )
    const endOf = ({ timings }: typeof short) => Number(timings.finishedAt?.epochMilliseconds)
    assert.isBelow(endOf(short), Math.min(...ended.map(endOf)))
    assert.isAtMost((yield* queueStatus("?scope=all")).max_processing, 5)
  }).pipe(Effect.provide(service({ env: { GLOBAL_PDF_CONCURRENCY: "5" } })))
)
