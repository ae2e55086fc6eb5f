import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { failure } from "../../src/domain/Failure.ts"
import type { Artifact } from "../../src/domain/pipeline/Artifact.ts"
import { PipelineName, StageName, StageVersion } from "../../src/domain/pipeline/Pipeline.ts"
import * as PipelineDeclarations from "../../src/services/pipelines/PipelineDeclarations.ts"
import type { DocumentStage, PageStage } from "../../src/services/pipelines/Stage.ts"
import { assertProblem, get, postForm, postJson, postPdf, pdf, testServer } from "./client.ts"
import { alter, change, idOf, inspect, type Made } from "./fakes.ts"

const ocr: PageStage = {
  name: StageName.make("ocr"),
  version: StageVersion.make("1"),
  kind: "page",
  provides: "text",
  needs: [],
  downstream: "ocr",
  run: () => Effect.die("not run here")
}
const summary: DocumentStage = {
  name: StageName.make("summary"),
  version: StageVersion.make("2"),
  kind: "document",
  needs: [StageName.make("ocr")],
  run: () => Effect.die("not run here")
}
const declared = [
  {
    name: "scans",
    steps: [
      { stage: "ocr", pages: "scanned" as const },
      { stage: "summary", optional: true }
    ]
  }
]
const withPipelines = testServer.pipe(
  Layer.provide(PipelineDeclarations.layer([ocr, summary], declared, PipelineName.make("scans")))
)

const artifact = (part: Partial<Artifact>): Artifact => ({
  stage: ocr.name,
  version: ocr.version,
  status: "done",
  mediaType: "application/json",
  size: 2,
  elapsedMillis: 10,
  createdAt: DateTime.makeUnsafe("2026-12-01T08:00:00Z"),
  ...part
})
const inline = (text: string) => new TextEncoder().encode(text)

/** A document of three pages: two have an artifact, and it has one itself that failed. */
const made: ReadonlyArray<Made> = [
  {
    artifact: artifact({
      stage: summary.name,
      version: summary.version,
      status: "failed",
      size: 0,
      error: failure("STAGE_FAILED", "the stage summary: the answer is no JSON")
    })
  },
  { artifact: artifact({ page: 1 }), content: inline("{}") },
  {
    artifact: artifact({ page: 2, mediaType: "text/html", size: 29 }),
    content: inline("<script>alert(1)</script>page")
  },
  { artifact: artifact({ page: 2, version: StageVersion.make("2"), size: 7 }), content: inline(`{"a":1}`) }
]
const withArtifacts = Effect.gen(function* () {
  yield* postPdf()
  yield* alter(idOf(1), {
    pipeline: PipelineName.make("scans"),
    status: "partial",
    progress: { pages: 3, done: 3, failed: 0 }
  })
  yield* change({ artifacts: new Map([[idOf(1), made]]) })
  return `/v1/documents/${idOf(1)}`
})

describe("Pipelines over HTTP", () => {
  it.effect("are listed with their stages", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/v1/pipelines")
      assert.deepStrictEqual(json, {
        default: "scans",
        pipelines: [
          { name: "text", stages: [] },
          {
            name: "scans",
            stages: [
              {
                stage: "ocr",
                version: "1",
                kind: "page",
                optional: false,
                needs: [],
                downstream: "ocr",
                provides: "text",
                pages: "scanned"
              },
              { stage: "summary", version: "2", kind: "document", optional: true, needs: ["ocr"] }
            ]
          }
        ]
      })
    }).pipe(Effect.provide(withPipelines))
  )

  it.effect("are named in every way of submitting, and shown with the document", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* postPdf("/v1/documents?pipeline=scans")).status, 202)
      const form = [
        ["pipeline", "scans"],
        ["file", pdf(), "a.pdf"]
      ] as const
      assert.strictEqual((yield* postForm(form)).status, 202)
      assert.strictEqual((yield* postJson("/pdf/ingest", { pdf_ids: ["a.pdf"], pipeline: "scans" })).status, 202)
      const { submissions } = yield* inspect
      const scans = PipelineName.make("scans")
      assert.deepStrictEqual(
        submissions.map(({ options }) => options.pipeline),
        [scans, scans, scans]
      )
      assert.deepInclude((yield* get(`/v1/documents/${idOf(1)}`)).json, { pipeline: "scans" })
      yield* postPdf()
      assert.deepInclude((yield* get(`/v1/documents/${idOf(4)}`)).json, { pipeline: "text" })
      for (const name of ["Scans", "a b", ""]) {
        assertProblem(yield* postPdf(`/v1/documents?pipeline=${encodeURIComponent(name)}`), 400, "INVALID_REQUEST")
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("are a part of a request under an idempotency key", () =>
    Effect.gen(function* () {
      const key = { "idempotency-key": "once" }
      yield* postPdf("/v1/documents?pipeline=scans", key)
      assert.strictEqual((yield* inspect).submissions.length, 1)
    }).pipe(Effect.provide(testServer))
  )
})

describe("Artifacts over HTTP", () => {
  it.effect("are counted by stage in the status of their document", () =>
    Effect.gen(function* () {
      const path = yield* withArtifacts
      const stages = [{ stage: ocr.name, version: ocr.version, kind: "page" as const, done: 2, failed: 0, skipped: 0 }]
      yield* alter(idOf(1), { stages })
      assert.deepInclude((yield* get(path)).json, { stages })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("are listed part by part, by page, and by stage", () =>
    Effect.gen(function* () {
      const path = yield* withArtifacts
      const seen: Array<string> = []
      let cursor = ""
      do {
        const { json } = yield* get(`${path}/artifacts?limit=1${cursor && `&cursor=${cursor}`}`)
        const { artifacts, nextCursor } = Object(json)
        assert.isAtMost(artifacts.length, 1)
        for (const { page, stage, version } of artifacts) seen.push(`${page}/${stage}/${version}`)
        cursor = nextCursor ?? ""
      } while (cursor !== "")
      assert.deepStrictEqual(seen, ["undefined/summary/2", "1/ocr/1", "2/ocr/1", "2/ocr/2"])
      const ofDocument = Object((yield* get(`${path}/artifacts?page=0`)).json)
      assert.deepInclude(ofDocument.artifacts[0], { status: "failed", links: {} })
      const ofStage = Object((yield* get(`${path}/artifacts?stage=ocr&page=2`)).json)
      assert.deepStrictEqual(
        ofStage.artifacts.map(({ links }: { links: { content: string } }) => links.content),
        [`${path}/pages/2/artifacts/ocr?version=1`, `${path}/pages/2/artifacts/ocr?version=2`]
      )
      assertProblem(yield* get(`${path}/artifacts?cursor=nonsense`), 400, "INVALID_REQUEST")
      assertProblem(yield* get(`/v1/documents/${idOf(9)}/artifacts`), 404, "DOCUMENT_NOT_FOUND")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("have their content with its media type, which no browser runs", () =>
    Effect.gen(function* () {
      const path = yield* withArtifacts
      const content = yield* get(`${path}/pages/2/artifacts/ocr?version=1`)
      assert.deepInclude(content, { status: 200, text: "<script>alert(1)</script>page" })
      const { headers } = content
      assert.strictEqual(headers["content-type"], "text/html")
      assert.strictEqual(headers["content-disposition"], 'attachment; filename="page-2.ocr-1.html"')
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
      assert.strictEqual(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'; sandbox")
      assert.strictEqual(headers["cache-control"], "private, no-cache")
      assert.strictEqual((yield* get(`${path}/pages/2/artifacts/ocr`)).text, `{"a":1}`)
      const again = yield* get(`${path}/pages/2/artifacts/ocr?version=1`, { "if-none-match": headers["etag"] ?? "" })
      assert.deepInclude(again, { status: 304, text: "" })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("say why there is none", () =>
    Effect.gen(function* () {
      const path = yield* withArtifacts
      const failed = yield* get(`${path}/artifacts/summary`)
      assertProblem(failed, 404, "ARTIFACT_NOT_FOUND")
      assert.strictEqual(
        failed.json["detail"],
        "the stage summary made nothing of the document: it was not done, STAGE_FAILED: the stage summary: the answer is no JSON"
      )
      const none = yield* get(`${path}/pages/3/artifacts/ocr?version=1`)
      assertProblem(none, 404, "ARTIFACT_NOT_FOUND")
      assert.strictEqual(
        none.json["detail"],
        "the stage ocr (version 1) made nothing of page 3: the document is partial"
      )
    }).pipe(Effect.provide(testServer))
  )
})
