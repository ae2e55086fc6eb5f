import { assert, it, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assertProblem, get, postForm, postJson, postPdf, remove } from "../http/client.ts"
import { serve } from "../layers/net/loopback.ts"
import { makePdf, manyPages, textPage } from "../support/pdf.ts"
import {
  acceptedId,
  allPagesOf,
  finished,
  pagesDone,
  pagesOf,
  queueStatus,
  service,
  serviceAt,
  statusOf,
  temporaryFolder
} from "../support/service.ts"

const acme = { "x-tenant-id": "acme" }
const zebra = { "x-tenant-id": "zebra" }
const encode = (text: string) => new TextEncoder().encode(text)

layer(service(), { excludeTestServices: true })("The service", (it) => {
  it.effect("reads an uploaded PDF: status, pages, lines and text", () =>
    Effect.gen(function* () {
      const pdf = makePdf({
        info: { Title: "Three pages" },
        pages: [textPage(["Page one", "second line"]), textPage(["Page two"]), textPage(["Page three"])],
        outline: [{ title: "Start", page: 1 }]
      })
      const posted = yield* postPdf("/v1/documents?name=three.pdf", acme, pdf)
      const id = yield* acceptedId(posted)
      const document = yield* finished(id, "acme")
      assert.deepStrictEqual(
        [document.name, document.status, document.attempt, document.progress, document.metadata?.title],
        ["three.pdf", "completed", 1, { pages: 3, done: 3, failed: 0 }, "Three pages"]
      )
      assert.deepStrictEqual(document.outline, [{ title: "Start", depth: 0, page: 1 }])
      assert.strictEqual(document.size, pdf.length)

      const plain = yield* pagesOf(id, "", "acme")
      assert.deepStrictEqual(
        plain.pages.map(({ height, number, status, width }) => ({ number, status, width, height })),
        [1, 2, 3].map((number) => ({ number, status: "ok", width: 595, height: 842 }))
      )
      assert.isTrue(plain.pages.every((page) => page.lines === undefined))
      const [first] = (yield* pagesOf(id, "?detail=lines&limit=1", "acme")).pages
      assert.deepStrictEqual(
        first?.lines?.map((line) => line.text),
        ["Page one", "second line"]
      )
      assert.isTrue(first?.lines?.every((line) => line.x > 60 && line.y > 0 && line.width > 10 && line.height > 5))
      const text = yield* get(`/v1/documents/${id}/text`, acme)
      assert.strictEqual(text.headers["content-type"], "text/plain; charset=utf-8")
      assert.strictEqual(text.text, "Page one\nsecond line\fPage two\fPage three")
    })
  )

  it.effect("answers for each file of a form, and reads the good ones", () =>
    Effect.gen(function* () {
      const answer = yield* postForm([
        ["tenant_id", "forms"],
        ["file", manyPages(2), "two.pdf"],
        ["file", encode("<html>not a PDF</html>"), "page.pdf"],
        ["file", manyPages(1), "one.pdf"]
      ])
      assert.strictEqual(answer.status, 202, answer.text)
      assert.deepInclude(answer.json, { documents: answer.json.documents })
      const documents = JSON.parse(answer.text).documents
      assert.deepStrictEqual(
        documents.map((each: { name: string; status?: string; error?: { code: string } }) => [
          each.name,
          each.status ?? each.error?.code
        ]),
        [
          ["two.pdf", "queued"],
          ["page.pdf", "NOT_PDF"],
          ["one.pdf", "queued"]
        ]
      )
      for (const [index, pages] of [
        [0, 2],
        [2, 1]
      ] as const) {
        const { progress, status } = yield* finished(documents[index].id, "forms")
        assert.deepStrictEqual([status, progress.done], ["completed", pages])
      }
    })
  )

  it.effect("lists a tenant's documents, newest first, in parts", () =>
    Effect.gen(function* () {
      const lister = { "x-tenant-id": "lister" }
      const ids = yield* Effect.forEach([1, 2, 3, 4, 5], (pages) =>
        Effect.flatMap(postPdf(`/v1/documents?name=${pages}.pdf`, lister, manyPages(pages)), acceptedId)
      )
      yield* Effect.forEach(ids, (id) => finished(id, "lister"), { concurrency: "unbounded" })
      const seen: Array<string> = []
      let parts = 0
      for (let cursor = ""; ; parts++) {
        const answer = yield* get(`/v1/documents?limit=2&status=completed${cursor}`, lister)
        const { documents, nextCursor } = JSON.parse(answer.text)
        seen.push(...documents.map((each: { id: string }) => each.id))
        if (nextCursor === undefined) break
        cursor = `&cursor=${nextCursor}`
      }
      assert.deepStrictEqual(seen, ids.toReversed())
      assert.strictEqual(parts, 2)
      assert.deepStrictEqual(JSON.parse((yield* get("/v1/documents?status=failed", lister)).text).documents, [])
    })
  )

  it.effect("shows finished pages while the document runs; a first DELETE cancels it, a second removes it", () =>
    Effect.gen(function* () {
      const id = yield* acceptedId(yield* postPdf("/v1/documents", acme, manyPages(3000)))
      yield* pagesDone(id, 1, "acme")
      assert.strictEqual((yield* statusOf(id, "acme")).status, "running")
      assert.isAbove((yield* pagesOf(id, "", "acme")).pages.length, 0)
      assertProblem(yield* get(`/v1/documents/${id}/pages/3000`, acme), 404, "PAGE_NOT_FOUND")

      const cancelled = yield* remove(`/v1/documents/${id}`, acme)
      assert.deepStrictEqual([cancelled.status, cancelled.json.status], [202, "cancelled"])
      assert.isAbove((yield* pagesOf(id, "", "acme")).pages.length, 0)
      assert.strictEqual((yield* remove(`/v1/documents/${id}`, acme)).status, 204)
      assertProblem(yield* get(`/v1/documents/${id}`, acme), 404, "DOCUMENT_NOT_FOUND")
      assertProblem(yield* remove(`/v1/documents/${id}`, acme), 404, "DOCUMENT_NOT_FOUND")
    })
  )

  it.effect("counts what waits, runs and has ended, for a tenant and over all", () =>
    Effect.gen(function* () {
      const counted = { "x-tenant-id": "counted" }
      const id = yield* acceptedId(yield* postPdf("/v1/documents", counted, manyPages(3)))
      const broken = yield* acceptedId(yield* postPdf("/v1/documents", counted, encode("%PDF-1.7 and no more")))
      assert.strictEqual((yield* finished(id, "counted")).status, "completed")
      assert.strictEqual((yield* finished(broken, "counted")).error?.code, "CORRUPT")
      const own = yield* queueStatus("", "counted")
      assert.deepInclude(own, {
        queue_size: 0,
        processing: 0,
        max_concurrent: 2,
        total_processed: 2,
        total_failed: 1,
        estimated_wait_time: 0
      })
      assert.isAtLeast(own.max_queue_size, 1)
      assert.isAtLeast(own.max_processing, 1)
      const all = yield* queueStatus("?scope=all", "counted")
      assert.strictEqual(all.max_concurrent, 8)
      assert.isAtLeast(all.total_processed, own.total_processed)
    })
  )

  it.effect("says that it is well, and describes itself", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* get("/health/live")).json, { status: "live" })
      assert.deepStrictEqual((yield* get("/health/ready")).json, { status: "ready" })
      const openapi = yield* get("/openapi.json")
      assert.includeMembers(Object.keys(JSON.parse(openapi.text).paths), [
        "/v1/documents",
        "/v1/documents/{id}",
        "/v1/documents/{id}/pages",
        "/v1/documents/{id}/pages/{n}",
        "/v1/documents/{id}/retry",
        "/v1/documents/{id}/text",
        "/v1/tenant",
        "/v1/tenant/pause",
        "/v1/tenant/resume",
        "/v1/tenants/{tenant}",
        "/pdf/ingest",
        "/queue/status",
        "/health/live",
        "/health/ready"
      ])
      assert.include((yield* get("/docs")).headers["content-type"], "text/html")
    })
  )
})

it.live("References are read from the inbox, from a blob of the tenant's own, and from a URL", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const inbox = join(folder, "inbox")
    mkdirSync(join(inbox, "2024"), { recursive: true })
    writeFileSync(join(inbox, "2024", "report.pdf"), manyPages(4))
    const { port } = yield* serve((request, response) => {
      if (request.url === "/files/remote.pdf?token=t0ken") response.end(manyPages(5))
      else response.writeHead(404).end()
    })
    const url = `http://127.0.0.1:${port}/files/remote.pdf?token=t0ken`

    yield* Effect.gen(function* () {
      const posted = yield* acceptedId(yield* postPdf("/v1/documents", acme, manyPages(3)))
      const hash = createHash("sha256").update(manyPages(3)).digest("hex")
      assert.strictEqual((yield* finished(posted, "acme")).blob, hash)

      const answer = yield* postJson("/pdf/ingest", {
        tenant_id: "acme",
        pdf_ids: ["2024/report.pdf", hash, url, "../secret.pdf", `http://127.0.0.1:${port + 1}/x.pdf`]
      })
      assert.deepStrictEqual([answer.status, answer.json.accepted, answer.json.queued_pdfs], [202, true, 4])
      const documents: ReadonlyArray<{ id: typeof posted; name: string; error?: { code: string } }> = JSON.parse(
        answer.text
      ).documents
      const outcomes = yield* Effect.forEach(documents, (each) =>
        each.error === undefined
          ? Effect.map(finished(each.id, "acme"), ({ blob, error, name, progress, status }) => [
              blob === hash ? "own" : name,
              status,
              progress.pages ?? error?.code
            ])
          : Effect.succeed([each.name, "refused", each.error.code])
      )
      assert.deepStrictEqual(outcomes, [
        ["report.pdf", "completed", 4],
        ["own", "completed", 3],
        ["remote.pdf", "completed", 5],
        ["../secret.pdf", "refused", "SOURCE_REFUSED"],
        ["x.pdf", "failed", "SOURCE_REFUSED"]
      ])
      const others = yield* postJson("/pdf/ingest", { pdf_ids: [hash] }, zebra)
      assertProblem(others, 422, "SOURCE_REFUSED")
      const unknown = yield* postJson("/pdf/ingest", { pdf_ids: [hash.replaceAll(/./g, "0")] }, zebra)
      assert.strictEqual(others.text.replaceAll(hash, ""), unknown.text.replaceAll("0".repeat(64), ""))
    }).pipe(Effect.provide(serviceAt(folder, { env: { INBOX_DIR: inbox }, ports: [port] })))
  })
)

it.live("Results, totals and the highest numbers ever seen survive a restart", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const before = yield* Effect.gen(function* () {
      const ids = yield* Effect.forEach([2, 3, 4, 5], (pages) =>
        Effect.flatMap(postPdf("/v1/documents", acme, manyPages(pages)), acceptedId)
      )
      const documents = yield* Effect.forEach(ids, (id) => finished(id, "acme"), { concurrency: "unbounded" })
      return { ids, documents, queue: yield* queueStatus("", "acme"), all: yield* queueStatus("?scope=all") }
    }).pipe(Effect.provide(Layer.fresh(serviceAt(folder))))
    assert.strictEqual(before.queue.total_processed, 4)
    const last = before.ids.at(-1)
    assert.isDefined(last)

    yield* Effect.gen(function* () {
      assert.deepStrictEqual(yield* queueStatus("", "acme"), before.queue)
      assert.deepStrictEqual(yield* queueStatus("?scope=all"), before.all)
      assert.deepStrictEqual(yield* Effect.forEach(before.ids, (id) => statusOf(id, "acme")), before.documents)
      const texts = (yield* allPagesOf(last, "acme")).map((page) => page.text)
      assert.deepStrictEqual(
        texts,
        [1, 2, 3, 4, 5].map((page) => `Page ${page} of 5`)
      )
    }).pipe(Effect.provide(Layer.fresh(serviceAt(folder))))
  })
)
