/** Files in a data folder that say that its documents are in Postgres, or on their way there. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Option, Result, Schema } from "effect"
import { fileMode, syncDirectory } from "../../blobs/Files.ts"
import { DataDirectoryUnusable } from "../../folder/DataDirectory.ts"

/** Names the Postgres database of the folder's originals. */
export const markName = "postgres.json"

/** Says how far a move of the folder's documents into Postgres has come. */
export const moveMarkName = "migration.json"

const MoveMark = Schema.fromJsonString(Schema.Struct({ state: Schema.Literals(["begun", "finished"]) }))
export type MoveState = "begun" | "finished"

/** An unreadable mark counts as begun. */
export const moveStateOf = (directory: string): MoveState | undefined => {
  const path = join(directory, moveMarkName)
  if (!existsSync(path)) return undefined
  const read = Result.try(() => Option.getOrUndefined(Schema.decodeUnknownOption(MoveMark)(readFileSync(path, "utf8"))))
  return Result.isSuccess(read) ? (read.success?.state ?? "begun") : "begun"
}

/** Durable when it succeeds. */
export const writeMoveState = (directory: string, state: MoveState) =>
  Effect.try({
    try: () =>
      writeFileSync(join(directory, moveMarkName), `${JSON.stringify({ state })}\n`, { mode: fileMode, flush: true }),
    catch: (cause) => new DataDirectoryUnusable({ directory, detail: `it cannot be written (${String(cause)})` })
  }).pipe(Effect.andThen(Effect.ignore(syncDirectory(directory))))

/** What a moved database and moved originals are called from then on. */
export const movedName = (name: string) => `${name}.migrated`

const refusal = (directory: string): string | undefined => {
  const state = moveStateOf(directory)
  if (state === "begun")
    return (
      "its documents are being moved into Postgres, and that has not ended; run `sluice migrate` again. To give that up instead, " +
      `remove ${moveMarkName}; what was moved so far has to be removed from the database, too`
    )
  if (state === "finished")
    return (
      "its documents were moved into Postgres; set DATABASE_URL, or use another folder. To go back to what they were then, rename " +
      `${movedName("sluice.db")} to sluice.db and ${movedName("blobs")}, if it is there, to blobs, and remove ${moveMarkName} and ${markName}`
    )
  return existsSync(join(directory, markName))
    ? "it holds the originals of documents in Postgres; set DATABASE_URL, or use another folder"
    : undefined
}

/** For a server without `DATABASE_URL`, which would not find the documents, or would change what has been moved already. */
export const refuseFolderOfPostgres = (directory: string): Effect.Effect<void, DataDirectoryUnusable> =>
  Effect.suspend(() => {
    const detail = refusal(directory)
    return detail === undefined ? Effect.void : Effect.fail(new DataDirectoryUnusable({ directory, detail }))
  })
