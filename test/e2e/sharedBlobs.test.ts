import { assert, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe } from "vitest"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { get, postPdf } from "../http/client.ts"
import { manyPages } from "../support/pdf.ts"
import { clientOf, startServer } from "../support/serverProcess.ts"
import { acceptedId, allPagesOf, statusOf, temporaryFolder, until } from "../support/service.ts"
import { startFaultyProxy } from "../support/swift/FaultyProxy.ts"
import { envOf, startSwift, type Swift, swiftMissing } from "../support/swift/Swift.ts"

const pageCount = 1000
const pdf = manyPages(pageCount)
const ended = ({ status }: { readonly status: string }) => status !== "running" && status !== "queued"

const assertComplete = Effect.fnUntraced(function* (id: DocumentId) {
  const document = yield* until(statusOf(id), ended)
  assert.deepStrictEqual(
    [document.status, document.progress],
    ["completed", { pages: pageCount, done: pageCount, failed: 0 }]
  )
  const numbers = (yield* allPagesOf(id)).map(({ number }) => number)
  assert.deepStrictEqual(
    numbers,
    Array.from({ length: pageCount }, (_, index) => index + 1)
  )
})

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
        const first = yield* startServer(folder, env)
        const id = yield* Effect.gen(function* () {
          yield* until(get("/health/ready"), ({ status }) => status === 200)
          const id = yield* acceptedId(yield* postPdf("/v1/documents?name=long.pdf", {}, pdf))
          yield* until(statusOf(id), ({ progress }) => progress.done >= 50)
          return id
        }).pipe(Effect.provide(clientOf(first)))
        yield* first.signal("SIGKILL")
        yield* first.ended
        assert.isFalse(existsSync(join(folder, "blobs")))
        assert.lengthOf(readdirSync(join(folder, "cache", "blobs")), 1)
        rmSync(join(folder, "cache"), { recursive: true })

        yield* proxy.away(true)
        const second = yield* startServer(folder, env)
        yield* Effect.gen(function* () {
          const notReady = yield* until(get("/health/ready"), ({ text }) =>
            text.includes("originals cannot be written")
          )
          assert.strictEqual(notReady.status, 503)
          const refused = yield* postPdf("/v1/documents?name=other.pdf", {}, manyPages(pageCount - 1))
          assert.strictEqual(refused.status, 503)
          assert.include(refused.text, "BLOB_STORE_UNAVAILABLE")
          assert.isDefined(refused.headers["retry-after"])
          assert.isFalse(ended(yield* statusOf(id)))

          yield* proxy.away(false)
          yield* assertComplete(id)
          yield* until(get("/health/ready"), ({ status }) => status === 200)
          yield* acceptedId(yield* postPdf("/v1/documents?name=other.pdf", {}, manyPages(pageCount - 1)))
        }).pipe(Effect.provide(clientOf(second)))
        assert.notInclude(first.output() + second.output(), env.AWS_SECRET_ACCESS_KEY)
      })
  )
})
