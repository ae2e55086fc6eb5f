// Everything that a run needs: a database with its record, a place for originals, and runners that use them.
import { Effect } from "effect"
import { existsSync, mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openOriginals } from "./originals.ts"
import { openDatabase } from "./postgres.ts"
import { openRecord } from "./record.ts"
import { makeRunners } from "./runners.ts"

export interface SceneOptions {
  readonly runners: number
  /** Whether runners know of each other (`CLUSTER=on`), or find each other's documents by their leases only. */
  readonly isCluster: boolean
  /** In an S3 server, or in the folder that all runners share. */
  readonly originals: "s3" | "folder"
  /** The database; one of the run's own if there is none. */
  readonly databaseUrl?: string | undefined
  /** What every runner is started with besides. */
  readonly env?: Readonly<Record<string, string>>
}

const token = "a token of runners that only this run knows"

/** All runners are up, and the record is kept. Everything ends with the scope. */
export const openScene = Effect.fnUntraced(function* (options: SceneOptions) {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-chaos-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
  const [database, originals] = yield* Effect.all(
    [openDatabase(options.databaseUrl), options.originals === "s3" ? openOriginals : Effect.succeed(undefined)],
    { concurrency: "unbounded" }
  )
  const data = join(directory, "data")
  const runners = yield* makeRunners({
    count: options.runners,
    directory: () => data,
    env: (name, peerPort) => ({
      DATABASE_URL: database.urlFor(name),
      PAGE_WORKERS: "1",
      ...(options.isCluster
        ? { CLUSTER: "on", CLUSTER_HOST: "127.0.0.1", CLUSTER_PORT: String(peerPort), CLUSTER_TOKEN: token }
        : {}),
      ...originals?.env,
      ...options.env
    })
  })
  // The first one makes the tables.
  const [first, ...others] = runners.all
  yield* first?.start ?? Effect.void
  const record = yield* openRecord(database.urlFor("audit"))
  yield* record.install
  yield* Effect.forEach(others, (runner) => runner.start, { concurrency: "unbounded", discard: true })
  return {
    database,
    originals,
    record,
    runners,
    hasOriginal: (hash: string) =>
      originals === undefined
        ? Effect.sync(() => existsSync(join(data, "blobs", hash.slice(0, 2), hash)))
        : originals.has(hash)
  }
})
export type Scene = Effect.Success<ReturnType<typeof openScene>>
