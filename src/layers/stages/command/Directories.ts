// The directories that commands work in: each run has its own, which is empty before and gone afterwards.
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { ChildProcess, type ChildProcessSpawner } from "effect/process"
import { passing } from "../matter/Failures.ts"
import { isOrphan } from "../../blobs/TemporaryFiles.ts"

/** Whom commands run as when the engine is root. */
export const nobody = 65_534

export interface Directory {
  /** Where the command starts, and its input and output are. */
  readonly work: string
  /** Its `TMPDIR` and `HOME`. */
  readonly temporary: string
  /** Makes a file or folder the command's own. */
  readonly give: (path: string) => Promise<void>
}

const noDirectory = (cause: unknown) =>
  passing(`the command has no directory to work in: ${cause instanceof Error ? cause.message : String(cause)}`)

/** A step with a directory or a file in it. */
export const inDirectory = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: noDirectory })

const prefix = "sluice-commands."
const traversable = 0o711
const ownOnly = 0o700

const isRoot = process.getuid?.() === 0

const give = async (path: string): Promise<void> => {
  if (isRoot) await chown(path, nobody, nobody)
}

/** Folders that the command has closed to its user are opened again; some names are too deep for a path. */
const removeStubborn = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      for (const [file, ...args] of [
        ["chmod", "-R", "u+rwx", "--", path],
        ["rm", "-rf", "--", path]
      ] as const) {
        const handle = yield* ChildProcess.make(file, args, { stdin: "ignore", stdout: "ignore", stderr: "ignore" })
        yield* handle.exitCode
      }
    })
  )

/** What was killed may take a moment to end, and write until then. */
const again = { maxRetries: 20, retryDelay: 25 }

const remove = (path: string): Effect.Effect<void, never, ChildProcessSpawner.ChildProcessSpawner> =>
  Effect.tryPromise(() => rm(path, { recursive: true, force: true, ...again })).pipe(
    Effect.catch(() => removeStubborn(path)),
    Effect.tapError((cause) => Effect.logWarning(`the directory ${path} of a command could not be removed`, cause)),
    Effect.ignore
  )

/** Removes what processes have left that are gone. Those of other users are left alone. */
const removeLeft = Effect.fnUntraced(function* (parent: string) {
  const names = yield* Effect.orElseSucceed(
    Effect.tryPromise(() => readdir(parent)),
    () => []
  )
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const path = join(parent, name)
    const found = yield* Effect.option(Effect.tryPromise(() => stat(path)))
    if (found._tag === "None" || found.value.uid !== process.getuid?.()) continue
    if (isOrphan(name.slice(prefix.length), found.value.mtimeMs)) yield* remove(path)
  }
})

export type WithDirectory = Effect.Success<ReturnType<typeof makeDirectories>>

/** Gives a directory for one run, until its scope ends. */
export const makeDirectories = Effect.fnUntraced(function* (parent: string = tmpdir()) {
  yield* removeLeft(parent)
  const base = yield* Effect.acquireRelease(
    inDirectory(async () => {
      const path = await mkdtemp(join(parent, `${prefix}${hostname()}.${process.pid}.`))
      await chmod(path, traversable)
      return path
    }),
    remove
  )
  return Effect.acquireRelease(
    inDirectory(async () => {
      const path = await mkdtemp(join(base, "run-"))
      await chmod(path, traversable)
      const directory: Directory = { work: join(path, "work"), temporary: join(path, "tmp"), give }
      for (const folder of [directory.work, directory.temporary]) {
        await mkdir(folder, ownOnly)
        await give(folder)
      }
      return { ...directory, path }
    }),
    ({ path }) => remove(path)
  )
})
