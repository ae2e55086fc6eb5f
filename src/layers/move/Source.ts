/** Reads the tables of a data folder, portion by portion in the order of their keys. */
import { Effect } from "effect"
import type { SQLInputValue } from "node:sqlite"
import { rootCause } from "../folder/DataDirectory.ts"
import { SqliteDatabase } from "../sqlite/database/SqliteDatabase.ts"
import { type Row, selectSource, sizeOf, type Value, valuesOf } from "./Columns.ts"
import { MoveRefused } from "./MoveRefused.ts"
import type { Table } from "./Tables.ts"

export type Key = ReadonlyArray<string | number>

export interface Portion {
  readonly rows: ReadonlyArray<ReadonlyArray<Value>>
  /** Of the last row. */
  readonly key: Key
}

const mostRows = 500
const mostBytes = 4 * 1024 * 1024

const keyOf = (table: Table, values: ReadonlyArray<Value>): Key =>
  values.slice(0, table.key).map((value) => (typeof value === "number" || typeof value === "string" ? value : ""))

export const cannotRead = Effect.mapError(
  (cause: Error) => new MoveRefused({ detail: `the folder's database cannot be read: ${rootCause(cause)}` })
)

/** The rows after this key; undefined if there are none. */
export const readPortion = Effect.fnUntraced(function* (table: Table, after: Key | undefined) {
  const database = yield* SqliteDatabase
  return yield* database
    .use("read rows", (db): Portion | undefined => {
      const rows: Array<ReadonlyArray<Value>> = []
      let bytes = 0
      const keys: ReadonlyArray<SQLInputValue> = after ?? []
      for (const row of db.each(`${selectSource(table, after !== undefined)} LIMIT ${mostRows}`, ...keys)) {
        const values = valuesOf(table, row satisfies Row)
        rows.push(values)
        bytes += sizeOf(values)
        if (bytes > mostBytes) break
      }
      const last = rows.at(-1)
      return last === undefined ? undefined : { rows, key: keyOf(table, last) }
    })
    .pipe(cannotRead)
})
