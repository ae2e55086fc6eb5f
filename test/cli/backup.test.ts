import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Fiber, Layer, Stream } from "effect"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { StageName, StageVersion } from "../../src/domain/pipeline/Pipeline.ts"
import * as Engine from "../../src/layers/Engine.ts"
import { BlobStore } from "../../src/services/BlobStore.ts"
import { EngineConfig } from "../../src/services/config/EngineConfig.ts"
import { BlobReferences } from "../../src/services/store/BlobReferences.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { blobsIn, compareFolder } from "../../src/layers/folder/FolderCheck.ts"
import { acme, newDocument, plenty, runner } from "../conformance/storeFixtures.ts"
import { postPdf, remove } from "../http/client.ts"
import { makeAesPdf } from "../support/aes256.ts"
import { manyPages } from "../support/pdf.ts"
import { clientOf, startServer } from "../support/serverProcess.ts"
import { acceptedId, allPagesOf, statusOf, temporaryFolder, until } from "../support/service.ts"
import { sluice } from "./harness.ts"

const ended = ({ status }: { readonly status: string }) => status !== "running" && status !== "queued"

const upload = (name: string, pages: number) =>
  Effect.flatMap(postPdf(`/v1/documents?name=${name}`, {}, manyPages(pages)), acceptedId)

const resultOf = Effect.fnUntraced(function* (id: DocumentId) {
  const { name, status } = yield* until(statusOf(id), ended)
  const pages = yield* allPagesOf(id)
  return { name, status, pages: pages.map(({ number, text }) => [number, text]) }
})

const originalsIn = (directory: string) => [...blobsIn(directory)].length

const storageIn = (directory: string) =>
  Layer.fresh(
    Engine.layerStorage.pipe(
      Layer.provide(EngineConfig.layer()),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ DATA_DIR: directory })))
    )
  )

describe("sluice backup", () => {
  it.live("copies the folder of a server that works, and a server on the copy goes on from there", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const [data, copy] = [join(folder, "data"), join(folder, "copy")]
      const server = yield* startServer(data)
      const { before, finished } = yield* Effect.gen(function* () {
        const small = yield* upload("small.pdf", 2)
        const large = yield* upload("large.pdf", 400)
        const finished = yield* Effect.forEach([small, large], resultOf)
        const long = yield* upload("long.pdf", 600)
        const locked = yield* Effect.flatMap(
          postPdf("/v1/documents?name=locked.pdf", { "x-pdf-password": "hunter2" }, makeAesPdf("hunter2")),
          acceptedId
        )
        // Uploads go on while the copy is made.
        const flowing = yield* Effect.forkScoped(
          Effect.forEach(
            Array.from({ length: 12 }, (_, index) => index),
            (index) => upload(`flowing-${index}.pdf`, 250 + index),
            { concurrency: 4 }
          )
        )
        const { code, err, out } = yield* sluice(["backup", "--to", copy, "--json"], { DATA_DIR: data })
        assert.strictEqual(code, 0, err + out)
        const report = JSON.parse(out)
        assert.isAtLeast(report.documents, 4)
        assert.deepInclude(report.originals, { present: 0, missing: 0, damaged: 0, removed: 0 })
        assert.strictEqual(originalsIn(copy), report.originals.copied)
        yield* Fiber.interrupt(flowing)
        return { before: [small, large, long, locked], finished }
      }).pipe(Effect.scoped, Effect.provide(clientOf(server)))
      yield* server.signal("SIGKILL")
      yield* server.ended
      rmSync(data, { recursive: true })

      const restored = yield* startServer(copy)
      yield* Effect.gen(function* () {
        const results = yield* Effect.forEach(before, resultOf)
        assert.deepStrictEqual(results.slice(0, 2), finished)
        assert.deepStrictEqual(
          results.map(({ name, status }) => [name, status]),
          [
            ["small.pdf", "completed"],
            ["large.pdf", "completed"],
            ["long.pdf", "completed"],
            ["locked.pdf", "completed"]
          ]
        )
        yield* resultOf(yield* upload("after.pdf", 300))
      }).pipe(Effect.provide(clientOf(restored)))
      assert.notInclude(restored.output(), "WARN")
    })
  )

  it.live("copies what stages have made, and tells what of it is missing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const [data, copy] = [join(folder, "data"), join(folder, "copy")]
      const hash = yield* Effect.gen(function* () {
        const blobs = yield* BlobStore
        const queue = yield* DocumentQueue
        const put = (fill: number) => blobs.put(Stream.make(new Uint8Array(90_000).fill(fill)), 100_000)
        const original = yield* put(1)
        yield* queue.accept(newDocument(1, { source: { _tag: "Blob", ...original } }), plenty)
        const { fence } = yield* Effect.fromOption(yield* queue.claim(acme, { runner, lease: Duration.minutes(1) }))
        const { hash, size } = yield* put(2)
        const reference = yield* (yield* BlobReferences).reserve(hash, "1 minute")
        const content = { _tag: "Blob", hash } as const
        const stage = { stage: StageName.make("ocr"), version: StageVersion.make("1"), mediaType: "text/plain" }
        const made = { ...stage, status: "done", elapsedMillis: 1, size, content, reference } as const
        yield* queue.saveArtifacts(fence, [made])
        return hash
      }).pipe(Effect.provide(storageIn(data)), Effect.scoped)
      const backup = (to: string) => sluice(["backup", "--to", to, "--json"], { DATA_DIR: data })
      const { code, err, out } = yield* backup(copy)
      assert.strictEqual(code, 0, err)
      assert.deepInclude(JSON.parse(out).originals, { copied: 2, missing: 0 })
      assert.include([...blobsIn(copy)], hash)
      assert.deepStrictEqual(yield* compareFolder(copy), { unknown: 0, missing: 0 })

      rmSync(join(data, "blobs", hash.slice(0, 2), hash))
      assert.deepStrictEqual(yield* compareFolder(data), { unknown: 0, missing: 1 })
      const again = yield* backup(join(folder, "other"))
      assert.notStrictEqual(again.code, 0)
      assert.deepInclude(JSON.parse(again.out).originals, { copied: 1, missing: 1 })
    })
  )

  it.live("copies into an earlier backup what is new, and removes from it what is gone", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const [data, copy] = [join(folder, "data"), join(folder, "copy")]
      const backup = Effect.map(
        sluice(["backup", "--to", copy, "--json"], { DATA_DIR: data }),
        ({ code, err, out }) => {
          assert.strictEqual(code, 0, err)
          return JSON.parse(out).originals
        }
      )
      const server = yield* startServer(data)
      yield* Effect.gen(function* () {
        const [one, two] = [yield* upload("one.pdf", 400), yield* upload("two.pdf", 401)]
        yield* Effect.forEach([one, two], resultOf)
        assert.deepInclude(yield* backup, { copied: 2, present: 0 })
        yield* remove(`/v1/documents/${one}`)
        yield* resultOf(yield* upload("three.pdf", 402))
        assert.deepInclude(yield* backup, { copied: 1, present: 1 })
        assert.strictEqual(originalsIn(copy), 2)
      }).pipe(Effect.provide(clientOf(server)))
      assert.strictEqual(statSync(join(copy, "secret.key")).mode & 0o077, 0)
      assert.deepStrictEqual(readFileSync(join(copy, "secret.key")), readFileSync(join(data, "secret.key")))

      // An original that is gone is told, and fails the command; the rest is there.
      yield* server.signal("SIGTERM")
      yield* server.ended
      const [lost = ""] = blobsIn(data)
      rmSync(join(data, "blobs", lost.slice(0, 2), lost))
      rmSync(copy, { recursive: true })
      const { code, out } = yield* sluice(["backup", "--to", copy], { DATA_DIR: data })
      assert.strictEqual(code, 1)
      assert.include(out, "1 originals that are missing")
      assert.isTrue(existsSync(join(copy, "sluice.db")))
    })
  )

  it.live("writes into no folder that is something else", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const [data, other] = [join(folder, "data"), join(folder, "other")]
      for (const directory of [data, other]) {
        const server = yield* startServer(directory)
        yield* server.signal("SIGTERM")
        yield* server.ended
      }
      const foreign = join(folder, "foreign")
      mkdirSync(foreign)
      writeFileSync(join(foreign, "letter.txt"), "dear")
      for (const [to, told] of [
        [foreign, "no earlier backup of this data folder"],
        [other, "no earlier backup of this data folder"],
        [data, "not kept in the data folder itself"],
        [join(data, "backup"), "not kept in the data folder itself"]
      ] as const) {
        const { code, err } = yield* sluice(["backup", "--to", to], { DATA_DIR: data })
        assert.strictEqual(code, 1)
        assert.include(err, told)
      }
      const none = yield* sluice(["backup", "--to", join(folder, "new")], { DATA_DIR: foreign })
      assert.include(none.err, "there is no sluice.db in it")
      const postgres = yield* sluice(["backup", "--to", foreign], { DATA_DIR: data, DATABASE_URL: "postgres://x@y/z" })
      assert.deepStrictEqual(
        [postgres.code, postgres.out.includes("pg_dump") || postgres.err.includes("pg_dump")],
        [2, true]
      )
    })
  )
})
