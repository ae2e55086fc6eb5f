// What lies in a data folder and does not belong together: nothing is lost for want of a word.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Logger, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as BlobCollection from "../../../src/actors/upkeep/BlobCollection.ts"
import * as Engine from "../../../src/layers/Engine.ts"
import { adoptFolder, discardUnknown } from "../../../src/layers/folder/FolderCare.ts"
import { migrateTo } from "../../../src/layers/sqlite/database/Migrations.ts"
import { layer as clientLayer } from "../../../src/layers/sqlite/database/SqliteClient.ts"
import { SqliteDatabase } from "../../../src/layers/sqlite/database/SqliteDatabase.ts"
import { BlobStore } from "../../../src/services/BlobStore.ts"
import type { BlobHash } from "../../../src/domain/Ids.ts"
import { BlobReferences } from "../../../src/services/store/BlobReferences.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { acme, documentId, newDocument, plenty } from "../../conformance/storeFixtures.ts"
import { wholeStore, type Stores } from "../../support/store.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-folder-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** The storage of a server that works in the folder. */
const serverIn = (directory: string) =>
  Engine.layerStorage.pipe(
    Layer.provide(EngineConfig.layer()),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ DATA_DIR: directory })))
  )

/** Large enough for a file of its own. */
const bytesOf = (number: number) => new Uint8Array(70_000).fill(number)

const accept = Effect.fnUntraced(function* (number: number) {
  const blobs = yield* BlobStore
  const documents = yield* wholeStore
  const blob = yield* blobs.receive(Stream.make(bytesOf(number)), 100_000)
  yield* documents.accept(newDocument(number, { source: { _tag: "Blob", ...blob } }), plenty)
  return blob.hash
})

const run = <A, E, R>(directory: string, body: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.provide(body, Layer.fresh(serverIn(directory))))

const starts = (directory: string) => run(directory, Effect.void)
const refusal = (directory: string) => Effect.map(Effect.flip(starts(directory)), (error) => error.message)

const originals = (directory: string) =>
  readdirSync(join(directory, "blobs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.length > 60)
    .map((path) => path.slice(3))
    .toSorted()

/** A folder with a document, as a server leaves it that was stopped. */
const usedFolder = Effect.gen(function* () {
  const directory = join(yield* temporaryFolder, "data")
  const hash = yield* run(directory, accept(1))
  return { directory, hash }
})

const databaseFiles = (directory: string) =>
  ["sluice.db", "sluice.db-wal", "sluice.db-shm"].map((name) => join(directory, name))

const removeDatabase = (directory: string) => databaseFiles(directory).forEach((path) => rmSync(path, { force: true }))

/** The files of a folder in which a server works, as a kill would leave them. */
const killedCopy = Effect.fnUntraced(function* (body: Effect.Effect<unknown, unknown, BlobStore | Stores>) {
  const { directory } = yield* usedFolder
  const copy = join(yield* temporaryFolder, "data")
  yield* run(
    directory,
    Effect.andThen(
      body,
      Effect.sync(() => cpSync(directory, copy, { recursive: true }))
    )
  )
  return copy
})

const collected = Effect.sync(() => {
  const lines: Array<string> = []
  return { lines, layer: Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))]) }
})

/** A database of before there was any of this, with documents of these originals. */
const olderDatabase = Effect.fnUntraced(function* (directory: string, hashes: ReadonlyArray<string>) {
  removeDatabase(directory)
  yield* Effect.gen(function* () {
    yield* migrateTo(14)
    const database = yield* SqliteDatabase
    yield* database.use("test", (db) => {
      for (const hash of hashes) {
        db.run(
          `INSERT INTO documents (id, tenant_id, name, blob, size, priority, status, accepted_at, finished_at)
            VALUES (?, ?, 'old.pdf', ?, 70000, 5, 'completed', 1, 2)`,
          documentId(1),
          acme,
          hash
        )
      }
    })
  }).pipe(Effect.provide(clientLayer({ filename: join(directory, "sluice.db") })))
})

describe("A server refuses to start", () => {
  const refused: ReadonlyArray<
    readonly [what: string, told: RegExp, spoil: (directory: string) => Effect.Effect<unknown, unknown>]
  > = [
    [
      "without its database",
      /sluice\.db is missing or empty/,
      (directory) => Effect.sync(() => removeDatabase(directory))
    ],
    [
      "with an empty database",
      /sluice\.db is missing or empty/,
      (directory) =>
        Effect.sync(() => {
          removeDatabase(directory)
          writeFileSync(join(directory, "sluice.db"), "")
        })
    ],
    [
      "with the database of another folder",
      /belongs to another data folder/,
      (directory) =>
        Effect.gen(function* () {
          const other = yield* usedFolder
          removeDatabase(directory)
          copyFileSync(join(other.directory, "sluice.db"), join(directory, "sluice.db"))
        }).pipe(Effect.scoped)
    ],
    [
      "with a copy of its database of before",
      /is older than what lies beside it/,
      (directory) =>
        Effect.gen(function* () {
          const copy = `${directory}.copy`
          copyFileSync(join(directory, "sluice.db"), copy)
          yield* run(directory, accept(2))
          removeDatabase(directory)
          renameSync(copy, join(directory, "sluice.db"))
        })
    ],
    [
      "with the database of a release that knew nothing of this",
      /written by an older release/,
      (directory) => olderDatabase(directory, originals(directory))
    ],
    [
      "when nothing tells which database belongs there",
      /sluice\.json is damaged/,
      (directory) => Effect.sync(() => writeFileSync(join(directory, "sluice.json"), "{"))
    ],
    [
      "with a database that knows none of the originals",
      /knows none of the originals/,
      (directory) => {
        rmSync(join(directory, "sluice.json"))
        return olderDatabase(directory, [])
      }
    ]
  ]

  for (const [what, told, spoil] of refused) {
    it.live(`${what}, says what to do, and goes on when that was done`, () =>
      Effect.gen(function* () {
        const { directory, hash } = yield* usedFolder
        yield* spoil(directory)
        const message = yield* refusal(directory)
        assert.match(message, told)
        assert.include(message, "sluice storage adopt")
        assert.include(originals(directory), hash)
        yield* adoptFolder(directory)
        yield* starts(directory)
        assert.include(originals(directory), hash)
      })
    )
  }

  it.live("after a kill without the log of its database", () =>
    Effect.gen(function* () {
      const directory = yield* killedCopy(accept(2))
      rmSync(join(directory, "sluice.db-wal"))
      rmSync(join(directory, "sluice.db-shm"), { force: true })
      assert.match(yield* refusal(directory), /sluice\.db-wal is missing/)
      assert.lengthOf(originals(directory), 2)
    })
  )

  it.live("with a damaged database, and leaves everything as it is", () =>
    Effect.gen(function* () {
      const { directory, hash } = yield* usedFolder
      const path = join(directory, "sluice.db")
      writeFileSync(path, Buffer.alloc(statSync(path).size, "damaged"))
      const before = readFileSync(path)
      assert.match(yield* refusal(directory), /sluice\.db cannot be read .* put back a copy/)
      assert.isTrue(before.equals(readFileSync(path)))
      assert.deepStrictEqual(originals(directory), [hash])
    })
  )

  for (const [what, spoil] of [
    [
      "steps that it does not know",
      (directory: string) => {
        const database = new DatabaseSync(join(directory, "sluice.db"))
        database.exec("INSERT INTO migrations (migration_id, name) VALUES (999, 'later')")
        database.close()
      }
    ],
    [
      "a later format",
      (directory: string) =>
        writeFileSync(join(directory, "sluice.json"), JSON.stringify({ format: 2, something: "else" }))
    ]
  ] as const) {
    it.live(`on what a later release has left, with ${what}, and lets nobody adopt it`, () =>
      Effect.gen(function* () {
        const { directory, hash } = yield* usedFolder
        spoil(directory)
        assert.match(yield* refusal(directory), /Start the release that wrote it/)
        assert.match((yield* Effect.flip(adoptFolder(directory))).message, /Start the release that wrote it/)
        assert.deepStrictEqual(originals(directory), [hash])
      })
    )
  }
})

describe("A server starts", () => {
  it.live("again and again, also after a kill, and in a folder that is a link", () =>
    Effect.gen(function* () {
      const copy = yield* killedCopy(accept(2))
      const link = `${copy}.link`
      symlinkSync(copy, link)
      for (const path of [copy, link, copy]) {
        yield* run(
          path,
          Effect.flatMap(wholeStore, (documents) => documents.find(acme, documentId(2)))
        )
      }
      const { generation, open } = JSON.parse(readFileSync(join(copy, "sluice.json"), "utf8"))
      // One start and one stop before, the start before the kill, and three of either since.
      assert.deepStrictEqual([generation, open], [9, false])
    })
  )

  it.live("with the documents of a release that knew nothing of this", () =>
    Effect.gen(function* () {
      const { directory, hash } = yield* usedFolder
      rmSync(join(directory, "sluice.json"))
      yield* olderDatabase(directory, [hash])
      yield* starts(directory)
      assert.deepStrictEqual(originals(directory), [hash])
      assert.isTrue(existsSync(join(directory, "sluice.json")))
    })
  )

  it.live("in a folder whose originals are gone, and says so", () =>
    Effect.gen(function* () {
      const { directory } = yield* usedFolder
      rmSync(join(directory, "blobs"), { recursive: true })
      const { layer, lines } = yield* collected
      const told = Effect.suspend(() =>
        lines.some((line) => line.includes("originals of documents are missing")) ? Effect.void : Effect.fail("not yet")
      )
      yield* run(directory, Effect.eventually(told)).pipe(Effect.provide(layer))
    })
  )
})

describe("The sweep of blobs", () => {
  it.effect("removes what this database put there without a document, and nothing that it never knew", () =>
    Effect.gen(function* () {
      const { directory, hash } = yield* usedFolder
      const abandoned = yield* run(
        directory,
        Effect.flatMap(BlobStore, (blobs) => blobs.put(Stream.make(bytesOf(3)), 100_000))
      )
      const stranger = "ab".repeat(32)
      mkdirSync(join(directory, "blobs", "ab"), { recursive: true })
      writeFileSync(join(directory, "blobs", "ab", stranger), "from another database")
      yield* TestClock.setTime(Date.UTC(2100, 1))
      const { layer, lines } = yield* collected
      yield* run(
        directory,
        Effect.gen(function* () {
          yield* Layer.build(BlobCollection.layer)
          const done = Effect.suspend(() =>
            originals(directory).includes(abandoned.hash) || lines.length === 0 ? Effect.fail("not yet") : Effect.void
          )
          yield* Effect.eventually(done)
        })
      ).pipe(Effect.provide(layer))
      assert.deepStrictEqual(originals(directory), [hash, stranger].toSorted())
      assert.lengthOf(
        lines.filter((line) => line.includes("sluice storage discard")),
        1
      )
      assert.deepStrictEqual(yield* discardUnknown(directory), { removed: 1, bytes: 21 })
      assert.deepStrictEqual(originals(directory), [hash])
    })
  )

  it.live("knows bytes that an upload has reserved and left behind, and forgets them when they are removed", () =>
    Effect.gen(function* () {
      const { directory } = yield* usedFolder
      const known = (hash: BlobHash) =>
        Effect.flatMap(BlobStore, (blobs) =>
          Effect.map(Stream.runCollect(blobs.list), (all) => all.find((blob) => blob.hash === hash)?.known)
        )
      yield* run(
        directory,
        Effect.gen(function* () {
          const blobs = yield* BlobStore
          const references = yield* BlobReferences
          const reserve = (hash: BlobHash) => Effect.asVoid(references.reserve(hash, "1 minute"))
          const { hash } = yield* blobs.put(Stream.make(bytesOf(4)), 100_000, { reserve })
          assert.isTrue(yield* known(hash))
          // The upload still holds its reference: the bytes that it may put again stay known.
          yield* blobs.remove(hash)
          yield* blobs.put(Stream.make(bytesOf(4)), 100_000, { reserve: () => Effect.void })
          assert.isTrue(yield* known(hash))
        })
      )
    })
  )

  it.live("keeps what an adopted copy of before knows without a document: a later one may have had it", () =>
    Effect.gen(function* () {
      const { directory } = yield* usedFolder
      const underWay = yield* run(
        directory,
        Effect.flatMap(BlobStore, (blobs) => blobs.put(Stream.make(bytesOf(4)), 100_000))
      )
      rmSync(join(directory, "sluice.json"))
      yield* adoptFolder(directory)
      const known = yield* run(
        directory,
        Effect.flatMap(BlobStore, (blobs) =>
          Effect.map(Stream.runCollect(blobs.list), (all) => all.find(({ hash }) => hash === underWay.hash)?.known)
        )
      )
      assert.isFalse(known)
    })
  )
})

describe("The data folder", () => {
  it.live("is for its owner only, also if it was made beforehand and files lay open in it", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      chmodSync(directory, 0o755)
      const modes = () =>
        ["lock", "sluice.json", "sluice.db", "sluice.db-wal", "sluice.db-shm", "secret.key"].map(
          (name) => statSync(join(directory, name)).mode & 0o777
        )
      yield* run(
        directory,
        Effect.gen(function* () {
          yield* accept(1)
          assert.deepStrictEqual(new Set(modes()), new Set([0o600]))
        })
      )
      for (const name of ["lock", "sluice.json", "sluice.db"]) chmodSync(join(directory, name), 0o644)
      chmodSync(join(directory, "blobs"), 0o755)
      const { layer, lines } = yield* collected
      yield* run(
        directory,
        Effect.sync(() => {
          assert.deepStrictEqual(new Set(modes()), new Set([0o600]))
          assert.strictEqual(statSync(join(directory, "blobs")).mode & 0o777, 0o700)
        })
      ).pipe(Effect.provide(layer))
      assert.lengthOf(
        lines.filter((line) => line.includes("could be read by others")),
        1
      )
    })
  )
})
