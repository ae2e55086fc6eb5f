import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { HttpBody } from "effect/http"
import { type PageResult, failedPage } from "../../src/domain/document/Page.ts"
import { failure } from "../../src/domain/Failure.ts"
import { alter, change, idOf } from "./fakes.ts"
import { assertProblem, get, post, postPdf, remove, testServer } from "./client.ts"

const pageOf = (number: number): PageResult => ({
  number,
  status: "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text: `text of page ${number}`,
  lines: JSON.stringify([{ text: `text of page ${number}`, x: 1, y: 2, width: 3, height: 4 }]),
  error: undefined,
  elapsedMillis: 5
})

/** A document with results for these pages. */
const withPages = (...numbers: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    yield* postPdf()
    yield* change({ pages: new Map([[idOf(1), numbers.map(pageOf)]]) })
  })

const first = `/v1/documents/${idOf(1)}`

describe("a document", () => {
  it.effect("is shown with its links and ISO dates", () =>
    Effect.gen(function* () {
      yield* postPdf("/v1/documents?name=a%20b.pdf&priority=7&notBefore=2030-01-01T00:00:00Z")
      const { json, status } = yield* get(first)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(json, {
        id: idOf(1),
        tenantId: "default",
        name: "a b.pdf",
        priority: 7,
        pipeline: "text",
        status: "scheduled",
        attempt: 0,
        interruptions: 0,
        retries: 0,
        progress: { done: 0, failed: 0 },
        timings: { acceptedAt: "1970-01-01T00:00:00.000Z" },
        links: {
          self: first,
          ...Object.fromEntries(
            ["pages", "text", "markdown", "html", "json", "artifacts"].map((kind) => [kind, `${first}/${kind}`])
          )
        }
      })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is shown with why it waits and until when", () =>
    Effect.gen(function* () {
      yield* postPdf()
      const eta = { low: DateTime.makeUnsafe(1_000), high: DateTime.makeUnsafe(3_000) }
      yield* alter(idOf(1), { waiting: { gate: "tenant", position: 3, pagesAhead: 40, eta } })
      const { json } = yield* get(first)
      assert.deepNestedInclude(json, {
        waiting: {
          gate: "tenant",
          position: 3,
          pagesAhead: 40,
          eta: { low: "1970-01-01T00:00:01.000Z", high: "1970-01-01T00:00:03.000Z" }
        }
      })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of another tenant is as absent as one that does not exist, on every route", () =>
    Effect.gen(function* () {
      yield* postPdf("/v1/documents", { "x-tenant-id": "acme" })
      yield* change({ pages: new Map([[idOf(1), [pageOf(1)]]]) })
      const other = { "x-tenant-id": "rival" }
      for (const path of ["", "/pages", "/pages/1", "/text"]) {
        const foreign = yield* get(`${first}${path}`, other)
        assertProblem(foreign, 404, "DOCUMENT_NOT_FOUND")
        const missing = yield* get(`/v1/documents/${idOf(99)}${path}`, other)
        assertProblem(missing, 404, "DOCUMENT_NOT_FOUND")
        assert.strictEqual(foreign.text, missing.text.replaceAll(idOf(99), idOf(1)))
      }
      assertProblem(yield* remove(first, other), 404, "DOCUMENT_NOT_FOUND")
      assert.strictEqual((yield* get(first, { "x-tenant-id": "acme" })).status, 200)
      assert.strictEqual((yield* get(`${first}?tenant_id=acme`)).status, 200)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("with an id that is none is refused by the name of the parameter", () =>
    Effect.gen(function* () {
      const answer = yield* get("/v1/documents/nonsense")
      assertProblem(answer, 400, "INVALID_REQUEST")
      assert.deepInclude(answer.json, {
        errors: [{ field: "params.id", in: "path", name: "id", message: "Expected a UUID" }]
      })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is cancelled by POST, which leaves one that has ended alone", () =>
    Effect.gen(function* () {
      yield* postPdf()
      const cancel = post(`${first}/cancel`, HttpBody.empty)
      const cancelled = yield* cancel
      assert.strictEqual(cancelled.status, 200, cancelled.text)
      assert.deepInclude(cancelled.json, { status: "cancelled" })
      yield* alter(idOf(1), { status: "completed" })
      assert.deepInclude((yield* cancel).json, { status: "completed" })
      assert.deepInclude((yield* get(first)).json, { status: "completed" })
      assertProblem(yield* post(`/v1/documents/${idOf(9)}/cancel`, HttpBody.empty), 404, "DOCUMENT_NOT_FOUND")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is cancelled by the first DELETE and removed by the second", () =>
    Effect.gen(function* () {
      yield* postPdf()
      const cancelled = yield* remove(first)
      assert.deepStrictEqual([cancelled.status, cancelled.json.status], [202, "cancelled"])
      const removed = yield* remove(first)
      assert.deepStrictEqual([removed.status, removed.text], [204, ""])
      assertProblem(yield* remove(first), 404, "DOCUMENT_NOT_FOUND")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("cannot be asked for while the store does not work, and the answer says when to come back", () =>
    Effect.gen(function* () {
      yield* change({ storeWorks: false })
      for (const path of [first, "/v1/documents", `${first}/pages`, "/queue/status"]) {
        const answer = yield* get(path)
        assertProblem(answer, 503, "STORE_UNAVAILABLE")
        assert.strictEqual(answer.headers["retry-after"], "5")
        assert.notInclude(answer.text, "fire")
      }
    }).pipe(Effect.provide(testServer))
  )
})

describe("the list of documents", () => {
  it.effect("is newest first and continues at its cursor", () =>
    Effect.gen(function* () {
      for (const name of ["1", "2", "3"]) yield* postPdf(`/v1/documents?name=${name}`)
      yield* postPdf("/v1/documents?tenant_id=other")
      const one = yield* get("/v1/documents?limit=2")
      assert.deepStrictEqual(namesOf(one.json.documents), ["3", "2"])
      assert.strictEqual(one.json.nextCursor, idOf(2))
      const two = yield* get(`/v1/documents?limit=2&cursor=${idOf(2)}`)
      assert.deepStrictEqual(namesOf(two.json.documents), ["1"])
      assert.notProperty(two.json, "nextCursor")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is filtered by status", () =>
    Effect.gen(function* () {
      yield* postPdf("/v1/documents?name=1")
      yield* postPdf("/v1/documents?name=2")
      yield* alter(idOf(1), { status: "failed", failure: failure("CORRUPT", "broken") })
      const { json } = yield* get("/v1/documents?status=failed")
      assert.deepStrictEqual(namesOf(json.documents), ["1"])
    }).pipe(Effect.provide(testServer))
  )

  it.effect("refuses parameters out of range by name", () =>
    Effect.gen(function* () {
      for (const [query, field] of [
        ["limit=0", "query.limit"],
        ["limit=201", "query.limit"],
        ["limit=x", "query.limit"],
        ["status=lost", "query.status"],
        ["cursor=1", "query.cursor"]
      ] as const) {
        const answer = yield* get(`/v1/documents?${query}`)
        assertProblem(answer, 400, "INVALID_REQUEST")
        assert.include(String(answer.json.detail), field)
      }
    }).pipe(Effect.provide(testServer))
  )
})

const namesOf = (documents: unknown) =>
  Array.isArray(documents) ? documents.map((document: { readonly name: string }) => document.name) : documents

describe("pages", () => {
  it.effect("come in portions that tell where to go on", () =>
    Effect.gen(function* () {
      yield* withPages(1, 2, 4)
      const one = yield* get(`${first}/pages?limit=2`)
      assert.strictEqual(one.json.next, 4)
      const { error: _, lines: __, ...shown } = pageOf(4)
      const two = yield* get(`${first}/pages?limit=2&from=4`)
      assert.deepStrictEqual(two.json, { pages: [shown] })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("end where they are asked to end, in every form", () =>
    Effect.gen(function* () {
      yield* withPages(1, 2, 3, 5)
      const numbersOf = (json: Readonly<Record<string, unknown>>) =>
        namesOf((Array.isArray(json["pages"]) ? json["pages"] : []).map(({ number }) => ({ name: number })))
      for (const detail of ["", "&detail=lines", "&detail=summary"]) {
        const both = yield* get(`${first}/pages?from=2&to=4${detail}`)
        assert.deepStrictEqual([numbersOf(both.json), both.json.next], [[2, 3], undefined])
        const one = yield* get(`${first}/pages?from=2&to=3&limit=1${detail}`)
        assert.deepStrictEqual([numbersOf(one.json), one.json.next], [[2], 3])
        assert.deepStrictEqual((yield* get(`${first}/pages?from=9${detail}`)).json, { pages: [] })
      }
      assert.strictEqual((yield* get(`${first}/text?from=2&to=3`)).text, "text of page 2\ftext of page 3")
      yield* alter(idOf(1), { status: "running", progress: { pages: 5, done: 4, failed: 0 } })
      const marked = yield* get(`${first}/text?from=3&to=4&mark=missing`)
      assert.strictEqual(marked.text, "text of page 3\f[page 4 is missing: pending]")
      assert.strictEqual(marked.headers["sluice-missing-pages"], "4")
      const lines = yield* get(`${first}/pages.ndjson?from=2&to=3`)
      assert.deepStrictEqual(
        lines.text.split("\n").map((line) => (line === "" ? undefined : JSON.parse(line).number)),
        [2, 3, undefined]
      )
      // It does not wait for a page beyond the last one that is asked for.
      const followed = yield* get(`${first}/pages.ndjson?from=1&to=3&follow=true`)
      assert.lengthOf(followed.text.trim().split("\n"), 3)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("have their lines only when asked", () =>
    Effect.gen(function* () {
      yield* withPages(1)
      const lines = [{ text: "text of page 1", x: 1, y: 2, width: 3, height: 4 }]
      assert.notProperty((yield* get(`${first}/pages/1`)).json, "lines")
      assert.deepInclude((yield* get(`${first}/pages/1?detail=lines`)).json, { lines })
      const { json } = yield* get(`${first}/pages?detail=lines`)
      assert.deepInclude(json, { pages: [{ ...(yield* get(`${first}/pages/1?detail=lines`)).json }] })
      assertProblem(yield* get(`${first}/pages/1?detail=all`), 400, "INVALID_REQUEST")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("come without their text when a summary is wanted", () =>
    Effect.gen(function* () {
      yield* postPdf()
      const error = failure("PAGE_TIMEOUT", "too slow")
      yield* change({ pages: new Map([[idOf(1), [pageOf(1), failedPage(2, "timeout", error)]]]) })
      const bare = { width: 0, height: 0, rotation: 0, elapsedMillis: 0 }
      assert.deepStrictEqual((yield* get(`${first}/pages?detail=summary`)).json, {
        pages: [
          { number: 1, status: "ok", width: 595, height: 842, rotation: 0, elapsedMillis: 5 },
          { number: 2, status: "timeout", ...bare, error }
        ]
      })
      assert.strictEqual((yield* get(`${first}/pages?detail=summary&limit=1`)).json.next, 2)
      assertProblem(yield* get(`${first}/pages/1?detail=summary`), 400, "INVALID_REQUEST")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("come in answers of at most 4 MiB, or with one page, and none is left out", () =>
    Effect.gen(function* () {
      yield* postPdf()
      const mebibyte = 1024 * 1024
      // Characters of two bytes each.
      const long = (number: number, mebibytes: number): PageResult => ({
        ...pageOf(number),
        text: "é".repeat((mebibytes * mebibyte) / 2)
      })
      const pages = [
        long(1, 5),
        pageOf(2),
        long(3, 3),
        long(4, 3),
        ...Array.from({ length: 60 }, (_, n) => pageOf(n + 5))
      ]
      yield* change({ pages: new Map([[idOf(1), pages]]) })
      for (const [query, parts] of [
        ["", [1, 2, 61]],
        ["&detail=lines", [1, 2, 61]],
        ["&detail=summary", [64]]
      ] as const) {
        const found: Array<ReadonlyArray<unknown>> = []
        for (let from: unknown = 1; from !== undefined;) {
          const { headers, json, text } = yield* get(`${first}/pages?limit=500&from=${from}${query}`, {
            "accept-encoding": "identity"
          })
          found.push(Array.isArray(json.pages) ? json.pages : [])
          assert.strictEqual(headers["content-length"], String(Buffer.byteLength(text)))
          if (found.length > 1) assert.isBelow(Buffer.byteLength(text), 4.1 * mebibyte)
          from = json.next
        }
        assert.deepStrictEqual(
          found.map(({ length }) => length),
          [...parts]
        )
        assert.deepStrictEqual(
          namesOf(found.flat().map((page) => ({ ...Object(page), name: Object(page).number }))),
          pages.map(({ number }) => number)
        )
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that failed carry their reason", () =>
    Effect.gen(function* () {
      yield* postPdf()
      const error = failure("PAGE_TIMEOUT", "too slow")
      yield* change({ pages: new Map([[idOf(1), [failedPage(1, "timeout", error)]]]) })
      const { json } = yield* get(`${first}/pages/1`)
      assert.deepInclude(json, { status: "timeout", error })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that have no result are told apart: not opened, pending, beyond the end, never read", () =>
    Effect.gen(function* () {
      yield* withPages(1)
      const absent = (n: number) =>
        Effect.map(get(`${first}/pages/${n}`), (answer) => {
          assertProblem(answer, 404, "PAGE_NOT_FOUND")
          return answer.json.detail
        })
      assert.strictEqual(yield* absent(2), "page 2 is pending")
      yield* alter(idOf(1), { status: "running", progress: { pages: 3, done: 1, failed: 0 } })
      assert.strictEqual(yield* absent(3), "page 3 is pending")
      assert.strictEqual(yield* absent(4), "page 4 is beyond the last page, 3")
      yield* alter(idOf(1), { status: "cancelled" })
      assert.strictEqual(yield* absent(3), "page 3 has no result: the document is cancelled")
      assertProblem(yield* get(`${first}/pages/0`), 400, "INVALID_REQUEST")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("make a text with form feeds between them", () =>
    Effect.gen(function* () {
      yield* withPages(1, 2)
      const { headers, status, text } = yield* get(`${first}/text`)
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], "text/plain; charset=utf-8")
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
      assert.strictEqual(text, "text of page 1\ftext of page 2")
    }).pipe(Effect.provide(testServer))
  )
})
