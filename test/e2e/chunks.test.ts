import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { generatedTruth } from "../../bench/score/truth/Documents.ts"
import { SluiceClient } from "../../src/client.ts"
import { ChunkList } from "../../src/http/api/search/Chunks.ts"
import { serverUrl } from "../cli/harness.ts"
import { get, postPdf } from "../http/client.ts"
import { acceptedId, finished, service } from "../support/service.ts"

const report = generatedTruth().find(({ name }) => name === "report")?.pdf ?? new Uint8Array()
const decode = Schema.decodeUnknownEffect(ChunkList)

describe("chunks of a document", () => {
  it.live(
    "come in parts, as lines, and through the client, and are the same",
    () =>
      Effect.gen(function* () {
        const id = yield* acceptedId(yield* postPdf("/v1/documents", {}, report))
        yield* finished(id)
        const path = `/v1/documents/${id}/chunks`
        const lines = (yield* get(`${path}.ndjson?tokens=64`)).text.trimEnd().split("\n")
        const all = yield* decode({ chunks: lines.map((line): unknown => JSON.parse(line)) })
        assert.isAbove(all.chunks.length, 2)
        const parts: Array<(typeof all.chunks)[number]> = []
        for (let query = ""; ;) {
          const part = yield* decode((yield* get(`${path}?tokens=64&limit=2${query}`)).json)
          assert.isAtMost(part.chunks.length, 2)
          parts.push(...part.chunks)
          if (part.next === undefined) break
          query = `&after=${part.next}`
        }
        assert.deepStrictEqual(parts, all.chunks)
        const client = yield* SluiceClient.pipe(Effect.provide(SluiceClient.layer({ baseUrl: yield* serverUrl })))
        assert.deepStrictEqual(yield* Stream.runCollect(client.chunks(id, { tokens: 64 })), all.chunks)

        const second = yield* decode((yield* get(`${path}?tokens=64&from=2&to=2`)).json)
        for (const { pages } of second.chunks) assert.isTrue(pages[0] <= 2 && pages[1] >= 2)
        assert.isAbove(second.chunks.length, 0)
        assert.isBelow(second.chunks.length, all.chunks.length)
        assert.strictEqual((yield* get(path, { "x-tenant-id": "other" })).status, 404)
        assert.strictEqual((yield* get(`${path}?tokens=1`)).status, 400)
        assert.strictEqual((yield* get(`${path}?from=999`)).status, 404)
      }).pipe(Effect.provide(service())),
    60_000
  )
})
