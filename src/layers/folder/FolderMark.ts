/**
 * `sluice.json` in the data folder: which database belongs to it, how often servers have started and stopped there, and which
 * format it has. It is compared with the database at every start.
 *
 * After it was made it is only written in place, in one write of the same length: that needs no room on the disk, and is done
 * whole or not at all.
 */
import { open, readFile, type Stats, stat, write } from "node:fs"
import { join } from "node:path"
import { Effect, Option, Schema } from "effect"
import { call, closeFile, fileMode, syncDirectory, syncFile } from "../blobs/Files.ts"

/**
 * Increased when a release would misread, or lose, what another one has left in the folder. Such a release refuses to start,
 * from the first one on that knows of formats.
 */
export const folderFormat = 1

export const FolderMark = Schema.Struct({
  format: Schema.Natural,
  /** Of the database that belongs here. */
  id: Schema.String,
  /** The generation of the database is at least this one. */
  generation: Schema.Natural,
  /** A server works here, or was killed while it did. */
  open: Schema.Boolean
})
export interface FolderMark extends Schema.Schema.Type<typeof FolderMark> {}

/** Only the format, which every release has to understand. */
const decodeFormat = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ format: Schema.Natural })))
const decodeMark = Schema.decodeUnknownOption(Schema.fromJsonString(FolderMark))

export const markPath = (directory: string) => join(directory, "sluice.json")

const length = 256

const encode = (mark: FolderMark) => Buffer.from(`${JSON.stringify(mark).padEnd(length - 1)}\n`)

export type MarkFound =
  | { readonly _tag: "None" }
  | { readonly _tag: "Newer"; readonly format: number }
  | { readonly _tag: "Unreadable" }
  | { readonly _tag: "Found"; readonly mark: FolderMark }

const understood = (text: string): MarkFound => {
  const format = decodeFormat(text)
  if (Option.isSome(format) && format.value.format > folderFormat) return { _tag: "Newer", format: format.value.format }
  const mark = decodeMark(text)
  return Option.isSome(mark) ? { _tag: "Found", mark: mark.value } : { _tag: "Unreadable" }
}

export const readMark = (directory: string): Effect.Effect<MarkFound, NodeJS.ErrnoException> =>
  call<string>((done) => readFile(markPath(directory), "utf8", done)).pipe(
    Effect.map(understood),
    Effect.catchIf(
      (error) => error.code === "ENOENT",
      () => Effect.succeed<MarkFound>({ _tag: "None" })
    )
  )

/** Durable when it succeeds. */
export const writeMark = Effect.fnUntraced(function* (directory: string, mark: FolderMark) {
  const path = markPath(directory)
  const bytes = encode(mark)
  const isNew = yield* call<Stats>((done) => stat(path, done)).pipe(
    Effect.as(false),
    Effect.orElseSucceed(() => true)
  )
  yield* Effect.acquireUseRelease(
    call<number>((done) => open(path, isNew ? "w" : "r+", fileMode, done)),
    (descriptor) =>
      Effect.andThen(
        call<number>((done) => write(descriptor, bytes, 0, bytes.length, 0, done)),
        syncFile(descriptor)
      ),
    closeFile
  )
  if (isNew) yield* syncDirectory(directory)
})
