import { gunzipSync, zstdDecompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { failure } from "../../../src/domain/Failure.ts"
import type { PageResult } from "../../../src/domain/document/Page.ts"
import { warning } from "../../../src/domain/document/Warning.ts"
import { assertProblem, get, postPdf, testServer } from "../client.ts"
import { alter, change, idOf } from "../fakes.ts"
import { fetched, open } from "../wire.ts"

const pageOf = (number: number, changes: Partial<PageResult> = {}): PageResult => ({
  number,
  status: "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text: `text of page ${number}`,
  lines: "[]",
  error: undefined,
  elapsedMillis: 5,
  ...changes
})

const document = `/v1/documents/${idOf(1)}`
const withPages = (...pages: ReadonlyArray<PageResult>) =>
  Effect.andThen(postPdf(), change({ pages: new Map([[idOf(1), pages]]) }))

const running = <A, E, R>(body: Effect.Effect<A, E, R>) => body.pipe(Effect.scoped, Effect.provide(testServer))

describe("an answer that waits", () => {
  for (const path of ["/pages.ndjson?follow=true", "/pages?wait=60s", "/pages?wait=60s&detail=summary&from=3"]) {
    it.effect(`begins at once and shows that it lives: ${path}`, () =>
      running(
        Effect.gen(function* () {
          yield* postPdf()
          const answer = yield* open(`${document}${path}`, { "accept-encoding": "gzip" })
          assert.strictEqual(answer.status, 200)
          assert.notProperty(answer.headers, "content-encoding")
          yield* answer.read(1)
          for (const beats of [2, 3]) {
            yield* TestClock.adjust("15 seconds")
            yield* answer.read(beats)
          }
          assert.match(answer.received().toString(), /^\s{3}$/)
          yield* alter(idOf(1), { status: "failed" })
          yield* TestClock.adjust("30 seconds")
          assert.isTrue(yield* answer.read())
          const text = answer.received().toString()
          if (path.includes("ndjson")) assert.strictEqual(text.trim(), "")
          else assert.deepStrictEqual(JSON.parse(text), { pages: [] })
        })
      )
    )
  }

  it.effect("has pages, each on a line of its own, when they come after a while", () =>
    running(
      Effect.gen(function* () {
        yield* postPdf()
        const answer = yield* open(`${document}/pages.ndjson?follow=true`)
        yield* answer.read(1)
        yield* change({ pages: new Map([[idOf(1), [pageOf(1), pageOf(2), pageOf(4)]]]) })
        yield* alter(idOf(1), { status: "partial" })
        yield* TestClock.adjust("15 seconds")
        assert.isTrue(yield* answer.read())
        const lines = answer
          .received()
          .toString()
          .split("\n")
          .filter((line) => line !== "")
        assert.deepStrictEqual(
          lines.map((line) => JSON.parse(line).number),
          [1, 2, 4]
        )
      })
    )
  )

  it.effect("is refused before it begins if it is for nothing", () =>
    running(
      Effect.gen(function* () {
        yield* postPdf()
        for (const path of ["/pages.ndjson?follow=true", "/pages?wait=30s"]) {
          const foreign = yield* get(`${document}${path}`, { "x-tenant-id": "rival" })
          assertProblem(foreign, 404, "DOCUMENT_NOT_FOUND")
        }
      })
    )
  )
})

const long = Array.from({ length: 300 }, (_, index) =>
  pageOf(index + 1, { text: `line of page ${index}\n`.repeat(40) })
)

describe("a large answer", () => {
  it.effect("comes in the coding that the client prefers, and says that others get another one", () =>
    running(
      Effect.gen(function* () {
        yield* withPages(...long)
        const path = `${document}/pages?limit=300`
        const plain = yield* fetched(path)
        assert.notProperty(plain.headers, "content-encoding")
        assert.strictEqual(plain.headers["content-length"], String(plain.body.length))
        assert.include(plain.headers.vary, "Accept-Encoding")
        for (const refused of ["identity", "gzip;q=0", "zstd;q=0, gzip;q=0, *", "br", "nonsense, =="]) {
          assert.deepStrictEqual((yield* fetched(path, { "accept-encoding": refused })).body, plain.body)
        }
        for (const accepted of ["gzip", "gzip;q=0.5, br", "GZIP, zstd;q=0", "deflate, gzip"]) {
          const { body, headers } = yield* fetched(path, { "accept-encoding": accepted })
          assert.strictEqual(headers["content-encoding"], "gzip", accepted)
          assert.strictEqual(headers["content-length"], String(body.length))
          assert.include(headers.vary, "Accept-Encoding")
          assert.isBelow(body.length * 5, plain.body.length)
          assert.deepStrictEqual(gunzipSync(body), plain.body)
        }
        const { body, headers } = yield* fetched(path, { "accept-encoding": "gzip, br, zstd" })
        assert.strictEqual(headers["content-encoding"], "zstd")
        assert.deepStrictEqual(zstdDecompressSync(body), plain.body)
      })
    )
  )

  it.effect("is compressed as a stream, too, and a small answer is not", () =>
    running(
      Effect.gen(function* () {
        yield* withPages(...long)
        const coded = { "accept-encoding": "zstd, gzip" }
        for (const path of ["/pages.ndjson", "/text", "/text?mark=missing"]) {
          const plain = yield* fetched(`${document}${path}`)
          const { body, headers } = yield* fetched(`${document}${path}`, coded)
          assert.strictEqual(headers["content-encoding"], "gzip")
          assert.deepStrictEqual(gunzipSync(body), plain.body)
        }
        for (const path of [document, `${document}/pages?limit=1`, "/health/live", `${document}/pages/9999`]) {
          assert.notProperty((yield* fetched(path, coded)).headers, "content-encoding", path)
        }
      })
    )
  )
})

describe("the description of the interface", () => {
  it.effect("is small, and not sent again to those who have it", () =>
    running(
      Effect.gen(function* () {
        for (const path of ["/docs", "/openapi.json"]) {
          const plain = yield* fetched(path)
          const first = yield* fetched(path, { "accept-encoding": "gzip" })
          assert.strictEqual(first.headers["content-encoding"], "gzip")
          assert.strictEqual(first.headers["cache-control"], "no-cache")
          assert.isBelow(first.body.length * 2.5, plain.body.length)
          assert.deepStrictEqual(gunzipSync(first.body), plain.body)
          const again = yield* fetched(path, { "accept-encoding": "gzip" })
          assert.deepStrictEqual(again.body, first.body)
          assert.notStrictEqual(again.headers["x-request-id"], first.headers["x-request-id"])
          assert.strictEqual(first.headers.etag, `W/${plain.headers.etag}`)
          for (const etag of [plain.headers.etag, first.headers.etag, `"other", ${plain.headers.etag}`]) {
            const known = yield* fetched(path, { "if-none-match": etag ?? "", "accept-encoding": "gzip" })
            assert.deepStrictEqual([known.status, known.body.length], [304, 0])
          }
          assert.strictEqual((yield* fetched(path, { "if-none-match": '"other"' })).status, 200)
        }
        const style = yield* fetched("/dashboard/style.css", { "accept-encoding": "gzip" })
        assert.strictEqual(style.headers["content-encoding"], "gzip")
        assert.match(style.headers.etag ?? "", /^W\//)
      })
    )
  )
})

describe("a text", () => {
  const told = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }) => [
    headers["sluice-document-status"],
    headers["sluice-text"],
    headers["sluice-missing-pages"]
  ]

  it.effect("says in its headers whether it is the whole one", () =>
    running(
      Effect.gen(function* () {
        const path = `${document}/text`
        yield* withPages(pageOf(1), pageOf(2, { status: "empty", text: "" }))
        yield* alter(idOf(1), { status: "completed", progress: { pages: 2, done: 2, failed: 0 } })
        assert.deepStrictEqual(told(yield* get(path)), ["completed", "complete", undefined])

        const blank = { status: "scanned", text: "" } as const
        const broken = { status: "failed", text: "", error: failure("PAGE_UNREADABLE", "no") } as const
        yield* change({
          pages: new Map([[idOf(1), [pageOf(2), pageOf(4, blank), pageOf(5, broken), pageOf(7, blank), pageOf(8)]]])
        })
        yield* alter(idOf(1), { status: "running", progress: { pages: 12, done: 5, failed: 1 } })
        assert.deepStrictEqual(told(yield* get(path)), ["running", "partial", "1,3-7,9-12"])
        assert.strictEqual((yield* get(path)).text, "text of page 2\f\f\f\ftext of page 8")
        const marked = yield* get(`${path}?mark=missing`)
        assert.deepStrictEqual(told(marked), ["running", "partial", "1,3-7,9-12"])
        const parts = marked.text.split("\f")
        assert.strictEqual(parts.length, 12)
        assert.deepStrictEqual(parts.slice(0, 5), [
          "[page 1 is missing: pending]",
          "text of page 2",
          "[page 3 is missing: pending]",
          "[page 4 is missing: scanned]",
          "[page 5 is missing: PAGE_UNREADABLE]"
        ])
        assert.strictEqual(parts[11], "[page 12 is missing: pending]")

        const warned = pageOf(2, { warnings: [warning("CONTENT_CUT"), warning("FONT_DAMAGED")] })
        yield* change({ pages: new Map([[idOf(1), [pageOf(1), warned, pageOf(3, { ...blank, warnings: [] })]]]) })
        yield* alter(idOf(1), { status: "completed", progress: { pages: 3, done: 3, failed: 0, warned: 1 } })
        const { headers, text } = yield* get(`${path}?mark=missing`)
        assert.deepStrictEqual(told({ headers }), ["completed", "partial", "3"])
        assert.strictEqual(headers["sluice-incomplete-pages"], "2")
        assert.strictEqual(
          text,
          "text of page 1\ftext of page 2\n[page 2 is incomplete: CONTENT_CUT, FONT_DAMAGED]\f[page 3 is missing: scanned]"
        )

        yield* change({ pages: new Map([[idOf(1), [pageOf(1)]]]) })
        yield* alter(idOf(1), { status: "cancelled", progress: { pages: 12, done: 1, failed: 0 } })
        assert.include((yield* get(`${path}?mark=missing`)).text, "[page 12 is missing: not read]")
        assertProblem(yield* get(`${path}?mark=all`), 400, "INVALID_REQUEST")
      })
    )
  )

  it.effect("of a document that was not opened, or cannot be, is not taken for an empty one", () =>
    running(
      Effect.gen(function* () {
        yield* postPdf()
        const path = `${document}/text`
        assert.deepStrictEqual(told(yield* get(path)), ["queued", "partial", undefined])
        assert.strictEqual((yield* get(path)).text, "")
        const waits = yield* get(`${path}?mark=missing`)
        assert.strictEqual(waits.text, "[the document is queued: its pages are not known yet]")
        yield* alter(idOf(1), { status: "failed", failure: failure("NOT_PDF", "it is none") })
        assert.strictEqual((yield* get(`${path}?mark=missing`)).text, "[the document is failed: NOT_PDF]")
        assert.deepStrictEqual(told(yield* get(path)), ["failed", "partial", undefined])
      })
    )
  )

  it.effect("names no more missing pages than a header holds", () =>
    running(
      Effect.gen(function* () {
        yield* withPages(...Array.from({ length: 900 }, (_, index) => pageOf(2 * index + 2)))
        yield* alter(idOf(1), { status: "partial", progress: { pages: 1_801, done: 900, failed: 0 } })
        const missing = String((yield* get(`${document}/text`)).headers["sluice-missing-pages"])
        assert.isAtMost(missing.length, 1_010)
        assert.match(missing, /^1,3,5,.*,\.\.\.$/)
      })
    )
  )
})
