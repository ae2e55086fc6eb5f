/** The shape of the database, step by step. A step that has been released is never edited; a change is a new step. */
import { Effect } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import { acceptance } from "../schema/acceptance.ts"
import { artifacts } from "../schema/artifacts.ts"
import { callbacks, claimCallbacks } from "../schema/callbacks.ts"
import { clockAndChanges } from "../schema/changes.ts"
import { counters } from "../schema/counters.ts"
import { operations } from "../schema/operations.ts"
import { runs } from "../schema/runs.ts"
import { smallBlobs } from "../schema/smallBlobs.ts"
import { tables } from "../schema/tables.ts"
import { usage } from "../schema/usage.ts"

const steps = (statements: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* Effect.forEach(statements, (statement) => sql.unsafe(statement).unprepared, { discard: true })
  })

const all = {
  "0001_store": steps([...tables, ...counters, ...clockAndChanges, ...acceptance, ...runs, ...callbacks]),
  "0002_operations": steps(operations),
  "0003_small_blobs": steps(smallBlobs),
  "0004_usage": steps(usage),
  // Databases of before have a claim that does not look whether a callback was settled meanwhile.
  "0005_claim_callbacks": steps([claimCallbacks]),
  "0006_artifacts": steps(artifacts)
}

/** The names of all steps in their order; the first has number 1. */
export const stepNames: ReadonlyArray<string> = Object.keys(all).map((name) => name.replace(/^\d+_/, ""))

/** The table in which applied steps are recorded. */
export const table = "sluice_migrations"

export const migrate = Migrator.make({})({ table, loader: Migrator.fromRecord(all) })
