/** A process that works alone, over a database whose tenants are shared out among runners, would take documents from them. */
import { Effect } from "effect"
import { DatabaseUnusable } from "../database/Check.ts"
import { PostgresDatabase } from "../database/PostgresDatabase.ts"

const membersSql = `
  SELECT to_regclass(CASE WHEN current_schema() = 'public' THEN 'sluice_members' ELSE 'sluice_' || current_schema() || '_members' END)::text
    AS members`
const aliveSql = (table: string) => `SELECT name FROM ${table} WHERE seen_at > now() - interval '6 seconds' LIMIT 1`

export const refuseBesideCluster = Effect.gen(function* () {
  const { run } = yield* PostgresDatabase
  const name = yield* run("look for a cluster", (db) =>
    Effect.gen(function* () {
      const table = (yield* db.get(membersSql))?.["members"]
      return typeof table === "string" ? (yield* db.get(aliveSql(table)))?.["name"] : undefined
    })
  )
  if (typeof name === "string") {
    return yield* new DatabaseUnusable({
      detail: `the runner ${name} shares its tenants with others; set CLUSTER=on here, too, or stop all runners first`
    })
  }
})
