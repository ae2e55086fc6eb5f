/** The state of a move of a data folder into this database (`sluice migrate`). */
import { Effect } from "effect"
import { DatabaseUnusable } from "../database/Check.ts"
import { PostgresDatabase } from "../database/PostgresDatabase.ts"
import { text } from "../documents/rows.ts"

const unfinishedSql = "SELECT folder FROM folder_move WHERE finished_at IS NULL"

/** A server on half of the documents would take them for all. */
export const refuseUnfinishedMove = Effect.gen(function* () {
  const { run } = yield* PostgresDatabase
  const row = yield* run("look for a move of a data folder", (db) => db.get(unfinishedSql))
  if (row !== undefined)
    return yield* new DatabaseUnusable({
      detail: `the documents of ${text(row, "folder")} are being moved into it, and that has not ended; run \`sluice migrate\` again`
    })
})
