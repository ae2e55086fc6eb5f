/**
 * The store in one SQLite file: durable when a write succeeds, and as fast as the disk flushes batches. One layer provides all
 * of its contracts.
 */
import { Context, type Duration, Effect, Exit, Layer } from "effect"
import type { SqlClient } from "effect/sql"
import { Artifacts } from "../../services/store/Artifacts.ts"
import { BlobReferences } from "../../services/store/BlobReferences.ts"
import { ChangeLog } from "../../services/store/ChangeLog.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { Documents } from "../../services/store/Documents.ts"
import { IdempotencyStore } from "../../services/store/IdempotencyStore.ts"
import { QueueStats } from "../../services/store/QueueStats.ts"
import { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { GroupCommit, type Operation, type Write } from "./database/GroupCommit.ts"
import { UsageStore } from "../../services/downstreams/UsageStore.ts"
import { usageStore } from "./usage/SqliteUsage.ts"
import { WebhookStore } from "../../services/store/WebhookStore.ts"
import { migrate } from "./database/Migrations.ts"
import { makeRead } from "./database/Read.ts"
import { layer as clientLayer } from "./database/SqliteClient.ts"
import { SqliteDatabase, type SqliteOptions } from "./database/SqliteDatabase.ts"
import { makeCachedCounters } from "./documents/CachedCounters.ts"
import { makeNumbers } from "./documents/changes.ts"
import { reclaimExpired } from "./documents/queue.ts"
import { artifacts } from "./artifacts/SqliteArtifacts.ts"
import { blobReferences, forgetReferences } from "./documents/SqliteBlobReferences.ts"
import { changeLog } from "./documents/SqliteChangeLog.ts"
import { documentQueue } from "./documents/SqliteDocumentQueue.ts"
import { documents } from "./documents/SqliteDocuments.ts"
import { forgetLeases, idempotency } from "./documents/SqliteIdempotency.ts"
import { queueStats } from "./documents/SqliteQueueStats.ts"
import { release as releaseCallbacks } from "./webhooks/callbacks.ts"
import { webhookStore } from "./webhooks/SqliteWebhookStore.ts"

/** What other processes had under way. */
const endAllLeases: Operation<void, never> = (db) => {
  reclaimExpired(Number.MAX_SAFE_INTEGER)(db)
  forgetReferences(db, Number.MAX_SAFE_INTEGER)
  forgetLeases(db, Number.MAX_SAFE_INTEGER)
  releaseCallbacks(undefined)(db)
  return Exit.void
}

const make = Effect.fnUntraced(function* (takeOver: boolean) {
  yield* migrate
  const commit = yield* GroupCommit
  const numbers = makeNumbers()
  yield* commit("begin the numbers of changes", numbers.begin)
  const counters = makeCachedCounters()
  const write: Write = (name, operation, manner, size) =>
    // After any failure: after a failed flush no read is answered any more, so counters cached during it must not be either.
    Effect.onError(commit(name, counters.forgottenBy(numbers.numbered(operation)), manner, size), () => counters.forget)
  if (takeOver) yield* write("take over leases", endAllLeases, "deferred")
  const read = makeRead(yield* SqliteDatabase)
  return Context.make(DocumentQueue, documentQueue(read, write)).pipe(
    Context.add(Documents, documents(read, write)),
    Context.add(ChangeLog, changeLog(read)),
    Context.add(QueueStats, queueStats(read, counters)),
    Context.add(Artifacts, artifacts(read)),
    Context.add(BlobReferences, blobReferences(read, write)),
    Context.add(IdempotencyStore, idempotency(read, write)),
    Context.add(WebhookStore, webhookStore(read, write)),
    Context.add(UsageStore, usageStore(read, write))
  )
})

/** The contracts of the store. */
export type Stores =
  | DocumentQueue
  | Documents
  | ChangeLog
  | QueueStats
  | Artifacts
  | BlobReferences
  | IdempotencyStore
  | WebhookStore
  | UsageStore

type Dependencies = SqlClient.SqlClient | SqliteDatabase | GroupCommit

const makeLayer = (takeOver: boolean): Layer.Layer<Stores, StoreUnavailable, Dependencies> =>
  Layer.effectContext(
    make(takeOver).pipe(
      Effect.catchTag(
        ["MigrationError", "SqlError"],
        (cause) => new StoreUnavailable({ operation: "bring its tables up to date", cause })
      )
    )
  )

/** On a database that others share. Brings its tables up to date first. */
export const layerNoDeps = makeLayer(false)

/**
 * The same for a process that has the database to itself: a lease found in it belongs to a process that is dead, so its
 * document goes back to its queue at once, its callback can be claimed, and idempotency keys and blobs that it held are free.
 */
export const layerTakingOver = makeLayer(true)

export interface DatabaseOptions extends SqliteOptions {
  /** The time between commits that only bring pages. None when absent. */
  readonly batchInterval?: Duration.Input
}

type Database = Layer.Layer<SqlClient.SqlClient | SqliteDatabase | GroupCommit>

/** Opens the file (its folder has to exist), and closes it with the scope. */
export const layerDatabase = (options: DatabaseOptions) =>
  GroupCommit.layer(options.batchInterval ?? 0).pipe(
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
