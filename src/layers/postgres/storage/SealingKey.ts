import { Effect } from "effect"
import type { StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import type { KeyRecord } from "../../KeyRecord.ts"
import { int8, text } from "../database/Parameters.ts"
import { PostgresDatabase } from "../database/PostgresDatabase.ts"
import { optionalText } from "../documents/rows.ts"

const knownSql = "SELECT check_value FROM sealing_key"
const enterSql = `
  INSERT INTO sealing_key (place, check_value) VALUES ($1, $2)
  ON CONFLICT (place) DO UPDATE SET check_value = sealing_key.check_value RETURNING check_value`
const replaceSql = `
  INSERT INTO sealing_key (place, check_value) VALUES ($1, $2)
  ON CONFLICT (place) DO UPDATE SET check_value = excluded.check_value RETURNING check_value`
const sampleSql = `
  (SELECT sealed_password AS sealed FROM documents WHERE sealed_password IS NOT NULL ORDER BY seq DESC LIMIT 1)
  UNION ALL (SELECT secret FROM webhooks LIMIT 1) LIMIT 1`

/** The check value of the key, in the database that was sealed with it. */
export const keyRecord = Effect.map(PostgresDatabase, ({ run }): KeyRecord<StoreUnavailable> => ({
  known: Effect.map(
    run("read the check value of the key", (db) => db.get(knownSql)),
    (row = {}) => optionalText(row, "check_value")
  ),
  enter: (check) =>
    Effect.map(
      run("enter the check value of the key", (db) => db.get(enterSql, int8(1), text(check))),
      (row = {}) => optionalText(row, "check_value") ?? check
    ),
  sample: Effect.map(
    run("look for something sealed", (db) => db.get(sampleSql)),
    (row = {}) => optionalText(row, "sealed")
  )
}))

/** A record that takes any key, for an operator who has lost the one before. */
export const replacingRecord = Effect.map(PostgresDatabase, ({ run }): KeyRecord<StoreUnavailable> => ({
  known: Effect.succeed(undefined),
  enter: (check) =>
    Effect.as(
      run("enter the check value of the key", (db) => db.get(replaceSql, int8(1), text(check))),
      check
    ),
  sample: Effect.succeed(undefined)
}))
