/**
 * The store in one SQLite file: durable when a write succeeds, and as fast as the disk flushes batches. One layer provides all
 * of its contracts.
 */
import { Context, type Duration, Effect, Exit, Layer, Option } from "effect"
import type { SqlClient } from "effect/sql"
import { ChangeLog } from "../../services/store/ChangeLog.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { Documents } from "../../services/store/Documents.ts"
import { DocumentStore } from "../../services/store/DocumentStore.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { GroupCommit, type Write } from "./database/GroupCommit.ts"
import { migrate } from "./database/Migrations.ts"
import { makeRead, type Read } from "./database/Read.ts"
import { layer as clientLayer } from "./database/SqliteClient.ts"
import { SqliteDatabase, type SqliteOptions } from "./database/SqliteDatabase.ts"
import { makeCachedCounters } from "./documents/CachedCounters.ts"
import { makeNumbers } from "./documents/changes.ts"
import * as lifecycle from "./documents/lifecycle.ts"
import * as records from "./documents/records.ts"
import { changeLog } from "./documents/SqliteChangeLog.ts"
import { documentQueue } from "./documents/SqliteDocumentQueue.ts"
import { documents } from "./documents/SqliteDocuments.ts"
import { queueStats } from "./documents/SqliteQueueStats.ts"
import { webhookRecords } from "./documents/SqliteWebhooks.ts"

const documentStore = (read: Read, write: Write) =>
  DocumentStore.of({
    refersTo: Effect.fn("DocumentStore.refersTo")(function* (hash, tenant) {
      const operation = "look for a blob's documents"
      // That there is none has to be on the disk: bytes are removed because of it, which no crash brings back.
      return (
        (yield* read(operation, (db) => records.refersTo(db, hash, tenant))) ||
        (yield* write(operation, (db) => Exit.succeed(records.refersTo(db, hash, tenant))))
      )
    }),
    ...webhookRecords(read, write),
    keepAnswer: Effect.fn("DocumentStore.keepAnswer")((tenant, key, answer) =>
      write("keep an answer", lifecycle.keepAnswer(tenant, key, answer))
    ),
    findAnswer: Effect.fn("DocumentStore.findAnswer")((tenant, key) =>
      Effect.map(
        read("find a kept answer", (db) => records.answer(db, tenant, key)),
        Option.fromUndefinedOr
      )
    ),
    forgetAnswers: Effect.fn("DocumentStore.forgetAnswers")((keptBefore, limit) =>
      write("forget kept answers", lifecycle.forgetAnswers(keptBefore, limit))
    )
  })

const make = Effect.gen(function* () {
  yield* migrate
  const commit = yield* GroupCommit
  const numbers = makeNumbers()
  yield* commit("begin the numbers of changes", numbers.begin)
  const counters = makeCachedCounters()
  const write: Write = (name, operation, manner, size, committed) =>
    // After any failure: after a failed flush no read is answered any more, so counters cached during it must not be either.
    Effect.onError(
      commit(name, counters.forgottenBy(numbers.numbered(operation)), manner, size, committed),
      () => counters.forget
    )
  const read = makeRead(yield* SqliteDatabase)
  return Context.make(DocumentQueue, documentQueue(read, write)).pipe(
    Context.add(Documents, documents(read, write)),
    Context.add(ChangeLog, changeLog(read, numbers)),
    Context.add(QueueStats, queueStats(read, counters)),
    Context.add(DocumentStore, documentStore(read, write))
  )
})

/** The contracts of the store. */
export type Stores = DocumentQueue | Documents | ChangeLog | QueueStats | DocumentStore

/** On a database that others share. Brings its tables up to date first. */
export const layerNoDeps: Layer.Layer<Stores, StoreUnavailable, SqlClient.SqlClient | SqliteDatabase | GroupCommit> =
  Layer.effectContext(
    make.pipe(
      Effect.catchTag(
        ["MigrationError", "SqlError"],
        (cause) => new StoreUnavailable({ operation: "bring its tables up to date", cause })
      )
    )
  )

export interface DatabaseOptions extends SqliteOptions {
  /** The time between commits that only bring pages. None when absent. */
  readonly patience?: Duration.Input
}

type Database = Layer.Layer<SqlClient.SqlClient | SqliteDatabase | GroupCommit>

/** Opens the file (its folder has to exist), and closes it with the scope. */
export const layerDatabase = (options: DatabaseOptions) =>
  GroupCommit.layer(options.patience ?? 0).pipe(
    Layer.provideMerge(clientLayer(options)),
    Layer.catchTag("SqlError", (cause) => {
      const failed: Effect.Effect<Database, StoreUnavailable> = Effect.fail(
        new StoreUnavailable({ operation: "open its file", cause })
      )
      return Layer.unwrap(failed)
    })
  )

/** On a file of its own. */
export const layer = (options: DatabaseOptions): Layer.Layer<Stores, StoreUnavailable> =>
  Layer.provide(layerNoDeps, layerDatabase(options))
