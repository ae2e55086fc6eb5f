import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpBody, HttpClient } from "effect/http"
import { slowDocument } from "../chaos/workload.ts"
import { post, postPdf } from "../http/client.ts"
import type { ReceivedSpan } from "../support/otlp.ts"
import { otlpReceiver } from "../support/otlpReceiver.ts"
import { manyPages } from "../support/pdf.ts"
import { clientOf, type ServerProcess, startServer } from "../support/serverProcess.ts"
import { acceptedId, queueStatus, temporaryFolder, until } from "../support/service.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const caller = "b7ad6b7169203331"
const traceparent = `00-${traceId}-${caller}-01`
/** A name that nobody has: that the callback is tried is what the trace shows. */
const callback = encodeURIComponent("https://receiver.invalid/ended")

const exporting = (url: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_BSP_SCHEDULE_DELAY: "100",
  OTEL_METRIC_EXPORT_INTERVAL: "500"
})

/** Sends on no trace of its own. */
const senderTo = (server: ServerProcess) =>
  Layer.merge(clientOf(server), Layer.succeed(HttpClient.TracerPropagationEnabled, false))

const named = (name: string, spans: ReadonlyArray<ReceivedSpan>) => spans.filter((span) => span.name === name)

const one = (name: string, spans: ReadonlyArray<ReceivedSpan>): ReceivedSpan => {
  const [span, ...others] = named(name, spans)
  assert.lengthOf(others, 0, name)
  assert.isDefined(span, name)
  return span
}

const own = (spans: ReadonlyArray<ReceivedSpan>) => spans.filter((span) => span.traceId === traceId)

/** Each span but the first hangs below another one, or below the caller's. */
const assertConnected = (spans: ReadonlyArray<ReceivedSpan>) => {
  const ids = new Set([caller, ...spans.map(({ spanId }) => spanId)])
  assert.deepStrictEqual(
    spans.filter(({ parentId }) => !ids.has(parentId)).map(({ name }) => name),
    []
  )
}

describe("the trace of a document", () => {
  it.live("leads from the caller's request through the worker's process to the callback", () =>
    Effect.gen(function* () {
      const { metricsUntil, spansUntil, url } = yield* otlpReceiver
      const server = yield* startServer(yield* temporaryFolder, exporting(url))
      const pages = 40
      yield* Effect.gen(function* () {
        const path = `/v1/documents?name=traced.pdf&callback=${callback}`
        yield* acceptedId(yield* postPdf(path, { traceparent }, manyPages(pages)))
      }).pipe(Effect.provide(senderTo(server)))
      const spans = own(
        yield* spansUntil((all) => {
          const found = own(all)
          return named("Outbox.deliver", found).length > 0 && named("DocumentActor.run", found).length > 0
        })
      )
      assertConnected(spans)
      const request = one("POST /v1/documents", spans)
      const accepted = one("Ingestion.submit", spans)
      const run = one("DocumentActor.run", spans)
      assert.deepStrictEqual(
        [request.parentId, accepted.parentId, run.parentId, one("Outbox.deliver", spans).parentId],
        [caller, request.spanId, accepted.spanId, accepted.spanId]
      )
      assert.strictEqual(run.attributes["document.id"], accepted.attributes["document.id"])

      const opened = one("PdfWorker.open", spans)
      const pid = opened.attributes["worker.pid"]
      assert.isNumber(pid)
      assert.notStrictEqual(pid, server.pid)
      assert.strictEqual(opened.parentId, one("PdfEngine.open", spans).spanId)
      assert.isAtLeast(opened.from, run.from)
      assert.isAtMost(opened.to, run.to)
      const ranges = named("DocumentActor.range", spans)
      const parents = new Set(ranges.map(({ spanId }) => spanId))
      const read = named("PdfWorker.read", spans)
      assert.isAbove(ranges.length, 0)
      assert.isTrue(read.every(({ parentId }) => parents.has(parentId)))
      assert.lengthOf(read, ranges.length)

      const checkpoints = named("DocumentActor.checkpoints", spans)
      assert.strictEqual(
        checkpoints.reduce((sum, { attributes }) => sum + Number(attributes["range.pages"]), 0),
        pages
      )
      assert.isAtMost(checkpoints.length, ranges.length + 1)

      yield* metricsUntil((all) => all.some(([name]) => name === "sluice_process_cpu_seconds_total"))
    })
  )

  it.live("shows the wait at each gate", () =>
    Effect.gen(function* () {
      const { spansUntil, url } = yield* otlpReceiver
      const narrow = { PER_TENANT_PDF_CONCURRENCY: "1", GLOBAL_PDF_CONCURRENCY: "3", PER_PDF_PAGE_CONCURRENCY: "1" }
      const server = yield* startServer(yield* temporaryFolder, { ...exporting(url), ...narrow })
      const submit = (tenant: string, name: string, pdf: Uint8Array, headers: Record<string, string> = {}) =>
        Effect.flatMap(
          postPdf(`/v1/documents?name=${name}.pdf`, { "x-tenant-id": tenant, ...headers }, pdf),
          acceptedId
        )
      // Three tenants have more than the workers and the global gate can take; the fourth has a document before the one in question.
      // None of its documents begins before both are there, and the others do not end.
      yield* Effect.gen(function* () {
        yield* post("/v1/tenant/pause", HttpBody.empty, { "x-tenant-id": "acme" })
        yield* submit("acme", "before", manyPages(60))
        yield* submit("acme", "traced", manyPages(61), { traceparent })
        for (const tenant of ["x", "y", "z"])
          yield* submit(
            tenant,
            tenant,
            slowDocument(tenant, 400, () => 5_000)
          )
        yield* until(queueStatus("?scope=all"), ({ processing }) => processing === 3)
        yield* post("/v1/tenant/resume", HttpBody.empty, { "x-tenant-id": "acme" })
      }).pipe(Effect.provide(senderTo(server)))
      const spans = own(yield* spansUntil((all) => named("DocumentQueue.finish", own(all)).length > 0))
      assertConnected(spans)
      const accepted = one("Ingestion.submit", spans)
      const queued = one("DocumentActor.queued", spans)
      // If the document gave its permit back, it waited at the gates again.
      const tenantGates = named("Gate.tenant", spans)
      const globalGates = named("Gate.global", spans)
      assert.isTrue([...tenantGates, ...globalGates].every(({ parentId }) => parentId === accepted.spanId))
      const [tenantGate] = tenantGates
      assert.isAtLeast(tenantGate?.from ?? Number.NaN, queued.from)
      assert.strictEqual(globalGates[0]?.from, tenantGate?.to)
      assert.isAtMost(globalGates[0]?.to ?? Number.NaN, queued.to)
      const parents = new Map(spans.map(({ name, spanId }) => [spanId, name]))
      const parentsOf = (name: string) => new Set(named(name, spans).map(({ parentId }) => parents.get(parentId)))
      for (const parent of parentsOf("Gate.worker"))
        assert.include(["DocumentActor.open", "DocumentActor.range"], parent)
      assert.isAbove(named("Gate.worker", spans).length, 0)
      assert.include([...parentsOf("Gate.page")], "DocumentActor.run")
    })
  )

  it.live("goes on in the process that takes the document over", () =>
    Effect.gen(function* () {
      const { spansUntil, url } = yield* otlpReceiver
      const folder = yield* temporaryFolder
      const first = yield* startServer(folder, exporting(url))
      yield* Effect.gen(function* () {
        yield* post("/v1/tenant/pause", HttpBody.empty)
        yield* acceptedId(yield* postPdf("/v1/documents?name=kept.pdf", { traceparent }, manyPages(2)))
      }).pipe(Effect.provide(senderTo(first)))
      yield* first.signal("SIGTERM")
      yield* first.ended
      const second = yield* startServer(folder, exporting(url))
      yield* Effect.provide(post("/v1/tenant/resume", HttpBody.empty), senderTo(second))
      const spans = own(yield* spansUntil((all) => named("DocumentActor.run", own(all)).length > 0))
      assertConnected(spans)
      const queued = one("DocumentActor.queued", spans)
      const accepted = one("Ingestion.submit", spans)
      assert.strictEqual(one("DocumentActor.run", spans).parentId, accepted.spanId)
      assert.strictEqual(queued.parentId, accepted.spanId)
      assert.isAbove(queued.to - queued.from, 0)
      // It was paused, which is no wait at a gate.
      assert.lengthOf(named("Gate.tenant", spans), 0)
    })
  )
})
