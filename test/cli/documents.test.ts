import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Result } from "effect"
import { Day, nothingUsed } from "../../src/domain/downstream/Usage.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import type { PageResult } from "../../src/domain/document/Page.ts"
import { UsageStore } from "../../src/services/downstreams/UsageStore.ts"
import { postPdf, testServer } from "../http/client.ts"
import { StageName, StageVersion } from "../../src/domain/pipeline/Pipeline.ts"
import { alter, change, idOf, inspect, type Made } from "../http/fakes.ts"
import { sluiceHere } from "./harness.ts"

const pageOf = (number: number): PageResult => ({
  number,
  status: "ok",
  width: 1,
  height: 1,
  rotation: 0,
  text: `page ${number}`,
  lines: "[]",
  error: undefined,
  elapsedMillis: 1
})

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-test-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** A document of three pages, of which one has no result. */
const withPages = Effect.gen(function* () {
  yield* postPdf("/v1/documents?name=a%1Bb.pdf")
  yield* alter(idOf(1), { status: "partial", progress: { pages: 3, done: 2, failed: 0 } })
  yield* change({ pages: new Map([[idOf(1), [pageOf(1), pageOf(3)]]]) })
})

describe("ls", () => {
  it.effect("lists documents in lines, by state, and as many as are asked for", () =>
    Effect.gen(function* () {
      for (let n = 1; n <= 3; n++) yield* postPdf(`/v1/documents?name=${n}%1B.pdf`)
      yield* alter(idOf(2), { status: "failed" })
      const all = yield* sluiceHere(["ls"])
      assert.deepStrictEqual(
        all.out.split("\n").map((line) => line.split(/\s+/)[0]),
        [idOf(3), idOf(2), idOf(1)]
      )
      assert.notInclude(all.out, "\u001b")
      assert.strictEqual((yield* sluiceHere(["ls", "-n", "2"])).out.split("\n").length, 2)
      const failed = yield* sluiceHere(["ls", "--status", "failed", "--status", "partial", "--json"])
      assert.deepInclude(JSON.parse(failed.out), { id: idOf(2), status: "failed" })
      assert.strictEqual((yield* sluiceHere(["ls", "--status", "done"])).code, 2)
    }).pipe(Effect.provide(testServer))
  )
})

describe("show, text, pages and md", () => {
  it.effect("write what is asked for to standard output, and what is missing to standard error", () =>
    Effect.gen(function* () {
      yield* withPages
      assert.include((yield* sluiceHere(["show", idOf(1)])).out, "2 of 3 pages")
      const text = yield* sluiceHere(["text", idOf(1)])
      assert.deepStrictEqual([text.code, text.written], [0, "page 1\fpage 3"])
      assert.strictEqual(text.err, "sluice: the document is partial; without text: pages 2")
      const lines = (yield* sluiceHere(["pages", idOf(1)])).written.trim().split("\n")
      assert.deepStrictEqual(
        lines.map((line) => JSON.parse(line).number),
        [1, 3]
      )
      const md = yield* sluiceHere(["md", idOf(1), "--json"])
      assert.strictEqual(md.written, "page 1page 3")
      assert.deepInclude(JSON.parse(md.err).partial, { status: "partial", missing: "2" })
      const none = yield* sluiceHere(["text", idOf(9)])
      assert.deepStrictEqual([none.code, none.written], [1, ""])
      assert.include(none.err, "DOCUMENT_NOT_FOUND")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("write a file as a whole", () =>
    Effect.gen(function* () {
      yield* withPages
      const path = join(yield* folder, "a.txt")
      const { code, written } = yield* sluiceHere(["text", idOf(1), "--out", path])
      assert.deepStrictEqual([code, written, readFileSync(path, "utf8")], [0, "", "page 1\fpage 3"])
    }).pipe(Effect.scoped, Effect.provide(testServer))
  )
})

const artifactOf = (page: number, bytes: string): Made => ({
  artifact: {
    page,
    stage: StageName.make("ocr"),
    version: StageVersion.make("1"),
    status: "done",
    mediaType: "application/json",
    size: bytes.length,
    elapsedMillis: 1,
    createdAt: DateTime.makeUnsafe(0)
  },
  content: new TextEncoder().encode(bytes)
})

describe("artifacts, artifact, image and pipelines", () => {
  it.effect("show what stages made, and write it as it is", () =>
    Effect.gen(function* () {
      yield* postPdf()
      yield* change({ artifacts: new Map([[idOf(1), [artifactOf(1, "{}"), artifactOf(3, `{"a":1}`)]]]) })
      const list = yield* sluiceHere(["artifacts", idOf(1)])
      assert.strictEqual(list.out, "page 1      ocr 1  done     2 bytes\npage 3      ocr 1  done     7 bytes")
      const ofPage = yield* sluiceHere(["artifacts", idOf(1), "--page", "3", "--stage", "ocr", "--json"])
      assert.deepInclude(JSON.parse(ofPage.out), { page: 3, stage: "ocr", status: "done" })
      assert.strictEqual((yield* sluiceHere(["artifact", idOf(1), "ocr", "--page", "3"])).written, `{"a":1}`)
      const none = yield* sluiceHere(["artifact", idOf(1), "ocr"])
      assert.strictEqual(none.code, 1)
      assert.include(none.err, "ARTIFACT_NOT_FOUND: the stage ocr made nothing of the document")
      assert.include((yield* sluiceHere(["pipelines"])).out, "text (default)  reads the text of the pages")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("write a page as an image", () =>
    Effect.gen(function* () {
      yield* postPdf()
      const bytes = new TextEncoder().encode("an image")
      yield* change({ drawing: Result.succeed({ format: "webp", width: 1, height: 1, bytes }) })
      const path = join(yield* folder, "page.webp")
      const args = ["image", idOf(1), "2", "--dpi", "96", "--format", "webp", "--out", path]
      assert.strictEqual((yield* sluiceHere(args)).code, 0)
      assert.strictEqual(readFileSync(path, "utf8"), "an image")
      assert.deepInclude((yield* inspect).drawn[0], { size: { dpi: 96 }, format: "webp" })
      assert.strictEqual((yield* sluiceHere(["image", idOf(1), "0"])).code, 2)
    }).pipe(Effect.scoped, Effect.provide(testServer))
  )
})

describe("retry", () => {
  it.effect("runs a stage of one document again, or of all of them", () =>
    Effect.gen(function* () {
      for (let n = 1; n <= 2; n++) {
        yield* postPdf("/v1/documents?pipeline=scans")
        yield* alter(idOf(n), { status: "completed" })
      }
      assert.strictEqual((yield* sluiceHere(["retry", idOf(1), "--stage", "ocr", "--stage-version", "1"])).code, 0)
      const all = yield* sluiceHere(["retry", "--all", "--stage", "ocr"])
      assert.deepStrictEqual([all.code, all.out], [0, "2 documents queued again"])
      assert.deepStrictEqual(
        (yield* inspect).requeued.map(({ id, version }) => `${id} ${version}`),
        [`${idOf(1)} 1`, `${idOf(2)} undefined`, `${idOf(1)} undefined`]
      )
      for (const args of [[], [idOf(1), "--all"], [idOf(1), "--stage-version", "1"], ["--all", "--stage", "Ocr"]]) {
        assert.strictEqual((yield* sluiceHere(["retry", ...args])).code, 2, args.join(" "))
      }
    }).pipe(Effect.provide(testServer))
  )
})

describe("rm", () => {
  it.effect("removes documents, also one that runs, and goes on after one that is not there", () =>
    Effect.gen(function* () {
      yield* postPdf()
      yield* postPdf()
      yield* alter(idOf(1), { status: "running" })
      const { code, err, out } = yield* sluiceHere(["rm", idOf(1), idOf(9), idOf(2)])
      assert.deepStrictEqual([code, out], [1, `${idOf(1)} removed\n${idOf(2)} removed`])
      assert.include(err, "DOCUMENT_NOT_FOUND")
      assert.strictEqual((yield* inspect).documents.size, 0)
    }).pipe(Effect.provide(testServer))
  )
})

describe("usage", () => {
  it.effect("shows sums in columns, or as JSON", () =>
    Effect.gen(function* () {
      const row = { ...nothingUsed, day: Day.make("2026-11-30"), resource: "ocr", calls: 2, cost: 0.5 }
      yield* UsageStore.use((store) => store.add([{ ...row, tenantId: TenantId.make("default") }]))
      const days = ["--from", "2026-11-01", "--to", "2026-11-30"]
      const { out } = yield* sluiceHere(["usage", "--by", "downstream", ...days])
      assert.match(out, /^downstream +pages +worker s +calls +call s +tokens +cost\nocr +0 +0\.0 +2 +0\.0 +0 +0\.5$/)
      const json = JSON.parse((yield* sluiceHere(["usage", "--all", "--by", "tenant", "--json", ...days])).out)
      assert.deepInclude(json.usage[0], { key: "default", calls: 2 })
      assert.strictEqual((yield* sluiceHere(["usage", "--from", "2026-02-30"])).code, 2)
    }).pipe(Effect.provide(testServer))
  )
})
