/** Copies rows in portions. Each portion and how far it has come are one transaction, so a copy that broke off goes on after it. */
import { Effect, Schema } from "effect"
import { PostgresDatabase } from "../postgres/database/PostgresDatabase.ts"
import { progressOf, saveProgress } from "../postgres/storage/FolderMove.ts"
import { insertOf, parametersOf, type Row, RowDigest, selectTarget, valuesOf } from "./Columns.ts"
import { MoveRefused } from "./MoveRefused.ts"
import { type Key, readPortion } from "./Source.ts"
import type { Table } from "./Tables.ts"

const decodeKey = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Array(Schema.Union([Schema.String, Schema.Finite])))
)

/** Answers how many rows there are now. */
export const copyTable = Effect.fnUntraced(function* (table: Table) {
  const { run, transact } = yield* PostgresDatabase
  const before = yield* run("see how far a table has come", (db) => progressOf(db, table.name))
  let after: Key | undefined = before.lastKey === undefined ? undefined : yield* decodeKey(before.lastKey)
  let rows = before.rows
  for (;;) {
    const portion = yield* readPortion(table, after)
    if (portion === undefined) return rows
    rows += portion.rows.length
    after = portion.key
    yield* transact(`move rows of ${table.name}`, (db) =>
      Effect.andThen(
        db.all(insertOf(table), ...parametersOf(table, portion.rows)),
        saveProgress(db, table.name, rows, JSON.stringify(portion.key))
      )
    )
  }
})

/** Reads all rows of both databases again, and compares them. Answers how many there are, and their digest. */
export const compareTable = Effect.fnUntraced(function* (table: Table) {
  const { run } = yield* PostgresDatabase
  const [source, target] = [new RowDigest(), new RowDigest()]
  let after: Key | undefined
  for (;;) {
    const portion = yield* readPortion(table, after)
    if (portion === undefined) break
    for (const values of portion.rows) source.add(values)
    const keys = [...portion.key, ...(after ?? [])]
    const rows: ReadonlyArray<Row> = yield* run(`read rows of ${table.name}`, (db) =>
      db.all(selectTarget(table, after !== undefined), ...keys)
    )
    for (const row of rows) target.add(valuesOf(table, row))
    after = portion.key
  }
  const count = yield* run(`count rows of ${table.name}`, (db) =>
    Effect.map(db.get(`SELECT count(*) AS rows FROM ${table.name}`), (row = {}) => Number(row["rows"]))
  )
  const digest = source.hex
  if (count !== source.rows || target.hex !== digest) {
    return yield* new MoveRefused({
      detail:
        `table ${table.name} has ${count} rows in Postgres and ${source.rows} in the folder, or their contents differ: something else has ` +
        "written to one of them meanwhile. Begin anew with an empty database; the folder is as it was"
    })
  }
  return { name: table.name, rows: count, digest }
})
