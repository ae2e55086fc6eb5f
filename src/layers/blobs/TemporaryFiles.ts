// Files that are being written: they are renamed when they are complete, or removed.
import { open, type Stats } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { Clock, Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { failing, unlessMissing } from "./FileFailures.ts"
import { call, fileMode, readNames, statFile, unlinkFile } from "./Files.ts"

export interface TemporaryFile {
  readonly path: string
  readonly descriptor: number
  /** It has been renamed: nothing is left under its path. */
  named: boolean
}

/** Creates a file whose name shows which process writes it. */
export const makeTemporaryFiles = Effect.fnUntraced(function* (directory: string) {
  const random = yield* SecureRandom.SecureRandom
  return Effect.gen(function* () {
    const suffix = Buffer.from(yield* random.randomBytes(12)).toString("hex")
    const path = join(directory, `${hostname()}.${process.pid}.${suffix}`)
    const descriptor = yield* call<number>((done) => open(path, "wx", fileMode, done))
    const file: TemporaryFile = { path, descriptor, named: false }
    return file
  }).pipe(failing("create a file"))
})

/** A file in tmp that was not written to for so long is abandoned, whichever process made it. */
const abandonedMillis = 3_600_000

/** Removes what crashed writers left: files of this host whose process is gone, and files that were idle for long. */
export const removeAbandoned = Effect.fnUntraced(function* (temporary: string) {
  const now = yield* Clock.currentTimeMillis
  for (const name of yield* readNames(temporary)) {
    const path = join(temporary, name)
    const isAbandoned = (stats: Stats) => now - stats.mtimeMs > abandonedMillis || isOrphan(name, stats.mtimeMs)
    yield* statFile(path).pipe(
      Effect.flatMap((stats) => (isAbandoned(stats) ? unlinkFile(path) : Effect.void)),
      // Another store that starts on the same directory was faster.
      unlessMissing(() => undefined)
    )
  }
})

const isOrphan = (name: string, mtimeMs: number) => {
  const [host, pid] = splitOwner(name)
  if (host !== hostname()) return false
  return pid === process.pid ? mtimeMs < performance.timeOrigin : !isAlive(pid)
}

const splitOwner = (name: string): readonly [host: string, pid: number] => {
  const parts = name.split(".")
  return [parts.slice(0, -2).join("."), Number(parts.at(-2))]
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code !== "ESRCH"
  }
}
