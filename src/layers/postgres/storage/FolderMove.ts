/** The state of a move of a data folder into this database (`sluice migrate`): it may be broken off and go on. */
import { Effect } from "effect"
import { DatabaseUnusable } from "../database/Check.ts"
import { int8, text as textValue } from "../database/Parameters.ts"
import { PostgresDatabase, type Statements } from "../database/PostgresDatabase.ts"
import { number, optionalText, text } from "../documents/rows.ts"

const moveSql = "SELECT identity, folder, (finished_at IS NOT NULL) AS finished FROM folder_move"

/** Undefined if nothing was ever moved into the database. */
export const findMove = Effect.fnUntraced(function* (db: Statements) {
  const row = yield* db.get(moveSql)
  if (row === undefined) return undefined
  return { identity: text(row, "identity"), folder: text(row, "folder"), isFinished: row["finished"] === true }
})

/** A server on half of the documents would take them for all. */
export const refuseUnfinishedMove = Effect.gen(function* () {
  const { run } = yield* PostgresDatabase
  const move = yield* run("look for a move of a data folder", findMove)
  if (move !== undefined && !move.isFinished)
    return yield* new DatabaseUnusable({
      detail: `the documents of ${move.folder} are being moved into it, and that has not ended; run \`sluice migrate\` again`
    })
})

const owned = ["documents", "api_keys", "webhooks", "tenant_limits", "idempotency_keys", "usage"]

/** A table that holds something, if there is one. */
export const usedTable = (db: Statements) =>
  Effect.map(
    db.get(
      `SELECT name FROM (${owned.map((name, at) => `(SELECT ${at} AS place, '${name}' AS name FROM ${name} LIMIT 1)`).join(" UNION ALL ")}) t ORDER BY place LIMIT 1`
    ),
    (row) => (row === undefined ? undefined : text(row, "name"))
  )

/** Whether a server is connected. The connections of a move have another name. */
export const hasServers = (db: Statements) =>
  Effect.map(
    db.get(
      `SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND application_name IN ('sluice', 'sluice cluster') LIMIT 1`
    ),
    (row) => row !== undefined
  )

export const enterMove = (db: Statements, identity: string, folder: string) =>
  db.all(
    "INSERT INTO folder_move (place, identity, folder, begun_at) VALUES ($1, $2, $3, store_now())",
    int8(1),
    textValue(identity),
    textValue(folder)
  )

export const endMove = (db: Statements) => db.all("UPDATE folder_move SET finished_at = store_now()")

/** How far a table has come: the last key that was moved, in JSON. */
export const progressOf = (db: Statements, name: string) =>
  Effect.map(db.get("SELECT rows, last_key FROM folder_move_tables WHERE name = $1", textValue(name)), (row) => ({
    rows: row === undefined ? 0 : number(row, "rows"),
    lastKey: row === undefined ? undefined : optionalText(row, "last_key")
  }))

export const saveProgress = (db: Statements, name: string, rows: number, lastKey: string) =>
  db.all(
    `INSERT INTO folder_move_tables (name, rows, last_key) VALUES ($1, $2, $3)
      ON CONFLICT (name) DO UPDATE SET rows = excluded.rows, last_key = excluded.last_key`,
    textValue(name),
    int8(rows),
    textValue(lastKey)
  )
