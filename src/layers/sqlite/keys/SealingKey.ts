import { Effect } from "effect"
import { StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import type { KeyRecord } from "../../KeyRecord.ts"
import { SqliteDatabase, type Statements } from "../database/SqliteDatabase.ts"

/** A step of `database/Migrations.ts`. */
export const sealingKey = [
  `CREATE TABLE sealing_key (only INTEGER PRIMARY KEY CHECK (only = 1), check_value TEXT NOT NULL) STRICT`
]

const read = (db: Statements): string | undefined => {
  const value = db.get("SELECT check_value FROM sealing_key")?.["check_value"]
  return typeof value === "string" ? value : undefined
}

/** On a database whose tables are up to date. A full disk is no reason not to start: the value is entered another time. */
export const keyRecord = Effect.map(SqliteDatabase, (database): KeyRecord<StoreUnavailable> => ({
  known: database
    .use("read the check value of the key", read)
    .pipe(Effect.mapError((cause) => new StoreUnavailable({ operation: "read the check value of the key", cause }))),
  enter: (check) =>
    database
      .use("enter the check value of the key", (db) => {
        db.run("INSERT OR IGNORE INTO sealing_key (only, check_value) VALUES (1, ?)", check)
        return read(db) ?? check
      })
      .pipe(
        Effect.catch((error) =>
          Effect.as(Effect.logWarning("the check value of the key cannot be entered", error), check)
        )
      ),
  // Folders of earlier releases go on as they are.
  sample: Effect.succeed(undefined)
}))

/** The next key that comes is entered. */
export const forgetKey = (db: Statements): void => void db.run("DELETE FROM sealing_key")
