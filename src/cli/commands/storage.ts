import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { DatabaseConfig, StorageConfig } from "../../layers/config/Config.ts"
import { sizeOf } from "../doctor/Size.ts"
import { reported, WrongUsage } from "../CommandFailure.ts"
import { show } from "../Json.ts"

// Loaded on demand, so that other commands start fast.
const care = Effect.promise(() => import("../../layers/folder/FolderCare.ts"))

const postgres = Effect.promise(() => import("../../layers/postgres/PostgresStorage.ts"))

const AdoptedDatabase = Schema.Struct({ originals: Schema.String, key: Schema.String })

const Adopted = Schema.Struct({ known: Schema.Natural, unknown: Schema.Natural })

const adopt = Command.make(
  "adopt",
  {},
  Effect.fnUntraced(function* () {
    const { directory } = yield* StorageConfig
    const { connections, url } = yield* DatabaseConfig
    if (url !== undefined) {
      const adopted = yield* (yield* postgres).adopt({ url, connections })
      return yield* show(AdoptedDatabase, adopted, ({ key, originals }) => [
        `the database's originals are in ${originals} from now on, and its secrets are sealed with ${key}`
      ])
    }
    const adopted = yield* (yield* care).adoptFolder(directory)
    yield* show(Adopted, adopted, ({ known, unknown }) => [
      `${directory} is adopted: ${known} originals in files have a document, ${unknown} have none and are kept`
    ])
  }, reported)
).pipe(Command.withShortDescription("Let a server start with the present database and originals; removes nothing"))

const Discarded = Schema.Struct({ removed: Schema.Natural, bytes: Schema.Natural })

const discard = Command.make(
  "discard",
  { yes: Flag.Boolean("yes").pipe(Flag.withDescription("Remove them; there is no way back"), Flag.withDefault(false)) },
  Effect.fnUntraced(function* ({ yes }) {
    if (!yes)
      return yield* new WrongUsage({ message: "originals that no document refers to are removed for good; add --yes" })
    const { directory } = yield* StorageConfig
    const { url } = yield* DatabaseConfig
    if (url !== undefined)
      return yield* new WrongUsage({
        message:
          "with DATABASE_URL the servers remove originals that no document refers to, an hour after they were put; those that " +
          "this database has not stored itself stay, and are yours to remove"
      })
    const discarded = yield* (yield* care).discardUnknown(directory)
    yield* show(Discarded, discarded, ({ bytes, removed }) => [
      `${removed} originals without a document are removed from ${directory} (${sizeOf(bytes)})`
    ])
  }, reported)
).pipe(Command.withShortDescription("The same, and remove the originals that no document refers to"))

export const storage = Command.make("storage").pipe(
  Command.withDescription(
    "Works on the folder of DATA_DIR, in which no server may run meanwhile, or on the database of DATABASE_URL. A server refuses to start when sluice.db is missing, older than the originals beside it, or another folder's; or when the database of DATABASE_URL had its originals elsewhere, or was sealed with another key. Putting the right ones back is best."
  ),
  Command.withSubcommands([adopt, discard]),
  Command.withExamples([
    { command: "DATA_DIR=/var/lib/sluice sluice storage adopt" },
    { command: "DATA_DIR=/var/lib/sluice sluice storage discard --yes" }
  ])
)
