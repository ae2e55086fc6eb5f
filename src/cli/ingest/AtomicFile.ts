import { dirname, join } from "node:path"
import { pid } from "node:process"
import { Effect, FileSystem, Stream } from "effect"

let files = 0

/**
 * Writes the file completely or not at all: to a temporary file in the same folder, which is flushed and then renamed. Until
 * the rename, an existing file of that name stays unchanged.
 */
export const writeAtomically = Effect.fnUntraced(function* <E, R>(
  path: string,
  bytes: Stream.Stream<Uint8Array, E, R>
) {
  const system = yield* FileSystem.FileSystem
  // Does not contain the file's own name, which may already have the maximum length.
  const draft = join(dirname(path), `.sluice-${pid}-${++files}.part`)
  yield* Effect.addFinalizer(() => Effect.ignore(system.remove(draft, { force: true })))
  yield* Effect.scoped(
    Effect.gen(function* () {
      const file = yield* system.open(draft, { flag: "wx" })
      yield* Stream.runForEach(bytes, (chunk) => file.writeAll(chunk))
      yield* file.sync
    })
  )
  yield* system.rename(draft, path)
}, Effect.scoped)
