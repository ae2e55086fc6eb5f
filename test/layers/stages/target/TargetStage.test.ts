import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { layoutExample } from "../../../../src/domain/document/PageLayout.ts"
import { makeFolderTarget } from "../../../../src/layers/stages/target/FolderTarget.ts"
import { pathOf } from "../../../../src/layers/stages/target/Contents.ts"
import { targetStage } from "../../../../src/layers/stages/target/TargetStage.ts"
import type { DownstreamsWritten } from "../../../../src/services/downstreams/DownstreamSettings.ts"
import type { TargetStageSettings } from "../../../../src/services/pipelines/settings/TargetStageSettings.ts"
import type { DocumentInput } from "../../../../src/services/pipelines/Stage.ts"
import { acme } from "../../../support/downstreams.ts"
import { documentId, documentInput, layerOf, pageOf, stage, stagesOf, textOf } from "../../../support/stageInputs.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-target-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

type Files = (typeof TargetStageSettings.Encoded)["files"]

const write = (
  to: string,
  files: Files,
  input: DocumentInput,
  { downstreams = {}, ...more }: { readonly maxSize?: string; readonly downstreams?: DownstreamsWritten } = {}
) => {
  const written = { out: { type: "target", to, files, ...more } } as const
  const settings = stagesOf(written)[stage("out")]
  return Effect.gen(function* () {
    if (settings?.type !== "target") return yield* Effect.die("no target")
    const made = targetStage(stage("out"), settings, yield* makeFolderTarget(to))
    return (yield* made.run(input)).content
  }).pipe(Effect.provide([layerOf(written, downstreams), SecureRandom.layerWebCrypto]))
}

const allFiles: Files = [
  { path: "{tenant}/{id}.txt", content: "text" },
  { path: "{tenant}/{id}.md", content: "markdown" },
  { path: "{tenant}/{id}.html", content: "html" },
  { path: "layouts/{tenant}/{id}.json", content: "layout" },
  { path: "{tenant}/{id}.summary.txt", content: { artifact: "summary" } }
]

const input = documentInput([pageOf(1, "Annual report", layoutExample), pageOf(2, ""), pageOf(3, "The end")], {
  earlier: { summary: { mediaType: "text/plain", bytes: new TextEncoder().encode("short") } }
})

describe("A target", () => {
  it.live("writes text, Markdown, HTML, layouts and what a stage made, and tells what it wrote", () =>
    Effect.gen(function* () {
      const to = yield* folder
      const content = yield* write(to, allFiles, input)
      const told = JSON.parse(textOf(content))
      assert.strictEqual(told.to, to)
      assert.lengthOf(told.files, 5)
      for (const { path, sha256, size } of told.files) {
        const bytes = readFileSync(join(to, path))
        assert.deepStrictEqual([bytes.length, createHash("sha256").update(bytes).digest("hex")], [size, sha256])
      }
      const read = (path: string) => readFileSync(join(to, path), "utf8")
      assert.match(
        read(`acme/${documentId}.md`),
        /^# Annual report\n[^]*\| Sales \|[^]*page 2 is missing: scanned[^]*The end/
      )
      assert.match(read(`acme/${documentId}.html`), /^<!doctype html>[^]*<h1[^]*Annual report[^]*<\/html>\s*$/i)
      const { outline, pages } = JSON.parse(read(`layouts/acme/${documentId}.json`))
      assert.deepStrictEqual(
        [outline[0]?.title, pages.length, pages[0].layout.blocks[0]._tag],
        ["Annual report", 3, "heading"]
      )
      assert.strictEqual(read(`acme/${documentId}.summary.txt`), "short")
    })
  )

  it.live("writes the same again after a crash, in place of what is there", () =>
    Effect.gen(function* () {
      const to = yield* folder
      const first = yield* write(to, allFiles, input)
      writeFileSync(join(to, `acme/${documentId}.md`), "half of it")
      const second = yield* write(to, allFiles, input)
      assert.strictEqual(textOf(second), textOf(first))
      assert.include(readFileSync(join(to, `acme/${documentId}.md`), "utf8"), "Annual report")
      assert.lengthOf(readdirSync(join(to, "acme")), 4)
    })
  )

  it("has paths that stay within it, whatever the document's name", () => {
    const path = (name: string) =>
      pathOf("{tenant}/{name}-{id}.md", { tenant: acme, document: documentId, name, priority: 0 })
    assert.strictEqual(path("Größe 2029.pdf"), `acme/Größe 2029.pdf-${documentId}.md`)
    assert.strictEqual(path("../../etc/passwd"), `acme/__.._etc_passwd-${documentId}.md`)
    for (const name of [
      "..",
      "/",
      "",
      "\u0000",
      ".hidden",
      "a\\b",
      "{id}",
      "x".repeat(5_000),
      "\ud800",
      "ß".repeat(400)
    ]) {
      const segments = path(name).split("/")
      assert.lengthOf(segments, 2)
      assert.match(segments[1] ?? "", /^[\p{L}\p{N}_ ][\p{L}\p{N} ._-]*$/u)
      assert.isAtMost(Buffer.byteLength(segments[1] ?? ""), 200)
    }
  })

  it.live("leaves nothing half written when the content is too large or missing", () =>
    Effect.gen(function* () {
      const to = yield* folder
      const large = yield* Effect.flip(write(to, [{ path: "{id}.md", content: "markdown" }], input, { maxSize: "10B" }))
      assert.include(large.message, `{id}.md would have more than 10 bytes (maxSize)`)
      const none = yield* Effect.flip(write(to, [{ path: "{id}.x", content: { artifact: "other" } }], input))
      assert.include(none.message, "there is no artifact of the stage other")
      assert.deepStrictEqual(readdirSync(to), [])
    })
  )

  it.live("that cannot be written is unavailable, which costs the document none of its retries", () =>
    Effect.gen(function* () {
      const to = yield* folder
      writeFileSync(join(to, "acme"), "a file where a folder should be")
      const error = yield* Effect.flip(write(to, allFiles, input))
      assert.deepInclude(error, { _tag: "DownstreamFailure", code: "DOWNSTREAM_UNAVAILABLE", costsRetry: false })
      assert.match(error.message, /could not be written \((ENOTDIR|EEXIST)\)/)
      assert.isTrue(existsSync(join(to, "acme")))
    })
  )
})
