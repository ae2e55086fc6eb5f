import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlError } from "effect/sql/SqlError"
import { PostgresDatabase } from "../../../src/layers/postgres/database/PostgresDatabase.ts"
import * as PostgresStore from "../../../src/layers/postgres/PostgresStore.ts"
import { ChangeLog } from "../../../src/services/store/ChangeLog.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../../src/services/store/Documents.ts"
import { QueueStats } from "../../../src/services/store/QueueStats.ts"
import {
  accept,
  acme,
  claim,
  documentId,
  globex,
  newDocument,
  numberOf,
  page
} from "../../conformance/storeFixtures.ts"
import { onRealClock } from "../../support/clock.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { execute, urlOf } from "../../support/postgres/server.ts"
import { databaseLayer, emptied } from "../../support/postgres/store.ts"

/** A transaction of another process, which the test commits. */
const openTransaction = (database: string, statement: string) =>
  Effect.gen(function* () {
    const client = yield* PgClient.make({ url: yield* urlOf(database), maxConnections: 1 })
    const connection = yield* client.reserve
    const run = (sql: string) => onRealClock(connection.executeUnprepared(sql, [], undefined))
    yield* run("BEGIN")
    yield* run(statement)
    return run("COMMIT")
  }).pipe(onRealClock, Effect.provide(Reactivity.layer))

const acceptance = (number: number) => `
  SELECT * FROM accept_document('${documentId(number)}', 'acme', '${number}.pdf', NULL, NULL, 1, 5, NULL, NULL, NULL, NULL, NULL,
    false, NULL, 1000, 1000, NULL)`

const database = emptied()

/** The store over a database that was emptied, with the name of that database. */
const withStore = <A, E>(
  body: (name: string) => Effect.Effect<A, E, PostgresDatabase | Layer.Success<typeof PostgresStore.layerNoDeps>>
) =>
  Effect.flatMap(database, (name) =>
    Effect.provide(body(name), Layer.provideMerge(PostgresStore.layerNoDeps, databaseLayer(name)))
  )

const failing = (code: string) => `DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '${code}'; END $$`

describe.skipIf(postgresBinaries === undefined)(
  postgresBinaries === undefined ? withoutPostgres : "The store on Postgres, as a database that others use",
  () => {
    it.effect("tells changes of transactions that are committed in another order than they began in", () =>
      withStore((name) =>
        Effect.gen(function* () {
          const log = yield* ChangeLog
          const seen = (after = log.beginning) => log.changes({ after, limit: 100 })
          yield* accept(1)
          const before = (yield* seen()).through
          const commit = yield* Effect.acquireRelease(openTransaction(name, acceptance(2)), () => Effect.void)
          yield* accept(3, { tenantId: globex })
          // The change of the open transaction has the lower number, and is not there yet.
          const meanwhile = yield* seen(before)
          assert.deepStrictEqual(meanwhile.changes, [])
          assert.strictEqual(meanwhile.through, before)
          assert.strictEqual(yield* log.last, before)
          yield* commit
          const after = yield* seen(meanwhile.through)
          assert.deepStrictEqual(
            after.changes.map((change) => (change._tag === "Document" ? numberOf(change.document.id) : undefined)),
            [2, 3]
          )
        }).pipe(Effect.scoped)
      )
    )

    it.effect("counts all tenants together without a row that all of them write", () =>
      withStore((name) =>
        Effect.gen(function* () {
          const commit = yield* openTransaction(name, acceptance(1))
          // Another tenant's document is accepted while that transaction is open.
          yield* accept(2, { tenantId: globex })
          const stats = yield* QueueStats
          assert.strictEqual((yield* stats.stats()).waiting, 1)
          yield* commit
          assert.strictEqual((yield* stats.stats()).waiting, 2)
          assert.strictEqual((yield* stats.stats(acme)).waiting, 1)
        }).pipe(Effect.scoped)
      )
    )

    it.effect("runs work again that lost against another transaction, up to a bound, and no other work", () =>
      withStore(() =>
        Effect.gen(function* () {
          const { run, transact } = yield* PostgresDatabase
          const attempts = Effect.fnUntraced(function* (code: string, failures: number) {
            let count = 0
            const exit = yield* Effect.exit(
              transact("try", (db) => db.all(++count <= failures ? failing(code) : "SELECT 1"))
            )
            return [exit._tag, count] as const
          })
          assert.deepStrictEqual(yield* attempts("40001", 2), ["Success", 3])
          assert.deepStrictEqual(yield* attempts("40P01", 2), ["Success", 3])
          assert.deepStrictEqual(yield* attempts("40001", 99), ["Failure", 6])
          assert.deepStrictEqual(yield* attempts("22000", 1), ["Failure", 1])
          const error = yield* Effect.flip(run("read", (db) => db.all("SELECT nothing")))
          assert.strictEqual(error._tag, "StoreUnavailable")
          assert.instanceOf(error.cause, SqlError)
        })
      )
    )

    it.effect("keeps texts with characters that Postgres has no place for", () =>
      withStore(() =>
        Effect.gen(function* () {
          const queue = yield* DocumentQueue
          const documents = yield* Documents
          yield* accept(1, { name: "a\0b.pdf" })
          const { fence } = yield* claim()
          yield* queue.savePages(fence, [page(1, { text: "zero \0, half of a pair \ud800, smile \u{1f600}" })])
          const [found] = yield* documents.pages(acme, documentId(1), { from: 1, limit: 1, detail: false })
          assert.strictEqual(found?.text, "zero \ufffd, half of a pair \ufffd, smile \u{1f600}")
          assert.strictEqual((yield* documents.find(acme, documentId(1))).name, "a\ufffdb.pdf")
        })
      )
    )

    it.effect("is unavailable while the server refuses connections, and works again after that", () =>
      withStore((name) =>
        Effect.gen(function* () {
          yield* accept(1)
          const close = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`
          yield* execute("postgres", `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`, close)
          const documents = yield* Documents
          const find = documents.find(acme, documentId(1))
          yield* Effect.repeat(Effect.flip(find), { times: 3 })
          const error = yield* Effect.flip(find)
          assert.strictEqual(error._tag, "StoreUnavailable")
          const queue = yield* DocumentQueue
          const limits = { tenant: 10, global: 10 }
          assert.strictEqual((yield* Effect.flip(queue.accept(newDocument(2), limits)))._tag, "StoreUnavailable")
          yield* execute("postgres", `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
          assert.strictEqual((yield* find).id, documentId(1))
          yield* queue.accept(newDocument(2), limits)
        })
      )
    )
  }
)
