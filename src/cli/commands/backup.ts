import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { BlobsConfig } from "../../layers/blobs/s3/BlobsConfig.ts"
import { DatabaseConfig, StorageConfig } from "../../layers/config/Config.ts"
import { SecretKeyConfig } from "../../layers/config/SecretKeyConfig.ts"
import { placeText } from "../../layers/s3/S3Settings.ts"
import { CommandFailed, reported, WrongUsage } from "../CommandFailure.ts"
import { sizeOf } from "../doctor/Size.ts"
import { show } from "../Json.ts"

const Report = Schema.Struct({
  to: Schema.String,
  documents: Schema.Natural,
  databaseBytes: Schema.Natural,
  originals: Schema.Struct({
    copied: Schema.Natural,
    present: Schema.Natural,
    removed: Schema.Natural,
    missing: Schema.Natural,
    damaged: Schema.Natural
  }),
  /** What a restored server needs that is not in the backup. */
  elsewhere: Schema.Array(Schema.String)
})

const lines = ({ databaseBytes, documents, elsewhere, originals, to }: typeof Report.Type) => [
  `${to} has ${documents} documents (${sizeOf(databaseBytes)} of database)`,
  `originals in files: ${originals.copied} copied, ${originals.present} there from before` +
    (originals.removed === 0 ? "" : `, ${originals.removed} removed with their documents meanwhile`),
  ...(originals.missing + originals.damaged === 0
    ? []
    : [`NOT in the backup: ${originals.missing} originals that are missing and ${originals.damaged} that are damaged`]),
  ...elsewhere.map((what) => `not in the backup, because it is kept elsewhere: ${what}`),
  `to restore, start a server on a copy of it: DATA_DIR=… sluice serve`
]

const onPostgres =
  "with DATABASE_URL there is no folder to copy: back up the database (pg_dump, or a base backup with its log), then the originals; see docs/backup.md"

export const backup = Command.make(
  "backup",
  {
    to: Flag.String("to").pipe(
      Flag.withDescription("A new folder, or one with an earlier backup, of which only what is new is copied")
    )
  },
  Effect.fnUntraced(function* ({ to }) {
    const { directory } = yield* StorageConfig
    const { url } = yield* DatabaseConfig
    if (url !== undefined) return yield* new WrongUsage({ message: onPostgres })
    const given = yield* SecretKeyConfig
    const blobs = yield* BlobsConfig
    const bucket = blobs?._tag === "Bucket" ? placeText(blobs.place) : undefined
    const { backUp } = yield* Effect.promise(() => import("../../layers/folder/Backup.ts"))
    const done = yield* backUp({
      directory,
      to,
      originals: bucket === undefined ? (blobs?._tag === "Folder" ? blobs.folder : directory) : undefined,
      withKey: given === undefined
    })
    const elsewhere = [
      ...(bucket === undefined ? [] : [`originals of more than 64 KiB, in ${bucket}`]),
      ...(given === undefined ? [] : [`the key, ${given.place}`])
    ]
    yield* show(Report, { to, ...done, elsewhere }, lines)
    if (done.originals.missing + done.originals.damaged > 0) return yield* new CommandFailed()
  }, reported)
).pipe(
  Command.withDescription(
    "Copies the data folder while a server may work in it: the database as it is at one moment, then the originals that it refers to, and the key. The copy is a data folder. Exit code 1 if an original is missing or damaged. See docs/backup.md."
  ),
  Command.withExamples([{ command: "DATA_DIR=/var/lib/sluice sluice backup --to /mnt/backup/sluice" }])
)
