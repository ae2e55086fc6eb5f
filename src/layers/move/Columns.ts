/** Values of either database in one form, so that they can be sent and compared. */
import { createHash, type Hash } from "node:crypto"
import * as PgTypes from "@effect/sql-pg/PgTypes"
import { Result } from "effect"
import type { Column, ColumnType, Table } from "./Tables.ts"

export type Value = string | number | Uint8Array | null
export type Row = Readonly<Record<string, unknown>>

const sqlTypes: Record<ColumnType, string> = {
  int4: "int",
  int8: "bigint",
  float8: "double precision",
  text: "text",
  bytea: "bytea"
}

/** The value as Postgres keeps it: it has no place for a zero character in a text, nor for half of a pair. */
const valueOf = ({ name }: Column, row: Row): Value => {
  const value = row[name]
  if (value === null || value === undefined) return null
  if (typeof value === "string") return value.replaceAll("\0", "\uFFFD").toWellFormed()
  if (typeof value === "number" || value instanceof Uint8Array) return value
  throw new TypeError(`column ${name} holds what is neither text, number nor bytes`)
}

export const valuesOf = (table: Table, row: Row): ReadonlyArray<Value> =>
  table.columns.map((column) => valueOf(column, row))

/** Bytes, roughly: what bounds a batch. */
export const sizeOf = (values: ReadonlyArray<Value>): number =>
  values.reduce<number>(
    (sum, value) => sum + (typeof value === "string" || value instanceof Uint8Array ? value.length : 8),
    0
  )

const parameter = (type: ColumnType, values: ReadonlyArray<Value>) =>
  Result.getOrThrow(
    PgTypes.array(
      type === "int8" ? values.map((value) => (typeof value === "number" ? BigInt(value) : value)) : values,
      PgTypes.OID[type]
    )
  )

/** One array for each column. */
export const parametersOf = (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>) =>
  table.columns.map(({ type }, index) =>
    parameter(
      type,
      rows.map((values) => values[index] ?? null)
    )
  )

export const insertOf = ({ columns, name }: Table): string => `
  INSERT INTO ${name} (${columns.map((column) => column.name).join(", ")}) OVERRIDING SYSTEM VALUE
  SELECT * FROM unnest(${columns.map(({ type }, index) => `$${index + 1}::${sqlTypes[type]}[]`).join(", ")})`

const keyOf = ({ columns, key }: Table) => columns.slice(0, key)

/** Rows after a key, in the order of the key; from the first one without `after`. In SQLite. */
export const selectSource = (table: Table, after: boolean): string => {
  const key = keyOf(table).map(({ from }) => from)
  const selected = table.columns.map(({ from, name }) => `${from} AS ${name}`).join(", ")
  const condition = after ? `WHERE (${key.join(", ")}) > (${key.map(() => "?").join(", ")})` : ""
  return `SELECT ${selected} FROM ${table.from} ${condition} ORDER BY ${key.join(", ")}`
}

/** Rows with keys after the first and up to the last of these, in the order of the key. In Postgres. */
export const selectTarget = (table: Table, after: boolean): string => {
  const key = keyOf(table)
  const names = key.map(({ name }) => name).join(", ")
  const places = (first: number) => key.map(({ type }, index) => `$${first + index}::${sqlTypes[type]}`).join(", ")
  const conditions = [`(${names}) <= (${places(1)})`, ...(after ? [`(${names}) > (${places(1 + key.length)})`] : [])]
  return `SELECT ${table.columns.map(({ name }) => name).join(", ")} FROM ${table.name} WHERE ${conditions.join(" AND ")} ORDER BY ${names}`
}

/** A digest of rows in their order, whichever database they are from. */
export class RowDigest {
  readonly #hash: Hash = createHash("sha256")
  rows = 0

  add(values: ReadonlyArray<Value>): void {
    this.rows++
    for (const value of values) {
      const bytes =
        value instanceof Uint8Array ? value : Buffer.from(value === null ? "" : `${typeof value} ${String(value)}`)
      this.#hash.update(`${value === null ? "-" : bytes.length} `)
      this.#hash.update(bytes)
    }
  }

  /** Ends it. */
  get hex(): string {
    return this.#hash.digest("hex")
  }
}
