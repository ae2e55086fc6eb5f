import { close, constants, fsync, mkdir, open, readdir, stat, type Stats, unlink, write } from "node:fs"
import { dirname } from "node:path"
import { Effect } from "effect"

// The few file-system calls that need more control than a general interface gives: fsync of directories, exclusive
// creation with a mode, and no interruption while a descriptor is in use.

/** Only the owner has access: blobs and keys are private. */
export const fileMode = 0o600
export const directoryMode = 0o700

/**
 * One file-system call. It cannot be interrupted: a descriptor closed while a call on it is under way may by then be
 * another file's.
 */
export const call = <A = void>(run: (done: (error: NodeJS.ErrnoException | null, value: A) => void) => void) =>
  Effect.uninterruptible(
    Effect.callback<A, NodeJS.ErrnoException>((resume) => {
      run((error, value) => resume(error ? Effect.fail(error) : Effect.succeed(value)))
    })
  )

const openRead = (path: string) => call<number>((done) => open(path, constants.O_RDONLY, done))
export const closeFile = (descriptor: number) =>
  Effect.ignore(call((done) => close(descriptor, (error) => done(error ?? null))))
export const syncFile = (descriptor: number) => call((done) => fsync(descriptor, (error) => done(error)))

/** Makes the names in a directory durable. Windows has no such call; its file systems journal names by themselves. */
export const syncDirectory = (path: string) =>
  process.platform === "win32" ? Effect.void : Effect.acquireUseRelease(openRead(path), syncFile, closeFile)

const makeOneDirectory = (path: string) =>
  call((done) => mkdir(path, directoryMode, (error) => done(error))).pipe(
    Effect.andThen(syncDirectory(dirname(path))),
    Effect.catchIf(
      (error) => error.code === "EEXIST",
      () => Effect.void
    )
  )

/** Creates the directory and what is missing above it, durably. (Node's own recursion never ends below /proc.) */
export const makeDirectory = (path: string): Effect.Effect<void, NodeJS.ErrnoException> =>
  makeOneDirectory(path).pipe(
    Effect.catchIf(
      (error) => error.code === "ENOENT" && dirname(path) !== path,
      () => Effect.andThen(makeDirectory(dirname(path)), makeOneDirectory(path))
    )
  )

/** Creates one directory, unless it exists. Not durable until the directory above it is synced. */
export const makeFolder = (path: string) =>
  call((done) => mkdir(path, directoryMode, (error) => done(error?.code === "EEXIST" ? null : error)))

export const statFile = (path: string) => call<Stats>((done) => stat(path, done))
export const unlinkFile = (path: string) => call((done) => unlink(path, (error) => done(error)))
export const readNames = (path: string) => call<Array<string>>((done) => readdir(path, done))

/** The system may write less than it was given; `meanwhile` runs once, during the first write. */
export const writeAll = Effect.fnUntraced(function* (descriptor: number, bytes: Uint8Array, meanwhile: () => void) {
  let written = yield* call<number>((done) => {
    write(descriptor, bytes, done)
    meanwhile()
  })
  while (written < bytes.length) {
    written += yield* call<number>((done) => write(descriptor, bytes, written, done))
  }
})
