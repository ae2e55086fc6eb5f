import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { failedPage, type PageResult } from "../../src/domain/document/Page.ts"
import { warning } from "../../src/domain/document/Warning.ts"
import { failure } from "../../src/domain/Failure.ts"
import { encodeLayout } from "../../src/domain/document/LayoutBytes.ts"
import { heading, layoutOf, line, paragraph, span } from "../support/layouts.ts"
import { assertProblem, get, postPdf, testServer } from "./client.ts"
import { alter, change, idOf } from "./fakes.ts"

const layout = layoutOf(
  heading(1, "Title"),
  paragraph(
    line([span("unseen ", { hidden: "tiny" }), span("Two "), span("wo", { bold: true }, 92), span("rds", {}, 102)])
  )
)

const laidOut: PageResult = {
  number: 1,
  status: "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text: "Title\nTwo words",
  lines: "[]",
  layout: encodeLayout(layout).bytes,
  error: undefined,
  elapsedMillis: 5
}

const { layout: _, ...bare } = { ...laidOut, number: 2, text: "plain", warnings: [warning("CONTENT_CUT")] }
const failed = failedPage(3, "failed", failure("PAGE_UNREADABLE", "broken"))

const first = `/v1/documents/${idOf(1)}`

/** A document of four pages, of which the last has no result yet. */
const document = Effect.gen(function* () {
  yield* postPdf()
  yield* alter(idOf(1), { status: "running", progress: { pages: 4, done: 3, failed: 1 } })
  yield* change({ pages: new Map([[idOf(1), [laidOut, bare, failed]]]) })
})

describe("renderings of a document", () => {
  for (const [kind, type] of [
    ["markdown", "text/markdown; charset=utf-8"],
    ["html", "text/html; charset=utf-8"],
    ["json", "application/json"]
  ] as const) {
    it.effect(`come as ${kind}, with headers that tell what is missing`, () =>
      Effect.gen(function* () {
        yield* document
        const { headers, status } = yield* get(`${first}/${kind}`)
        assert.strictEqual(status, 200)
        assert.strictEqual(headers["content-type"], type)
        assert.strictEqual(headers["sluice-document-status"], "running")
        assert.strictEqual(headers["sluice-text"], "partial")
        assert.strictEqual(headers["sluice-missing-pages"], "3-4")
        assert.strictEqual(headers["sluice-incomplete-pages"], "2")
        assert.strictEqual(headers["sluice-pages-without-layout"], "1-2")
        const part = yield* get(`${first}/${kind}?from=2&to=2`)
        assert.isUndefined(part.headers["sluice-missing-pages"])
        assert.strictEqual(part.headers["sluice-pages-without-layout"], "2")
      }).pipe(Effect.provide(testServer))
    )
  }

  it.effect("let a browser load and run nothing", () =>
    Effect.gen(function* () {
      yield* document
      const { headers } = yield* get(`${first}/html`)
      assert.match(headers["content-security-policy"] ?? "", /^default-src 'none';.* sandbox$/)
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of pages from one to another: a range that the document does not have is refused", () =>
    Effect.gen(function* () {
      yield* document
      for (const kind of ["markdown", "html", "json", "text", "pages.ndjson"]) {
        const beyond = yield* get(`${first}/${kind}?from=99`)
        assertProblem(beyond, 404, "PAGE_NOT_FOUND")
        assert.strictEqual(beyond.json.detail, "page 99 is beyond the last page, 4")
        const backwards = yield* get(`${first}/${kind}?from=3&to=2`)
        assertProblem(backwards, 400, "INVALID_REQUEST")
        assert.include(String(backwards.json.detail), "query.to: Expected at least 3")
        assert.strictEqual((yield* get(`${first}/${kind}?from=2&to=99`)).status, 200)
        // The last page is pending: it is in the document, and may have a result any moment.
        assert.strictEqual((yield* get(`${first}/${kind}?from=4`)).status, 200)
        assertProblem(yield* get(`${first}/${kind}?limit=2`), 400, "INVALID_REQUEST")
      }
      assertProblem(yield* get(`${first}/pages?from=3&to=2`), 400, "INVALID_REQUEST")
      yield* alter(idOf(1), { status: "failed", progress: { done: 0, failed: 0 } })
      assert.strictEqual((yield* get(`${first}/markdown?from=99`)).status, 200)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("are refused for documents that are not there, and for what is not known", () =>
    Effect.gen(function* () {
      yield* document
      for (const kind of ["markdown", "html", "json"]) {
        assertProblem(yield* get(`/v1/documents/${idOf(99)}/${kind}`), 404, "DOCUMENT_NOT_FOUND")
        assertProblem(yield* get(`${first}/${kind}?from=0`), 400, "INVALID_REQUEST")
      }
      assertProblem(yield* get(`${first}/markdown?headers=drop`), 400, "INVALID_REQUEST")
      assertProblem(yield* get(`${first}/json?headers=keep`), 400, "INVALID_REQUEST")
    }).pipe(Effect.provide(testServer))
  )
})

describe("a page", () => {
  it.effect("shows its layout and its words when asked, and neither otherwise", () =>
    Effect.gen(function* () {
      yield* document
      const whole = yield* get(`${first}/pages/1?detail=layout`)
      assert.deepNestedInclude(whole.json, { text: "Title\nTwo words", layout, hiddenCharacters: 7 })
      const { json } = yield* get(`${first}/pages/1?detail=words`)
      const words: ReadonlyArray<{ readonly text: string; readonly x: number; readonly width: number }> =
        Object(json).words
      assert.deepStrictEqual(
        words.map(({ text }) => text),
        ["Title", "unseen", "Two", "words"]
      )
      assert.strictEqual(Object(json).hiddenCharacters, 7)
      assert.isTrue(words.every(({ width }) => width > 0))
      assert.isBelow(words[2]?.x ?? 0, words[3]?.x ?? 0)
      for (const detail of ["", "?detail=lines"]) {
        const plain = yield* get(`${first}/pages/1${detail}`)
        assert.notProperty(plain.json, "layout")
        assert.notProperty(plain.json, "words")
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that was read without its layout says what to do; one that has no text is shown", () =>
    Effect.gen(function* () {
      yield* document
      for (const detail of ["layout", "words"]) {
        const refused = yield* get(`${first}/pages/2?detail=${detail}`)
        assertProblem(refused, 409, "LAYOUT_MISSING")
        assert.include(refused.text, "force=true")
        assert.deepNestedInclude((yield* get(`${first}/pages/3?detail=${detail}`)).json, {
          number: 3,
          status: "failed"
        })
      }
    }).pipe(Effect.provide(testServer))
  )
})
