import { dirname, join } from "node:path"
import { pid } from "node:process"
import { Effect, FileSystem, Stream } from "effect"

let files = 0

/**
 * Writes the file as a whole or not at all: beside its place first, then onto the disk, then under its name. Whatever
 * happens before that, what was there under the name stays as it was.
 */
export const writeAtomically = Effect.fnUntraced(function* <E, R>(
  path: string,
  bytes: Stream.Stream<Uint8Array, E, R>
) {
  const system = yield* FileSystem.FileSystem
  // Without the file's own name, which may be as long as a name can be.
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
