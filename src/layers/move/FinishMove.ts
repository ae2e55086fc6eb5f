/** What follows when all rows are there: counters, the numbers that are given next, and who may serve from where. */
import { existsSync, renameSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { syncDirectory } from "../blobs/Files.ts"
import { DataDirectoryUnusable } from "../folder/DataDirectory.ts"
import { bool, int8, text } from "../postgres/database/Parameters.ts"
import { PostgresDatabase, type Statements } from "../postgres/database/PostgresDatabase.ts"
import { endMove } from "../postgres/storage/FolderMove.ts"
import { movedName, writeMoveState } from "../postgres/storage/FolderMark.ts"
import { SqliteDatabase } from "../sqlite/database/SqliteDatabase.ts"
import { MoveRefused } from "./MoveRefused.ts"
import { cannotRead } from "./Source.ts"

const statsSql =
  "SELECT tenant_id, max_waiting, max_running, processed, failed, paused FROM tenant_stats ORDER BY tenant_id"

/** Triggers have counted what waits, runs, is owed and is stored; what ended before is known to the folder only. */
const setStats = `
  INSERT INTO tenant_stats AS t (tenant_id, max_waiting, max_running, processed, failed, paused) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (tenant_id) DO UPDATE SET max_waiting = greatest(t.max_waiting, excluded.max_waiting),
    max_running = excluded.max_running, processed = excluded.processed, failed = excluded.failed, paused = excluded.paused`

const setTotals = [
  `UPDATE counter_shards SET
    processed = CASE WHEN shard = 0 THEN (SELECT coalesce(sum(processed), 0) FROM tenant_stats) ELSE 0 END,
    failed = CASE WHEN shard = 0 THEN (SELECT coalesce(sum(failed), 0) FROM tenant_stats) ELSE 0 END`,
  "SELECT setval(pg_get_serial_sequence('documents', 'seq'), max(seq)) FROM documents HAVING max(seq) IS NOT NULL",
  "SELECT setval(pg_get_serial_sequence('api_keys', 'place'), max(place)) FROM api_keys HAVING max(place) IS NOT NULL",
  "SELECT setval(pg_get_serial_sequence('artifacts', 'place'), max(place)) FROM artifacts HAVING max(place) IS NOT NULL"
]

const all = "*"

/** May be repeated. */
const setCounters = Effect.fnUntraced(function* (db: Statements, lastChange: number, stats: ReadonlyArray<Stats>) {
  for (const { failed, most, processed, tenant, waited, isPaused } of stats) {
    if (tenant === all) {
      yield* db.all("UPDATE counter_peaks SET waiting = greatest(waiting, $1), running = $2", int8(waited), int8(most))
      continue
    }
    yield* db.all(setStats, text(tenant), int8(waited), int8(most), int8(processed), int8(failed), bool(isPaused))
  }
  for (const sql of setTotals) yield* db.all(sql)
  // Cursors that were handed out stay good, and no number is given twice.
  if (lastChange > 0)
    yield* db.all("SELECT setval('change_numbers', greatest($1, last_change_number()))", int8(lastChange))
})

interface Stats {
  readonly tenant: string
  readonly waited: number
  readonly most: number
  readonly processed: number
  readonly failed: number
  readonly isPaused: boolean
}

const readStats = Effect.gen(function* () {
  const database = yield* SqliteDatabase
  return yield* database
    .use("read counters", (db) => ({
      lastChange: Number(db.get("SELECT reserved FROM change_numbers")?.["reserved"] ?? 0),
      stats: db.all(statsSql).map((row): Stats => ({
        tenant: String(row["tenant_id"]),
        waited: Number(row["max_waiting"]),
        most: Number(row["max_running"]),
        processed: Number(row["processed"]),
        failed: Number(row["failed"]),
        isPaused: row["paused"] === 1
      }))
    }))
    .pipe(cannotRead)
})

/** Counters that the triggers keep, against the rows themselves. */
const miscounted = `
  SELECT (SELECT coalesce(sum(waiting), 0) FROM counter_shards) <> (SELECT count(*) FROM documents WHERE status IN ('scheduled', 'queued'))
    OR (SELECT coalesce(sum(owed), 0) FROM counter_shards) <> (SELECT count(*) FROM documents WHERE callback_next_at IS NOT NULL)
    OR (SELECT coalesce(sum(stored), 0) FROM counter_shards)
      <> (SELECT coalesce(sum(coalesce(size, 0) + result_bytes + detail_bytes), 0) FROM documents) AS wrong`

/** From its commit on a server may start on the database. */
export const finishInDatabase = Effect.gen(function* () {
  const { transact } = yield* PostgresDatabase
  const { lastChange, stats } = yield* readStats
  yield* transact("finish the move", (db) =>
    Effect.gen(function* () {
      yield* setCounters(db, lastChange, stats)
      if ((yield* db.get(miscounted))?.["wrong"] === true)
        return yield* new MoveRefused({
          detail: "the counters in Postgres do not agree with the documents; begin anew with an empty database"
        })
      yield* endMove(db)
    })
  )
})

/** Keeps the database under another name, so that nothing opens it by mistake. May be repeated. */
export const retireFolder = Effect.fnUntraced(function* (directory: string, withBlobs: boolean) {
  const names = withBlobs ? ["sluice.db", "blobs"] : ["sluice.db"]
  yield* Effect.try({
    try: () => {
      for (const name of names) {
        if (existsSync(join(directory, name))) renameSync(join(directory, name), join(directory, movedName(name)))
      }
    },
    catch: (cause) => new DataDirectoryUnusable({ directory, detail: `its files cannot be renamed (${String(cause)})` })
  })
  yield* Effect.ignore(syncDirectory(directory))
  yield* writeMoveState(directory, "finished")
})
