/**
 * `DocumentStore` in one SQLite file: durable when a write succeeds, and as fast as the disk flushes batches. Claims and the
 * findings of opened files are not flushed: only a crash of the machine loses them, which also ends the run, and the next run
 * finds them again.
 */
import { type Duration, Effect, Exit, Layer, Option } from "effect"
import type { SqlClient } from "effect/sql"
import type { TenantId } from "../../domain/Ids.ts"
import {
  DocumentNotFound,
  DocumentStore,
  type QueueStats,
  StoreUnavailable
} from "../../services/store/DocumentStore.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import { GroupCommit, type Operation, type Write } from "./database/GroupCommit.ts"
import { changes, changesOf, makeNumbers } from "./documents/changes.ts"
import { migrate } from "./database/Migrations.ts"
import * as lifecycle from "./documents/lifecycle.ts"
import * as queueQueries from "./documents/queueQueries.ts"
import * as records from "./documents/records.ts"
import { layer as clientLayer } from "./database/SqliteClient.ts"
import { SqliteDatabase, type SqliteOptions, type Statements } from "./database/SqliteDatabase.ts"
import { webhookRecords } from "./documents/SqliteWebhooks.ts"
import * as queue from "./documents/queue.ts"

/** The most tenants whose counters are cached. */
const mostCounted = 1024

/**
 * A cache of counters, which only writes of this process change. Every submission reads the counters of all tenants, and a read
 * outside a transaction costs the file's locks.
 */
const makeCounters = () => {
  const counted = new Map<TenantId | "*", QueueStats>()
  return {
    known: (tenant: TenantId | "*") => counted.get(tenant),
    learn: (tenant: TenantId | "*", stats: QueueStats): QueueStats => {
      if (counted.size >= mostCounted) counted.clear()
      counted.set(tenant, stats)
      return stats
    },
    forget: Effect.sync(() => counted.clear()),
    /** Empties the cache also if the write is undone: the counters are then read again. */
    forgottenBy:
      <A, E>(operation: Operation<A, E>): Operation<A, E> =>
      (db) => {
        counted.clear()
        return operation(db)
      }
  }
}

const make = Effect.gen(function* () {
  yield* migrate
  const database = yield* SqliteDatabase
  const commit = yield* GroupCommit
  const numbers = makeNumbers()
  yield* commit("begin the numbers of changes", numbers.begin)
  const counters = makeCounters()
  const write: Write = (name, operation, manner, size, committed) =>
    // After any failure: after a failed flush no read is answered any more, so counters cached during it must not be either.
    Effect.onError(
      commit(name, counters.forgottenBy(numbers.numbered(operation)), manner, size, committed),
      () => counters.forget
    )

  const read = <A>(operation: string, question: (db: Statements) => A) =>
    Effect.mapError(database.use(operation, question), (cause) => new StoreUnavailable({ operation, cause }))

  return DocumentStore.of({
    accept: TraceContext.traced("DocumentStore.accept", (document, limits, committed) =>
      write("accept a document", queue.accept(document, limits), "durable", 1, committed)
    ),
    claim: TraceContext.traced("DocumentStore.claim", (tenant, lease) =>
      write("claim a document", queue.claim(tenant, lease), "unflushed")
    ),
    renew: Effect.fn("DocumentStore.renew")((lease) => write("renew leases", queue.renew(lease), "unflushed")),
    fetched: TraceContext.traced("DocumentStore.fetched", (fence, blob) =>
      write("record a blob", queue.fetched(fence, blob), "unflushed")
    ),
    opened: TraceContext.traced("DocumentStore.opened", (fence, pdf) =>
      write("record an opened file", queue.opened(fence, pdf), "unflushed")
    ),
    // Without a span: there are nearly as many as pages.
    savePages: (fence, pages) => write("save pages", queue.savePages(fence, pages), "patient", pages.length),
    finish: TraceContext.traced("DocumentStore.finish", (fence, outcome, at) =>
      write("finish a document", queue.finish(fence, outcome, at))
    ),
    finishWhole: TraceContext.traced("DocumentStore.finishWhole", (fence, whole, outcome, at) =>
      write("finish a document", queue.finishWhole(fence, whole, outcome, at))
    ),
    recordFault: Effect.fn("DocumentStore.recordFault")((fence, page, fault) =>
      write("record a page's fault", queue.recordFault(fence, page, fault), "unflushed")
    ),
    release: Effect.fn("DocumentStore.release")((fence) =>
      write("release a document", queue.release(fence), "unflushed")
    ),
    reclaimExpired: Effect.fn("DocumentStore.reclaimExpired")((now) =>
      write("reclaim expired leases", queue.reclaimExpired(now), "unflushed")
    ),
    queueDue: Effect.fn("DocumentStore.queueDue")((now) =>
      write("queue due documents", queue.queueDue(now), "unflushed")
    ),
    expireQueued: Effect.fn("DocumentStore.expireQueued")((queuedBefore, at, limit) =>
      write("expire queued documents", lifecycle.expireQueued(queuedBefore, at, limit))
    ),
    hasQueued: TraceContext.traced("DocumentStore.hasQueued", (tenant) =>
      read("see whether a tenant has work", (db) => records.hasQueued(db, tenant))
    ),
    tenantsWithQueued: read("find tenants with work", records.tenantsWithQueued),
    cancel: Effect.fn("DocumentStore.cancel")((tenant, id, at) =>
      write("cancel a document", queue.cancel(tenant, id, at))
    ),
    remove: Effect.fn("DocumentStore.remove")((tenant, id) => write("remove a document", queue.remove(tenant, id))),
    withdraw: Effect.fn("DocumentStore.withdraw")((tenant, id, shares) =>
      write("withdraw a document", lifecycle.withdraw(tenant, id, shares))
    ),
    removeEnded: Effect.fn("DocumentStore.removeEnded")((finishedBefore, limit) =>
      write("remove ended documents", lifecycle.removeEnded(finishedBefore, limit))
    ),
    retry: Effect.fn("DocumentStore.retry")((tenant, id, retry, limits) =>
      write("retry a document", lifecycle.retry(tenant, id, retry, limits))
    ),
    setPaused: Effect.fn("DocumentStore.setPaused")((tenant, paused) =>
      write("pause or resume a tenant", lifecycle.setPaused(tenant, paused))
    ),
    isPaused: Effect.fn("DocumentStore.isPaused")((tenant) =>
      read("see whether a tenant is paused", (db) => records.isPaused(db, tenant))
    ),
    find: Effect.fn("DocumentStore.find")(function* (tenant, id, detail) {
      const document = yield* read("find a document", (db) => records.findById(db, tenant, id, detail))
      return document ?? (yield* new DocumentNotFound({ documentId: id }))
    }),
    list: Effect.fn("DocumentStore.list")((tenant, options) =>
      read("list documents", (db) => records.list(db, tenant, options))
    ),
    pages: TraceContext.traced("DocumentStore.pages", (tenant, id, options) =>
      read("read pages", (db) => records.pages(db, tenant, id, options))
    ),
    lastChange: Effect.sync(numbers.last),
    changes: (options) => read("find changes", (db) => changes(db, numbers.last(), options)),
    changesOf: Effect.fnUntraced(function* (tenant, id, options) {
      const found = yield* read("find a document's changes", (db) => changesOf(db, numbers.last(), tenant, id, options))
      return found ?? (yield* new DocumentNotFound({ documentId: id }))
    }),
    refersTo: Effect.fn("DocumentStore.refersTo")(function* (hash, tenant) {
      const operation = "look for a blob's documents"
      // That there is none has to be on the disk: bytes are removed because of it, which no crash brings back.
      return (
        (yield* read(operation, (db) => records.refersTo(db, hash, tenant))) ||
        (yield* write(operation, (db) => Exit.succeed(records.refersTo(db, hash, tenant))))
      )
    }),
    stats: TraceContext.traced("DocumentStore.stats", (named?: TenantId) =>
      Effect.suspend(() => {
        const tenant = named ?? "*"
        const known = counters.known(tenant)
        return known === undefined
          ? read("count documents", (db) => counters.learn(tenant, records.stats(db, tenant)))
          : Effect.succeed(known)
      })
    ),
    ahead: Effect.fn("DocumentStore.ahead")((tenant, id) =>
      read("count what is ahead of a document", (db) => queueQueries.ahead(db, tenant, id))
    ),
    backlogs: read("find backlogs", queueQueries.backlogs),
    underWay: read("find documents under way", queueQueries.underWay),
    oldestQueued: Effect.fn("DocumentStore.oldestQueued")((tenant) =>
      Effect.map(
        read("find the oldest queued document", (db) => queueQueries.oldestQueued(db, tenant)),
        Option.fromUndefinedOr
      )
    ),
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
})

/** On a database that others share. Brings its tables up to date first. */
export const layerNoDeps: Layer.Layer<
  DocumentStore,
  StoreUnavailable,
  SqlClient.SqlClient | SqliteDatabase | GroupCommit
> = Layer.effect(
  DocumentStore,
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
export const layer = (options: DatabaseOptions): Layer.Layer<DocumentStore, StoreUnavailable> =>
  Layer.provide(layerNoDeps, layerDatabase(options))
