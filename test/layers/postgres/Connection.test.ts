import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Connection from "../../../src/layers/postgres/database/Connection.ts"
import { stepNames } from "../../../src/layers/postgres/database/Migrations.ts"
import { PostgresDatabase } from "../../../src/layers/postgres/database/PostgresDatabase.ts"
import { claimFolder } from "../../../src/layers/postgres/storage/SharedFolder.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { execute, newDatabase, urlOf } from "../../support/postgres/server.ts"

/** Why a start is refused. */
const refusal = (url: Redacted.Redacted) =>
  Effect.map(Effect.flip(Effect.scoped(Layer.build(Connection.layer({ url })))), ({ message }) => message)

const secret = "hunter2"

/** The URL with this user, a password, and these parts changed. */
const changed = (url: Redacted.Redacted, change: (url: URL) => void) => {
  const parsed = new URL(Redacted.value(url))
  parsed.password = secret
  change(parsed)
  return Redacted.make(parsed.href)
}

const connected = <A, E, R>(database: string, effect: Effect.Effect<A, E, R | PostgresDatabase>) =>
  Effect.flatMap(urlOf(database), (url) => Effect.provide(effect, Connection.layer({ url }), { local: true }))

describe.skipIf(postgresBinaries === undefined)(
  postgresBinaries === undefined ? withoutPostgres : "A connection to Postgres",
  () => {
    it.live("is refused with what to do, and without the password", () =>
      Effect.gen(function* () {
        const url = yield* urlOf(yield* newDatabase)
        const cases = [
          [Redacted.make(`mysql://root:${secret}@127.0.0.1/x`), "postgres://user:password@host:5432/database"],
          [Redacted.make(`postgres://root:${secret}@127.0.0.1:port/x`), "correct the address in DATABASE_URL"],
          [changed(url, (to) => (to.port = "1")), "start the server, or correct the address"],
          [changed(url, (to) => (to.pathname = "/nowhere")), "create that database"],
          [changed(url, (to) => (to.username = "stranger")), "correct the user and the password"]
        ] as const
        for (const [wrong, advice] of cases) {
          const message = yield* refusal(wrong)
          assert.match(message, /^DATABASE_URL: /)
          assert.include(message, advice)
          assert.notInclude(message, secret)
        }
      })
    )

    it.live("needs the right to make tables, once", () =>
      Effect.gen(function* () {
        const database = yield* newDatabase
        const role = `role_of_${database}`
        yield* execute(database, `CREATE ROLE ${role} LOGIN`, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        const url = yield* urlOf(database, role)
        assert.include(yield* refusal(url), `GRANT CREATE, USAGE ON SCHEMA public TO ${role}`)
        yield* connected(database, PostgresDatabase)
        assert.include(yield* refusal(url), "the user may not read and write documents; run GRANT SELECT, INSERT")
        yield* execute(
          database,
          `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
          `GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO ${role}`
        )
        yield* Effect.scoped(Layer.build(Connection.layer({ url })))
      })
    )

    it.live("is refused for a database that a newer release has made", () =>
      Effect.gen(function* () {
        const database = yield* newDatabase
        yield* connected(database, PostgresDatabase)
        yield* execute(database, "INSERT INTO sluice_migrations (migration_id, name) VALUES (99, 'of_tomorrow')")
        assert.include(yield* refusal(yield* urlOf(database)), "by another release of Sluice (step of_tomorrow)")
      })
    )

    it.live("is made by several processes at once on an empty database", () =>
      Effect.gen(function* () {
        const database = yield* newDatabase
        yield* Effect.all(
          Array.from({ length: 4 }, () => connected(database, PostgresDatabase)),
          { concurrency: "unbounded" }
        )
        const [steps] = yield* execute(database, "SELECT count(*)::int AS steps FROM sluice_migrations")
        assert.deepStrictEqual(steps, [{ steps: stepNames.length }])
      })
    )

    it.live("goes with one folder, and no other", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const [own, other] = [yield* files.makeTempDirectoryScoped(), yield* files.makeTempDirectoryScoped()]
        const [database, another] = [yield* newDatabase, yield* newDatabase]
        const claim = (name: string, folder: string) => connected(name, claimFolder(folder))
        yield* Effect.all([claim(database, own), claim(database, own)], { concurrency: 2 })
        assert.include((yield* Effect.flip(claim(another, own))).message, "the originals of another database")
        yield* execute(
          database,
          `INSERT INTO documents (id, tenant_id, name, blob, size, priority, status, accepted_at, changed)
            VALUES ('1', 'acme', '1.pdf', 'b', 1, 5, 'completed', 0, 1)`
        )
        yield* claim(database, own)
        assert.include((yield* Effect.flip(claim(database, other))).message, "all machines have to share one folder")
        yield* files.writeFileString(`${other}/sluice.db`, "")
        assert.include((yield* Effect.flip(claim(another, other))).message, "a server without DATABASE_URL")
      }).pipe(Effect.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto]), Effect.scoped)
    )
  }
)
