import { Console, Effect, Option, type Redacted, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { DatabaseConfig, StorageConfig } from "../../layers/config/Config.ts"
import { SecretKeyConfig } from "../../layers/config/SecretKeyConfig.ts"
import { reported, WrongUsage } from "../CommandFailure.ts"
import { Json, show } from "../Json.ts"

// Loaded on demand, so that other commands start fast.
const move = Effect.promise(() => import("../../layers/move/MoveFolder.ts"))
const plan = Effect.promise(() => import("../../layers/move/PlanMove.ts"))
const places = Effect.promise(() => import("../../layers/move/Places.ts"))

const Plan = Schema.Struct({
  database: Schema.String,
  tables: Schema.Array(Schema.Struct({ name: Schema.String, rows: Schema.Natural })),
  running: Schema.Natural,
  originals: Schema.Struct({ place: Schema.String, store: Schema.Natural, keep: Schema.Natural })
})

const Moved = Schema.Struct({
  state: Schema.Literals(["moved", "moved before"]),
  tables: Schema.Array(Schema.Struct({ name: Schema.String, rows: Schema.Natural, digest: Schema.String })),
  originals: Schema.optionalKey(
    Schema.Struct({
      place: Schema.String,
      stored: Schema.Natural,
      kept: Schema.Natural,
      missing: Schema.Natural,
      damaged: Schema.Natural
    })
  ),
  key: Schema.optionalKey(Schema.String)
})

const linesOfPlan = ({ database, originals, running, tables }: typeof Plan.Type) => [
  `${database} would get:`,
  ...tables.map(({ name, rows }) => `  ${String(rows).padStart(10)}  ${name}`),
  `${originals.store} originals would be stored in ${originals.place}, and ${originals.keep} would stay there`,
  ...(running === 0 ? [] : [`${running} documents that were running would go back to their queues`]),
  "Nothing was changed."
]

const linesOfMoved = (directory: string, moved: typeof Moved.Type) => {
  if (moved.originals === undefined) return [`the documents of ${directory} were moved before; nothing is left to do`]
  const { damaged, kept, missing, place, stored } = moved.originals
  return [
    ...moved.tables.map(({ digest, name, rows }) => `${String(rows).padStart(10)}  ${name}  ${digest.slice(0, 16)}`),
    `originals in ${place}: ${stored} were stored there, ${kept} have stayed there`,
    ...(missing + damaged === 0
      ? []
      : [
          `${missing} originals are missing and ${damaged} damaged, as before: what still needs them ends as BLOB_LOST`
        ]),
    `the key that opens passwords is still ${moved.key ?? ""}: give it to every server (SECRET_KEY_FILE)`,
    `start servers with DATABASE_URL${place.startsWith("/") ? "" : ` and BLOBS=${place}`}; none starts on sluice.db in ${directory} any more`
  ]
}

const withConfig = Effect.fnUntraced(function* (to: Option.Option<Redacted.Redacted>, blobs: string | undefined) {
  const { directory } = yield* StorageConfig
  const { url: named } = yield* DatabaseConfig
  const url = Option.getOrElse(to, () => named)
  if (url === undefined) return yield* new WrongUsage({ message: "--to has to name the Postgres database" })
  const givenKey = yield* SecretKeyConfig
  return { directory, url, givenKey, ...(yield* (yield* places).placesOf(directory, blobs)) }
})

export const migrate = Command.make(
  "migrate",
  {
    to: Flag.Redacted("to").pipe(
      Flag.withDescription(
        "The empty Postgres database, postgres://user:password@host:5432/database; else DATABASE_URL"
      ),
      Flag.optional
    ),
    blobs: Flag.String("blobs").pipe(
      Flag.withDescription(
        "Where originals are to be: s3://bucket/prefix or an absolute path; where they are if absent"
      ),
      Flag.optional
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Say what would be moved, and change nothing"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ blobs, dryRun, to }) {
    const options = yield* withConfig(to, Option.getOrUndefined(blobs))
    if (dryRun) return yield* show(Plan, yield* (yield* plan).planMove(options), linesOfPlan)
    const json = yield* Json
    const tell = (line: string) => (json ? Effect.void : Console.error(line))
    const moved = yield* (yield* move).moveFolder({ ...options, tell })
    const report: typeof Moved.Type =
      moved === undefined
        ? { state: "moved before", tables: [] }
        : {
            state: "moved",
            tables: moved.tables,
            originals: { place: options.target.text, ...moved.originals },
            key: moved.key
          }
    yield* show(Moved, report, (value) => linesOfMoved(options.directory, value))
  }, reported)
).pipe(
  Command.withDescription(
    "Moves the documents, results, keys, limits and webhooks of DATA_DIR into an empty Postgres database. Stop the server first. It may be broken off, and goes on when it is run again; at the end everything is compared. See docs/postgres.md."
  ),
  Command.withExamples([
    { command: "DATA_DIR=/var/lib/sluice sluice migrate --to postgres://sluice@db/sluice --dry-run" },
    { command: "DATABASE_URL=postgres://… sluice migrate --blobs s3://originals/sluice" }
  ])
)
