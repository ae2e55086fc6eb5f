import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { tables } from "../../../src/layers/move/Tables.ts"
import { layerDatabase } from "../../../src/layers/sqlite/SqliteStore.ts"
import { migrate } from "../../../src/layers/sqlite/database/Migrations.ts"

/** What is not moved as a table of its own, and why. */
const notMoved: ReadonlyMap<string, string> = new Map([
  ["migrations", "the steps of this database"],
  ["sqlite_sequence", "SQLite's own"],
  ["tenant_stats", "counted anew, from the documents"],
  ["change_numbers", "the highest of the changes that come"],
  ["blobs", "originals are moved with those in files"],
  ["warnings", "columns of the documents and pages"],
  ["page_sources", "a column of the pages"],
  ["tenant_limit_versions", "moved with the limits"],
  ["data_folder", "the identity of a folder"],
  ["sealing_key", "the key comes with the server that starts on the database"],
  ["known_blobs", "written as originals are moved"],
  ["blob_references", "nothing is under way"],
  ["blob_removals", "nothing is under way"],
  ["idempotency_leases", "nothing is under way"]
])

it.effect("A data folder is moved whole: each of its tables is moved, or is known not to be", () =>
  Effect.gen(function* () {
    yield* migrate
    const sql = yield* SqlClient.SqlClient
    const found = yield* sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`
    const moved = new Set(tables.map(({ name }) => name))
    const left = found.map(({ name }) => name).filter((name) => !moved.has(name) && !notMoved.has(name))
    assert.deepStrictEqual(left, [])
  }).pipe(Effect.provide(layerDatabase({ filename: ":memory:" })))
)
