// The stages chunk and index over stored pages: what is put in is found, and nothing is embedded twice.
import { createServer } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option, Schema } from "effect"
import { encodeLayout } from "../../../../src/domain/document/LayoutBytes.ts"
import * as DownstreamHttp from "../../../../src/layers/net/DownstreamHttp.ts"
import * as HttpEmbedder from "../../../../src/layers/search/HttpEmbedder.ts"
import { searchStages } from "../../../../src/layers/search/SearchStages.ts"
import { DownstreamsConfig } from "../../../../src/services/downstreams/DownstreamsConfig.ts"
import { decodeDownstreams } from "../../../../src/services/downstreams/DownstreamSettings.ts"
import type { DocumentInput, StageContent } from "../../../../src/services/pipelines/Stage.ts"
import { Embedder } from "../../../../src/services/search/Embedder.ts"
import { SearchIndex } from "../../../../src/services/search/SearchIndex.ts"
import * as SearchIndexMemory from "../../../../src/services/search/SearchIndexMemory.ts"
import { DocumentQueue } from "../../../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../../../src/services/store/Documents.ts"
import * as StoreMemory from "../../../../src/services/store/memory/StoreMemory.ts"
import { accept, acme, claim, documentId, openedPdf, page } from "../../../conformance/storeFixtures.ts"
import { downstreamsLayer } from "../../../support/downstreams.ts"
import { heading, layoutOf, paragraph } from "../../../support/layouts.ts"

const words = (n: number, word: string) => Array.from({ length: n }, (_, i) => `${word}${i}`).join(" ")

/** A document of six sections in the store. */
const stored = Effect.gen(function* () {
  const queue = yield* DocumentQueue
  yield* accept(1)
  const { fence } = yield* claim()
  const pages = [1, 2, 3, 4, 5, 6].map((number) =>
    page(number, {
      layout: encodeLayout(layoutOf(heading(1, `Section ${number}`), paragraph(words(40, `s${number}w`)))).bytes
    })
  )
  yield* queue.opened(fence, { ...openedPdf, pageCount: pages.length, outline: [] })
  yield* queue.savePages(fence, pages)
})

/** What the engine gives a document stage. */
const inputOf = Effect.fnUntraced(function* (contents: ReadonlyMap<string, StageContent>) {
  const documents = yield* Documents
  const input: DocumentInput = {
    tenant: acme,
    document: documentId(1),
    name: "a.pdf",
    priority: 5,
    pdf: { key: "a", location: { _tag: "Bytes", bytes: new Uint8Array() }, password: undefined },
    pageCount: 6,
    pages: (from) => documents.pages(acme, documentId(1), { from, limit: 4, detail: false, layout: true }),
    earlierOfPage: () => Effect.succeedNone,
    earlier: (stage) => Effect.sync(() => Option.fromUndefinedOr(contents.get(stage)))
  }
  return input
})

/** Runs both stages, the second as often as it takes. */
const run = Effect.gen(function* () {
  const contents = new Map<string, StageContent>()
  const input = yield* inputOf(contents)
  const [chunk, index] = yield* searchStages
  assert.isDefined(chunk)
  assert.isDefined(index)
  if (chunk === undefined || index === undefined) return { failures: 0, made: "" }
  contents.set(chunk.name, (yield* chunk.run(input)).content)
  let failures = 0
  const { content } = yield* index.run(input).pipe(
    Effect.tapError(() => Effect.sync(() => failures++)),
    Effect.retry({ times: 3 })
  )
  return { failures, made: new TextDecoder().decode(content.bytes) }
})

const Asked = Schema.fromJsonString(
  Schema.Struct({ model: Schema.String, input: Schema.Array(Schema.String), dimensions: Schema.Int })
)

/** A server of embeddings that answers in reverse order, and refuses the calls of these numbers. */
const embeddings = (refused: ReadonlySet<number>) =>
  Effect.gen(function* () {
    const asked: Array<ReadonlyArray<string>> = []
    let calls = 0
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const made = createServer((request, response) => {
          let body = ""
          request.on("data", (part) => (body += String(part)))
          request.on("end", () => {
            if (refused.has(++calls)) return void response.writeHead(400).end("no")
            const { dimensions, input } = Schema.decodeUnknownSync(Asked)(body)
            asked.push(input)
            const data = input.map((text, index) => ({
              index,
              embedding: Array.from({ length: dimensions }, (_, i) => (text.includes(`Section ${i + 1}\n`) ? 1 : 0.01))
            }))
            response.end(JSON.stringify({ data: data.toReversed(), usage: { total_tokens: 7 } }))
          })
        })
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) => Effect.callback<void>((resume) => void made.close(() => resume(Effect.void)).closeAllConnections())
    )
    const address = server.address()
    return { asked, port: typeof address === "object" && address !== null ? address.port : 0 }
  })

const world = (port: number | undefined) => {
  const written = port === undefined ? {} : { embed: { url: `http://127.0.0.1:${port}` } }
  const env = {
    CHUNK_TOKENS: "128",
    ...(port === undefined ? {} : { EMBED_MODEL: "m", EMBED_DIMENSIONS: "6", EMBED_BATCH: "2" })
  }
  return HttpEmbedder.layerFromEnv.pipe(
    Layer.provideMerge(SearchIndexMemory.layer),
    Layer.provideMerge(StoreMemory.layerMemory),
    Layer.provideMerge(DownstreamHttp.layer),
    Layer.provideMerge(downstreamsLayer(written)),
    Layer.provide(Layer.effect(DownstreamsConfig, Effect.orDie(decodeDownstreams(written)))),
    Layer.provideMerge(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
  )
}

describe("the stages of search", () => {
  it.effect("put the chunks of a document into the index", () =>
    Effect.gen(function* () {
      yield* stored
      const { failures, made } = yield* run
      assert.deepStrictEqual([failures, made], [0, '{"chunks":6}'])
      const index = yield* SearchIndex
      const [hit] = yield* index.search(acme, { text: "s4w7", limit: 10 })
      assert.deepStrictEqual(hit?.chunk.pages, [4, 4])
      // Again, as after a crash: the same is there.
      yield* run
      assert.deepStrictEqual(yield* index.figures(acme), { documents: 1, chunks: 6, vectors: 0 })
    }).pipe(Effect.provide(world(undefined)))
  )

  it.effect("ask the model in batches, and never again for what it has answered", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* embeddings(new Set([2]))
      yield* Effect.gen(function* () {
        yield* stored
        const { failures, made } = yield* run
        assert.deepStrictEqual([failures, made], [1, '{"chunks":6,"model":"m/6"}'])
        const texts = asked.flat()
        assert.deepStrictEqual(
          asked.map(({ length }) => length),
          [2, 2, 2]
        )
        assert.strictEqual(new Set(texts).size, texts.length)
        const index = yield* SearchIndex
        const embedder = yield* Embedder
        assert.strictEqual(embedder?.model, "m/6")
        const values = Float32Array.from([0.01, 0.01, 1, 0.01, 0.01, 0.01])
        const [hit] = yield* index.search(acme, { text: "", limit: 1, vector: { model: "m/6", values } })
        assert.deepStrictEqual(hit?.chunk.pages, [3, 3])
      }).pipe(Effect.provide(world(port)))
    })
  )

  it.effect("tell an answer that is none of vectors", () =>
    Effect.gen(function* () {
      const { port } = yield* embeddings(new Set([1]))
      const error = yield* Effect.flip(
        Effect.flatMap(Embedder, (embedder) =>
          embedder === undefined ? Effect.die("none") : embedder.embed(["a"], { tenant: acme, class: "online" })
        )
      ).pipe(Effect.provide(world(port)))
      assert.strictEqual(error.message, "the texts were not embedded: the model answered with status 400: no")
    })
  )
})
