import { assert, it } from "@effect/vitest"
import { Effect, Exit, Scope, Stream } from "effect"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe } from "vitest"
import { layerHttp, makeBucket } from "../../src/layers/s3/Bucket.ts"
import { get, postJson, postPdf } from "../http/client.ts"
import { assertLetGo, held, heldDocument, holding, lettingGo } from "../support/heldDocument.ts"
import { manyPages } from "../support/pdf.ts"
import { clientOf, startServer } from "../support/serverProcess.ts"
import { acceptedId, statusOf, temporaryFolder, until } from "../support/service.ts"
import { startFaultyProxy } from "../support/swift/FaultyProxy.ts"
import { envOf, startSwift, type Swift, swiftMissing } from "../support/swift/Swift.ts"

const pageCount = 50
/** So large that it is no small original, which the database would keep. */
const large = (pdf: Uint8Array) => Buffer.concat([pdf, Buffer.from(`\n%${"x".repeat(300_000)}`)])
const pdf = large(heldDocument(pageCount))
const ended = ({ status }: { readonly status: string }) => status !== "running" && status !== "queued"

describe.skipIf(swiftMissing !== undefined)(`A server with its originals in a bucket ${swiftMissing ?? ""}`, () => {
  const scope = Scope.makeUnsafe()
  let swift: Swift

  beforeAll(async () => {
    swift = await Effect.runPromise(Scope.provide(startSwift, scope))
    await Effect.runPromise(swift.makeBucket("originals"))
  }, 120_000)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  it.live(
    "loses nothing that it accepted when it is killed, its cache is lost, and the bucket is away for a while",
    () =>
      Effect.gen(function* () {
        const proxy = yield* startFaultyProxy(swift.url)
        const env = { ...envOf(proxy.url), BLOBS: "s3://originals/of-one" }
        const folder = yield* temporaryFolder
        const first = yield* startServer(folder, { ...env, ...holding })
        const id = yield* Effect.gen(function* () {
          yield* until(get("/health/ready"), ({ status }) => status === 200)
          const id = yield* acceptedId(yield* postPdf("/v1/documents?name=long.pdf", {}, pdf))
          yield* held(id, pageCount)
          return id
        }).pipe(Effect.provide(clientOf(first)))
        yield* first.signal("SIGKILL")
        yield* first.ended
        assert.isFalse(existsSync(join(folder, "blobs")))
        assert.lengthOf(readdirSync(join(folder, "cache", "0", "blobs")), 1)
        rmSync(join(folder, "cache"), { recursive: true })

        yield* proxy.away(true)
        const second = yield* startServer(folder, { ...env, ...lettingGo })
        yield* Effect.gen(function* () {
          const notReady = yield* until(get("/health/ready"), ({ text }) =>
            text.includes("originals cannot be written")
          )
          assert.strictEqual(notReady.status, 503)
          const refused = yield* postPdf("/v1/documents?name=other.pdf", {}, large(manyPages(3)))
          assert.strictEqual(refused.status, 503)
          assert.include(refused.text, "BLOB_STORE_UNAVAILABLE")
          assert.isDefined(refused.headers["retry-after"])
          assert.isFalse(ended(yield* statusOf(id)))

          yield* proxy.away(false)
          yield* assertLetGo(id, pageCount)
          yield* until(get("/health/ready"), ({ status }) => status === 200)
          yield* acceptedId(yield* postPdf("/v1/documents?name=other.pdf", {}, large(manyPages(3))))
        }).pipe(Effect.provide(clientOf(second)))
        assert.notInclude(first.output() + second.output(), env.AWS_SECRET_ACCESS_KEY)
      })
  )

  it.live("reads PDFs from buckets that it allows, and each tenant only what is its own", () =>
    Effect.gen(function* () {
      yield* swift.makeBucket("sources")
      const bucket = yield* Effect.provide(makeBucket(swift.access, "sources"), layerHttp)
      const source = manyPages(20)
      const hash = createHash("sha256").update(source).digest("hex")
      yield* bucket.put("of/acme/long.pdf", { size: source.length, hash, read: Stream.make(source) })
      const server = yield* startServer(yield* temporaryFolder, {
        ...swift.env,
        S3_SOURCE_BUCKETS: "s3://sources/of/{tenant}"
      })
      const ingest = (tenant: string, pdfId: string) =>
        postJson("/pdf/ingest", { tenant_id: tenant, pdf_ids: [pdfId] }, { "x-tenant-id": tenant })
      yield* Effect.gen(function* () {
        const refused = yield* ingest("other", "s3://sources/of/acme/long.pdf")
        assert.deepStrictEqual([refused.status, refused.json["code"]], [422, "SOURCE_REFUSED"])
        const accepted = yield* ingest("acme", "s3://sources/of/acme/long.pdf")
        assert.strictEqual(accepted.status, 202, accepted.text)
        const missing = yield* ingest("acme", "s3://sources/of/acme/none.pdf")
        assert.strictEqual(missing.status, 202, missing.text)
        const documents = yield* until(get("/v1/documents", { "x-tenant-id": "acme" }), ({ text }) => {
          const states = Array.from(text.matchAll(/"status":"(\w+)"/g), ([, status]) => status)
          return states.length === 2 && states.every((status) => status === "completed" || status === "failed")
        })
        assert.include(documents.text, '"status":"completed"')
        assert.include(documents.text, "there is no such object in the bucket")
      }).pipe(Effect.provide(clientOf(server)))
    }).pipe(Effect.provide(layerHttp))
  )
})
