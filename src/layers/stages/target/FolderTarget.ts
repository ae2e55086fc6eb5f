// Files of a target in a folder: each is whole under its name, or not there.
import { createHash } from "node:crypto"
import { constants, type FileHandle, mkdir, open, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Effect, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { FarSideUnavailable } from "../../../services/downstreams/Downstreams.ts"
import { syncDirectory } from "../../blobs/Files.ts"
import { excerpt } from "../matter/Failures.ts"
import type { Content } from "./Contents.ts"

export interface Written {
  readonly path: string
  readonly size: number
  readonly sha256: string
}

/** Another path does not help: the settings or the folder have to be changed. */
const lasting: ReadonlySet<string> = new Set([
  "EACCES",
  "EEXIST",
  "EPERM",
  "EROFS",
  "ENOTDIR",
  "EISDIR",
  "ENAMETOOLONG",
  "ELOOP"
])

const unavailable = (path: string) => (cause: unknown) => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : excerpt(String(cause), 80)
  const permanent = lasting.has(code) ? { permanent: true } : {}
  return new FarSideUnavailable({ detail: `${path} could not be written (${code})`, ...permanent })
}

const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

const writeAll = async (file: FileHandle, bytes: Uint8Array) => {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
}

/** Writes files below this folder, with the rights that the process gives to new files. */
export const makeFolderTarget = Effect.fnUntraced(function* (folder: string) {
  const random = yield* SecureRandom.SecureRandom
  return Effect.fnUntraced(function* (relative: string, { bytes }: Content) {
    const path = join(folder, relative)
    const attempt = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: unavailable(path) })
    const suffix = Buffer.from(yield* random.randomBytes(8)).toString("hex")
    const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${suffix}.part`)
    yield* attempt(() => mkdir(dirname(path), { recursive: true }))
    const hash = createHash("sha256")
    let size = 0
    const write = Effect.acquireUseRelease(
      attempt(() => open(temporary, flags, 0o666)),
      (file) =>
        Stream.runForEach(bytes, (part) => {
          hash.update(part)
          size += part.length
          return attempt(() => writeAll(file, part))
        }).pipe(Effect.andThen(attempt(() => file.sync()))),
      (file) => Effect.promise(() => file.close())
    )
    yield* write.pipe(
      Effect.andThen(attempt(() => rename(temporary, path))),
      Effect.andThen(Effect.mapError(syncDirectory(dirname(path)), unavailable(path))),
      Effect.onError(() => Effect.promise(() => rm(temporary, { force: true })))
    )
    const written: Written = { path: relative, size, sha256: hash.digest("hex") }
    return written
  })
})
