import { createServer } from "node:http"
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Schema } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { generatedTruth } from "../../bench/score/truth/Documents.ts"
import { SearchAnswer } from "../../src/domain/search/Search.ts"
import { postJson, postPdf } from "../http/client.ts"
import { clientOf, startServer } from "../support/serverProcess.ts"
import { acceptedId, statusOf, temporaryFolder, until } from "../support/service.ts"

const Asked = Schema.fromJsonString(Schema.Struct({ input: Schema.Array(Schema.String) }))
const batch = 8

/** A model that answers so many calls and holds the next one, until it answers all. */
const model = (calls: number) =>
  Effect.gen(function* () {
    const held = yield* Deferred.make<void>()
    const answered: Array<string> = []
    const state = { isOpen: false }
    let count = 0
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const made = createServer((request, response) => {
          let body = ""
          request.on("data", (part) => (body += String(part)))
          request.on("end", () => {
            if (!state.isOpen && ++count > calls) return void Deferred.doneUnsafe(held, Effect.void)
            const { input } = Schema.decodeUnknownSync(Asked)(body)
            answered.push(...input)
            response.end(JSON.stringify({ data: input.map((_, index) => ({ index, embedding: [1, index, 2, 3] })) }))
          })
        })
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) => Effect.callback<void>((resume) => void made.close(() => resume(Effect.void)).closeAllConnections())
    )
    const address = server.address()
    return { answered, held, state, port: typeof address === "object" && address !== null ? address.port : 0 }
  })

it.live(
  "A server that is killed while it indexes embeds nothing again that was answered",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { answered, held, port, state } = yield* model(3)
      const file = join(folder, "pipelines.json")
      writeFileSync(file, JSON.stringify({ downstreams: { embed: { url: `http://127.0.0.1:${port}` } } }))
      const env = { PIPELINES_FILE: file, EMBED_MODEL: "m", EMBED_BATCH: String(batch), CHUNK_TOKENS: "64", OCR: "off" }
      const first = yield* startServer(join(folder, "data"), env)
      const id = yield* Effect.gen(function* () {
        const pdf = generatedTruth().find(({ name }) => name === "report")?.pdf
        const id = yield* acceptedId(yield* postPdf("/v1/documents?name=a.pdf&pipeline=rag", {}, pdf))
        yield* Deferred.await(held)
        return id
      }).pipe(Effect.provide(clientOf(first)))
      yield* first.signal("SIGKILL")
      assert.strictEqual((yield* first.ended).signal, "SIGKILL")
      assert.strictEqual(answered.length, 3 * batch)

      state.isOpen = true
      yield* Effect.gen(function* () {
        const { status } = yield* until(statusOf(id), ({ status }) => status !== "running" && status !== "queued")
        assert.strictEqual(status, "completed")
        assert.isAbove(answered.length, 5 * batch)
        assert.strictEqual(new Set(answered).size, answered.length)
        const found = yield* postJson("/v1/search", { query: "harbour", mode: "keyword" })
        const { hits } = yield* Schema.decodeUnknownEffect(SearchAnswer)(found.json)
        assert.strictEqual(hits[0]?.document.id, id)
      }).pipe(Effect.provide(clientOf(yield* startServer(join(folder, "data"), env))))
    }),
  120_000
)
