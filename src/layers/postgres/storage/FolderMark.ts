/** The file in a data folder that names the Postgres database of its originals. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { DataDirectoryUnusable } from "../../folder/DataDirectory.ts"

export const markName = "postgres.json"

const detail = "it holds the originals of documents in Postgres; set DATABASE_URL, or use another folder"

/** For a server without `DATABASE_URL`, which would not find the documents of these originals. */
export const refuseFolderOfPostgres = (directory: string): Effect.Effect<void, DataDirectoryUnusable> =>
  Effect.suspend(() =>
    existsSync(join(directory, markName)) ? Effect.fail(new DataDirectoryUnusable({ directory, detail })) : Effect.void
  )
