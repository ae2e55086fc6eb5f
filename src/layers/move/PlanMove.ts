/** What a move would do. Changes neither the folder nor the database. */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Effect, type Redacted } from "effect"
import * as Connection from "../postgres/database/Connection.ts"
import { DataDirectoryUnusable, isHeldDirectory, rootCause } from "../folder/DataDirectory.ts"
import { databasePath, examineFolder, hasTable, usedBlobs } from "../folder/FolderCheck.ts"
import { moveStateOf } from "../postgres/storage/FolderMark.ts"
import { MoveRefused } from "./MoveRefused.ts"
import type { Place } from "./Places.ts"

const counted = [
  "api_keys",
  "tenant_limits",
  "webhooks",
  "idempotency_keys",
  "usage",
  "documents",
  "document_details",
  "pages",
  "artifacts",
  "page_faults",
  "deliveries"
]

const numberOf = (database: DatabaseSync, sql: string) => Number(database.prepare(sql).get()?.["n"] ?? 0)

/** A folder of an earlier release has not all tables yet. */
const count = (directory: string) =>
  Effect.try({
    try: () => {
      const database = new DatabaseSync(databasePath(directory), { readOnly: true, timeout: 5000 })
      const rows = counted.map((name) => ({
        name,
        rows: hasTable(database, name) ? numberOf(database, `SELECT count(*) AS n FROM ${name}`) : 0
      }))
      const running = numberOf(database, "SELECT count(*) AS n FROM documents WHERE status = 'running'")
      const used = usedBlobs(database)
      const originals = numberOf(database, `SELECT count(DISTINCT blob) AS n FROM (${used})`)
      const small = hasTable(database, "blobs")
        ? numberOf(database, `SELECT count(*) AS n FROM blobs b WHERE hash IN (${used})`)
        : 0
      database.close()
      return { tables: rows, running, originals: { all: originals, inDatabase: small } }
    },
    catch: (cause) => new DataDirectoryUnusable({ directory, detail: `sluice.db cannot be read (${rootCause(cause)})` })
  })

export const planMove = Effect.fnUntraced(function* (options: {
  readonly directory: string
  readonly url: Redacted.Redacted
  readonly source: Place
  readonly target: Place
}) {
  const { directory, source, target, url } = options
  if (moveStateOf(directory) === "finished")
    return yield* new MoveRefused({ detail: `the documents of ${resolve(directory)} were moved already` })
  if (yield* isHeldDirectory(resolve(directory)))
    return yield* new DataDirectoryUnusable({ directory, detail: "another Sluice works in it; stop that one first" })
  if (!existsSync(databasePath(directory)))
    return yield* new DataDirectoryUnusable({ directory, detail: "there is no sluice.db in it" })
  const { mismatch } = yield* examineFolder(directory)
  if (mismatch !== undefined) return yield* new DataDirectoryUnusable({ directory, detail: mismatch })
  const facts = yield* Connection.examine({ url, name: "sluice migrate" })
  const counts = yield* count(directory)
  const { all, inDatabase } = counts.originals
  return {
    database: `Postgres ${facts.release}, schema ${facts.schema}`,
    tables: counts.tables,
    running: counts.running,
    originals: {
      place: target.text,
      store: source.text === target.text ? inDatabase : all,
      keep: source.text === target.text ? all - inDatabase : 0
    }
  }
})
