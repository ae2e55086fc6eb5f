import { Effect, Result, Schedule } from "effect"
import type { ApiKeyId } from "../../../domain/tenant/ApiKey.ts"
import { SqliteDatabase, type Statements } from "../database/SqliteDatabase.ts"

/** How often the uses of keys are written to the database. */
const usesWritten = "1 minute"

/** A transaction can be open here only if its rollback failed. */
export const outsideTransaction = (db: Statements): Statements => {
  if (db.inTransaction()) db.exec("ROLLBACK")
  return db
}

/** Another process may have recorded a later use. */
const recordUse = "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?"

/** When each key was last used, kept in memory until it is written: every minute, and when the scope closes. */
export const makeKeyUses = Effect.gen(function* () {
  const database = yield* SqliteDatabase
  const uses = new Map<ApiKeyId, number>()

  const write = Effect.suspend(() => {
    if (uses.size === 0) return Effect.void
    const written = [...uses]
    return database
      .use("record the use of keys", (db) => {
        outsideTransaction(db).exec("BEGIN IMMEDIATE")
        const done = Result.try(() => {
          for (const [id, at] of written) db.run(recordUse, at, id)
          db.exec("COMMIT")
        })
        if (Result.isFailure(done)) {
          Result.try(() => outsideTransaction(db))
          throw done.failure
        }
        for (const [id, at] of written) if (uses.get(id) === at) uses.delete(id)
      })
      .pipe(Effect.ignore({ log: "Warn" }))
  })
  yield* Effect.addFinalizer(() => write)
  yield* write.pipe(Effect.repeat(Schedule.spaced(usesWritten)), Effect.forkScoped)
  return uses
})
