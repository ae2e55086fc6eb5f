// What machines over one database share, and what each has for itself.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Engine from "../../../src/layers/Engine.ts"
import * as Connection from "../../../src/layers/postgres/database/Connection.ts"
import { claimBucket, claimFolder } from "../../../src/layers/postgres/storage/SharedFolder.ts"
import { BlobStore } from "../../../src/services/BlobStore.ts"
import { EngineConfig } from "../../../src/services/config/EngineConfig.ts"
import { Secrets } from "../../../src/services/secrets/Secrets.ts"
import { sluice } from "../../cli/harness.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { execute, newDatabase, urlOf } from "../../support/postgres/server.ts"
import { temporaryFolder } from "../../support/service.ts"

const [key, otherKey] = ["0", "1"].map((digit) => digit.repeat(64))

/** A machine of its own: its storage, with these settings. */
const machine = (env: Readonly<Record<string, string | undefined>>) =>
  Layer.fresh(
    Engine.layerStorage.pipe(
      Layer.provide(EngineConfig.layer()),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
    )
  )

const on = <A, E, R>(env: Readonly<Record<string, string | undefined>>, body: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.provide(body, machine(env), { local: true }))

const refusal = (env: Readonly<Record<string, string | undefined>>) =>
  Effect.map(Effect.flip(on(env, Effect.void)), ({ message }) => message)

const prepared = Effect.gen(function* () {
  const database = yield* newDatabase
  return { database, DATABASE_URL: Redacted.value(yield* urlOf(database)) }
})

const hasDocument = (database: string) =>
  execute(
    database,
    `INSERT INTO documents (id, tenant_id, name, blob, size, priority, status, accepted_at, changed)
      VALUES ('1', 'acme', '1.pdf', 'b', 1, 5, 'completed', 0, 1)`
  )

const password = Redacted.make("hunter2")
const seal = Secrets.use((secrets) => secrets.seal(password))
const opens = (sealed: string) => Secrets.use((secrets) => Effect.map(secrets.open(sealed), Redacted.value))

describe.skipIf(postgresBinaries === undefined)(
  postgresBinaries === undefined ? withoutPostgres : "Machines over one database",
  () => {
    it.live("need no common data folder when originals and the key are elsewhere, and may lose their own", () =>
      Effect.gen(function* () {
        const { database, DATABASE_URL } = yield* prepared
        const shared = { DATABASE_URL, BLOBS: join(yield* temporaryFolder, "originals"), SECRET_KEY: key }
        const [one, other] = [join(yield* temporaryFolder, "one"), join(yield* temporaryFolder, "other")]
        const bytes = new Uint8Array(100_000).fill(7)
        const stored = yield* on(
          { ...shared, DATA_DIR: one },
          Effect.all([BlobStore.use((blobs) => blobs.put(Stream.make(bytes), 200_000)), seal])
        )
        yield* hasDocument(database)
        assert.isFalse(existsSync(join(one, "secret.key")))
        rmSync(one, { recursive: true, force: true })
        for (const DATA_DIR of [other, one]) {
          yield* on(
            { ...shared, DATA_DIR },
            Effect.gen(function* () {
              assert.strictEqual(yield* opens(stored[1]), "hunter2")
              const found = yield* Effect.scoped(BlobStore.use((blobs) => blobs.locate(stored[0].hash)))
              assert.strictEqual(found._tag === "File" && readFileSync(found.path).length, bytes.length)
            })
          )
        }
        assert.include(
          yield* refusal({ ...shared, DATA_DIR: one, BLOBS: join(one, "elsewhere") }),
          "it is not the folder with the originals of this database"
        )
      })
    )

    it.live("refuse another key with what to do, until it is adopted, and store none", () =>
      Effect.gen(function* () {
        const { database, DATABASE_URL } = yield* prepared
        const folder = join(yield* temporaryFolder, "data")
        const env = { DATABASE_URL, DATA_DIR: folder }
        yield* on(env, Effect.void)
        const own = readFileSync(join(folder, "secret.key"))
        // The folder's key may be given, too.
        const sealed = yield* on({ ...env, SECRET_KEY: own.toString("hex") }, seal)
        const message = yield* refusal({ ...env, SECRET_KEY: otherKey })
        assert.include(message, "the secret key SECRET_KEY cannot be used: the database was sealed with another key")
        assert.include(message, "sluice storage adopt")
        assert.notInclude(message, otherKey ?? "")

        rmSync(join(folder, "secret.key"))
        assert.include(yield* refusal(env), "it is missing, and the database was sealed with it. Put it back")
        assert.isFalse(existsSync(join(folder, "secret.key")))
        const [rows] = yield* execute(database, "SELECT * FROM sealing_key")
        assert.notInclude(JSON.stringify(rows), own.toString("base64url"))

        const adopted = yield* sluice(["storage", "adopt", "--json"], { ...env, SECRET_KEY: otherKey ?? "" })
        assert.deepStrictEqual([adopted.code, JSON.parse(adopted.out).key], [0, "SECRET_KEY"], adopted.err)
        yield* on({ ...env, SECRET_KEY: otherKey }, Effect.flip(opens(sealed)))
        writeFileSync(join(folder, "secret.key"), own, { mode: 0o600 })
        assert.include(yield* refusal(env), "the database was sealed with another key")
        yield* sluice(["storage", "adopt"], env)
        assert.strictEqual(yield* on(env, opens(sealed)), "hunter2")
      })
    )

    it.live("take no key that does not open what is sealed already", () =>
      Effect.gen(function* () {
        const { database, DATABASE_URL } = yield* prepared
        const env = { DATABASE_URL, DATA_DIR: join(yield* temporaryFolder, "data") }
        const sealed = yield* on({ ...env, SECRET_KEY: key }, seal)
        yield* execute(
          database,
          "DELETE FROM sealing_key",
          `INSERT INTO webhooks (tenant_id, created_at, changed_at, secret, secret_created_at) VALUES ('acme', 0, 0, '${sealed}', 0)`
        )
        assert.include(yield* refusal({ ...env, SECRET_KEY: otherKey }), "sealed with another key")
        yield* on({ ...env, SECRET_KEY: key }, Effect.void)
      })
    )

    it.live("look for originals where the database says, and nowhere else", () =>
      Effect.gen(function* () {
        const { database, DATABASE_URL } = yield* prepared
        const [one, other] = [join(yield* temporaryFolder, "one"), join(yield* temporaryFolder, "other")]
        const claim = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
          Effect.provide(
            effect,
            [Connection.layer({ url: Redacted.make(DATABASE_URL) }), SecureRandom.layerWebCrypto],
            { local: true }
          )
        // Before there are originals, the place may change.
        yield* claim(claimFolder(one))
        yield* claim(claimBucket(other, "s3://originals/a"))
        yield* hasDocument(database)
        yield* claim(Effect.all([claimBucket(one, "s3://originals/a"), claimBucket(other, "s3://originals/a")]))
        const elsewhere = yield* Effect.flip(claim(claimBucket(other, "s3://originals/b")))
        assert.include(elsewhere.message, "were kept in s3://originals/a so far")
        const inFolder = yield* Effect.flip(claim(claimFolder(other)))
        assert.include(inFolder.message, "the originals of this database are in s3://originals/a; set BLOBS")
        const { code } = yield* sluice(["storage", "adopt"], { DATABASE_URL, DATA_DIR: other })
        assert.strictEqual(code, 0)
        yield* claim(claimFolder(other))
        const refused = yield* sluice(["storage", "discard", "--yes"], { DATABASE_URL, DATA_DIR: other })
        assert.strictEqual(refused.code, 2)
        assert.include(refused.err + refused.out, "with DATABASE_URL the servers remove originals")
      })
    )
  }
)
