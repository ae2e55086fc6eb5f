import { Effect } from "effect"
import { StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import type { SqliteDatabase, Statements } from "./SqliteDatabase.ts"

/** Asks a question of the database in one turn of its connection. */
export type Read = <A>(operation: string, question: (db: Statements) => A) => Effect.Effect<A, StoreUnavailable>

export const makeRead =
  (database: SqliteDatabase["Service"]): Read =>
  (operation, question) =>
    Effect.mapError(database.use(operation, question), (cause) => new StoreUnavailable({ operation, cause }))
