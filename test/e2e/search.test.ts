// From a PDF to the answer of a search, in the service as it runs for real.
import { createServer } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { generatedTruth } from "../../bench/score/truth/Documents.ts"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import { SearchAnswer } from "../../src/domain/search/Search.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { PipelineName } from "../../src/domain/pipeline/Pipeline.ts"
import { postJson, remove } from "../http/client.ts"
import { finished, Premises, service, temporaryFolder } from "../support/service.ts"

const acme = TenantId.make("acme")
const rag = PipelineName.make("rag")
const pdfOf = (name: string) => generatedTruth().find((each) => each.name === name)?.pdf ?? new Uint8Array()

const decode = Schema.decodeUnknownEffect(SearchAnswer)
const searched = Effect.fnUntraced(function* (query: string, tenant = "acme", headers: Record<string, string> = {}) {
  const answer = yield* postJson("/v1/search", { query }, { "x-tenant-id": tenant, ...headers })
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* decode(answer.json)
})

const ingested = Effect.fnUntraced(function* (name: string, tenant = acme) {
  const ingestion = yield* Ingestion
  const { id } = yield* ingestion.submit(tenant, pdfOf(name), { name: `${name}.pdf`, pipeline: rag })
  const { status } = yield* finished(id, tenant)
  assert.strictEqual(status, "completed")
  return id
})

/** Vectors that say how long a text is; `answers` can be changed. */
const model = Effect.gen(function* () {
  const state = { answers: true, texts: 0 }
  const server = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const made = createServer((request, response) => {
        let body = ""
        request.on("data", (part) => (body += String(part)))
        request.on("end", () => {
          if (!state.answers) return void response.writeHead(500).end()
          const { input } = Schema.decodeUnknownSync(
            Schema.fromJsonString(Schema.Struct({ input: Schema.Array(Schema.String) }))
          )(body)
          state.texts += input.length
          const data = input.map((text, index) => ({ index, embedding: [text.length % 7, 1, 1, text.length % 3] }))
          response.end(JSON.stringify({ data }))
        })
      })
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) => Effect.callback<void>((resume) => void made.close(() => resume(Effect.void)).closeAllConnections())
  )
  const address = server.address()
  return { state, port: typeof address === "object" && address !== null ? address.port : 0 }
})

describe("The search of the service", () => {
  it.live(
    "finds documents of the pipeline rag, of their tenant only, until they are removed",
    () =>
      Effect.gen(function* () {
        const { directory } = yield* Premises
        assert.deepStrictEqual((yield* searched("anything")).hits, [])
        assert.isFalse(existsSync(join(directory, "search.sqlite")))
        const id = yield* ingested("report")
        const answer = yield* searched("Where are the lamps of the pilot?")
        assert.deepStrictEqual([answer.mode, answer.degraded], ["keyword", []])
        assert.isAbove(answer.hits.length, 0)
        const [hit] = answer.hits
        assert.deepStrictEqual(hit?.document, { id, name: "report.pdf" })
        assert.isAbove(hit?.boxes.length ?? 0, 0)
        assert.deepStrictEqual((yield* searched("lamps pilot", "globex")).hits, [])
        assert.strictEqual((yield* remove(`/v1/documents/${id}`, { "x-tenant-id": "acme" })).status, 204)
        assert.deepStrictEqual((yield* searched("lamps pilot")).hits, [])
      }).pipe(Effect.provide(service())),
    60_000
  )

  it.live(
    "embeds what is indexed, and goes by words alone while the model does not answer",
    () =>
      Effect.gen(function* () {
        const { port, state } = yield* model
        const file = join(yield* temporaryFolder, "pipelines.json")
        writeFileSync(
          file,
          JSON.stringify({ downstreams: { embed: { url: `http://127.0.0.1:${port}`, retry: { times: 0 } } } })
        )
        const env = { PIPELINES_FILE: file, EMBED_MODEL: "lengths", EMBED_DIMENSIONS: "4" }
        yield* Effect.gen(function* () {
          yield* ingested("report")
          assert.isAbove(state.texts, 3)
          const whole = yield* searched("lamps")
          assert.deepStrictEqual([whole.mode, whole.degraded], ["hybrid", []])
          state.answers = false
          const part = yield* searched("lamps", "acme", { "sluice-deadline": "2s" })
          assert.strictEqual(part.mode, "keyword")
          assert.strictEqual(part.degraded[0]?.part, "vector")
          assert.isAbove(part.hits.length, 0)
        }).pipe(Effect.provide(service({ env })))
      }).pipe(Effect.scoped),
    60_000
  )
})
