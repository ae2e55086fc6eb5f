import { statSync } from "node:fs"
import { ByteSize, Config, Schema } from "effect"
import { byteSize, count } from "../../services/config/ConfigValues.ts"
import { defaultConnections } from "../postgres/database/PoolSize.ts"
import { defaultOptions, leastMemoryBytes } from "../pdf/PdfEngine.ts"
import { sandboxModes } from "../pdf/pool/Sandbox.ts"

/** Where the embedded store and the blobs live, and from which folder paths may be ingested. */
export const StorageConfig = Config.all({
  directory: Config.NonEmptyString("DATA_DIR").pipe(Config.withDefault("./data")),
  inbox: Config.schema(
    Schema.String.check(
      Schema.makeFilter(
        (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() || "an existing folder"
      )
    ),
    "INBOX_DIR"
  ).pipe(Config.withDefault(undefined))
})

/** The Postgres database that holds the documents; in `DATA_DIR` when none is named. The URL may hold a password. */
export const DatabaseConfig = Config.all({
  url: Config.Redacted("DATABASE_URL").pipe(Config.withDefault(undefined)),
  connections: Config.schema(
    Schema.Int.check(Schema.isBetween({ minimum: 4, maximum: 1_000 })),
    "DATABASE_CONNECTIONS"
  ).pipe(Config.withDefault(defaultConnections))
})

/** How many processes read PDFs, how much memory the operating system lets each of them have, and what walls they work behind. */
export const WorkersConfig = Config.all({
  workers: count("PAGE_WORKERS", 256).pipe(Config.withDefault(defaultOptions.workers)),
  memory: byteSize("PAGE_WORKER_MEMORY", ByteSize.bytes(leastMemoryBytes)).pipe(
    Config.withDefault(ByteSize.bytes(defaultOptions.memoryBytes))
  ),
  sandbox: Config.Literals(sandboxModes, "SANDBOX").pipe(Config.withDefault(defaultOptions.sandbox)),
  /** Whether pages are read with their layouts, which Markdown, HTML and boxes of words are made of. */
  layout: Config.Literals(["on", "off"], "PAGE_LAYOUT").pipe(Config.withDefault("on"))
})
