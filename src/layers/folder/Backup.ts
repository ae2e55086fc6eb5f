/**
 * Copies a data folder while a server may work in it (`sluice backup`).
 *
 * The database comes first, as one snapshot of it, and then the originals that the snapshot refers to. An original is never
 * changed, and it is there before its document is, so none of those that the snapshot refers to can be missing, except one whose
 * document was removed since. The other way round, a document that was accepted in between would come without its original.
 */
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  existsSync,
  open,
  readdirSync,
  renameSync,
  rmSync,
  statSync
} from "node:fs"
import { join, resolve } from "node:path"
import { backup, DatabaseSync } from "node:sqlite"
import { Context, Data, Effect, Layer, Stream } from "effect"
import { BlobHash } from "../../domain/Ids.ts"
import { BlobStore } from "../../services/BlobStore.ts"
import * as FileBlobStore from "../blobs/FileBlobStore.ts"
import { call, closeFile, fileMode, syncDirectory, syncFile } from "../blobs/Files.ts"
import { DataDirectoryUnusable, holdDataDirectory, makePrivate, rootCause } from "./DataDirectory.ts"
import { blobsIn, databasePath, examineFolder, usedBlobs } from "./FolderCheck.ts"
import { folderFormat, writeMark } from "./FolderMark.ts"

export interface BackupOptions {
  /** The data folder. */
  readonly directory: string
  readonly to: string
  /** The folder of the originals; undefined if they are in a bucket, which has to be kept by other means. */
  readonly originals: string | undefined
  /** Whether the key that seals passwords is copied, too. */
  readonly withKey: boolean
}

export interface BackedUp {
  readonly documents: number
  readonly databaseBytes: number
  readonly originals: {
    readonly copied: number
    /** From an earlier backup into the same folder. */
    readonly present: number
    /** Their documents were removed while the backup was made. */
    readonly removed: number
    /** Their documents are there, and they are not. */
    readonly missing: number
    /** Have other bytes than they were stored with, and were not copied. */
    readonly damaged: number
  }
}

const cannot = (directory: string, what: string) => (cause: unknown) =>
  new DataDirectoryUnusable({ directory, detail: `${what} (${rootCause(cause)})` })

/** As many pages in one step as there can be: a copy in several steps would begin anew whenever the server writes. */
const allPages = 2_147_483_647

const copyDatabase = (from: string, to: string) =>
  Effect.tryPromise({
    try: async () => {
      const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 })
      try {
        await backup(source, to, { rate: allPages })
      } finally {
        source.close()
      }
    },
    catch: cannot(to, "the database cannot be copied")
  })

const syncPath = (path: string) =>
  Effect.acquireUseRelease(
    call<number>((done) => open(path, "r+", fileMode, done)),
    syncFile,
    closeFile
  )

/** Checks the copy, and reads what belongs to it. */
const readCopy = (path: string) =>
  Effect.try({
    try: () => {
      const copy = new DatabaseSync(path)
      try {
        const check = copy.prepare("PRAGMA quick_check(1)").get()
        if (check?.["quick_check"] !== "ok") throw new Error(`the copy is damaged: ${JSON.stringify(check)}`)
        return {
          originals: copy
            .prepare(`SELECT blob FROM (${usedBlobs(copy)}) WHERE blob NOT IN (SELECT hash FROM blobs)`)
            .all()
            .map((row) => BlobHash.make(String(row["blob"]))),
          documents: Number(copy.prepare("SELECT count(*) AS n FROM documents").get()?.["n"])
        }
      } finally {
        copy.close()
      }
    },
    catch: cannot(path, "the copy of the database cannot be read")
  })

class OtherBytes extends Data.TaggedError("OtherBytes")<{}> {}

const pathIn = (folder: string, hash: BlobHash) => join(folder, "blobs", hash.slice(0, 2), hash)

const sizeAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.size

/** Whether a document of the server, or an artifact, refers to it now. */
const isReferred = (database: DatabaseSync, hash: BlobHash) =>
  database.prepare(`SELECT 1 FROM (${usedBlobs(database)}) WHERE blob = ? LIMIT 1`).get(hash) !== undefined

type Outcome = keyof BackedUp["originals"]

const copyOriginal = Effect.fnUntraced(function* (
  from: string,
  to: string,
  target: BlobStore["Service"],
  live: DatabaseSync,
  hash: BlobHash
) {
  const source = pathIn(from, hash)
  const size = sizeAt(source)
  if (size === undefined) return (isReferred(live, hash) ? "missing" : "removed") satisfies Outcome
  if (sizeAt(pathIn(to, hash)) === size) return "present" satisfies Outcome
  const bytes = Stream.fromAsyncIterable(createReadStream(source), cannot(from, "an original cannot be read"))
  return yield* target
    .put(bytes, Number.MAX_SAFE_INTEGER, {
      reserve: (found) => (found === hash ? Effect.void : Effect.fail(new OtherBytes()))
    })
    .pipe(
      Effect.map((): Outcome => "copied"),
      Effect.catchTag("OtherBytes", () => Effect.succeed<Outcome>("damaged"))
    )
})

const copyOriginals = Effect.fnUntraced(function* (
  { directory, originals, to }: BackupOptions,
  hashes: ReadonlyArray<BlobHash>
) {
  const counts: Record<Outcome, number> = { copied: 0, present: 0, removed: 0, missing: 0, damaged: 0 }
  if (originals === undefined) return counts
  const built = yield* Layer.build(FileBlobStore.layer({ directory: to }))
  const live = yield* Effect.acquireRelease(
    Effect.sync(() => new DatabaseSync(databasePath(directory), { readOnly: true, timeout: 5000 })),
    (database) => Effect.sync(() => database.close())
  )
  yield* Effect.forEach(
    hashes,
    (hash) =>
      Effect.map(copyOriginal(originals, to, Context.get(built, BlobStore), live, hash), (outcome) => {
        counts[outcome]++
      }),
    { concurrency: 4, discard: true }
  )
  return counts
})

/** Only an empty folder, or an earlier backup of the same database, is written to. */
const refuseForeign = Effect.fnUntraced(function* (to: string, identity: string | undefined) {
  if (!existsSync(to) || readdirSync(to).every((name) => name === "lock")) return
  const earlier = existsSync(databasePath(to)) ? yield* examineFolder(to) : undefined
  if (earlier?.identity !== undefined && earlier.identity.id === identity) return
  if (earlier === undefined && existsSync(join(to, partName))) return
  return yield* new DataDirectoryUnusable({
    directory: to,
    detail: "it is not empty, and no earlier backup of this data folder; name another folder for the backup"
  })
})

const partName = "sluice.db.part"

/** Gives the copy its name. What an earlier backup into the same folder had beyond it is removed after that. */
const publish = Effect.fnUntraced(function* (to: string, part: string, hashes: ReadonlyArray<BlobHash>) {
  yield* syncPath(part)
  yield* Effect.try({
    try: () => {
      for (const suffix of ["-wal", "-shm"]) rmSync(`${databasePath(to)}${suffix}`, { force: true })
      renameSync(part, databasePath(to))
    },
    catch: cannot(to, "the copy cannot be named")
  })
  yield* syncDirectory(to)
  const { identity } = yield* examineFolder(to)
  if (identity !== undefined) yield* writeMark(to, { format: folderFormat, ...identity, open: false })
  const kept = new Set<BlobHash>(hashes)
  for (const hash of blobsIn(to)) if (!kept.has(hash)) rmSync(pathIn(to, hash), { force: true })
})

const copyKey = (directory: string, to: string) =>
  Effect.try({
    try: () => {
      const key = join(directory, "secret.key")
      if (!existsSync(key)) return
      copyFileSync(key, join(to, "secret.key"))
      chmodSync(join(to, "secret.key"), fileMode)
    },
    catch: cannot(to, "the key cannot be copied")
  })

/** The folder is a data folder then: a server started on it goes on from the moment of the copy. */
export const backUp = Effect.fnUntraced(function* (options: BackupOptions) {
  const directory = resolve(options.directory)
  const to = resolve(options.to)
  if (to === directory || to.startsWith(join(directory, "/")))
    return yield* new DataDirectoryUnusable({ directory: to, detail: "a backup is not kept in the data folder itself" })
  const { identity } = yield* examineFolder(directory)
  if (!existsSync(databasePath(directory)))
    return yield* new DataDirectoryUnusable({ directory, detail: "there is no sluice.db in it" })
  yield* refuseForeign(to, identity?.id)
  yield* holdDataDirectory(to)
  const part = join(to, partName)
  yield* Effect.sync(() => rmSync(part, { force: true }))
  yield* makePrivate(part)
  yield* copyDatabase(databasePath(directory), part)
  const { documents, originals: hashes } = yield* readCopy(part)
  const originals = yield* copyOriginals({ ...options, directory, to }, hashes)
  if (options.withKey) yield* copyKey(directory, to)
  const databaseBytes = sizeAt(part) ?? 0
  yield* publish(to, part, hashes)
  return { documents, databaseBytes, originals } satisfies BackedUp
}, Effect.scoped)
