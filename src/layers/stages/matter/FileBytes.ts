import { constants, type FileHandle, open } from "node:fs/promises"
import { Effect } from "effect"
import type { BlobLocation } from "../../../services/BlobStore.ts"
import { StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import { final } from "./Failures.ts"

const unreadable = (cause: unknown) => new StoreUnavailable({ operation: "read a blob", cause })

const openFile = (path: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({ try: () => open(path, constants.O_RDONLY), catch: unreadable }),
    (file: FileHandle) => Effect.promise(() => file.close())
  )

const tooLarge = (size: number, most: number) =>
  Effect.fail(final(`the file has ${size} bytes, and the stage takes ${most} at most`))

/** The size of a file; fails when it has more than `most` bytes. */
export const checkSize = Effect.fnUntraced(function* (location: BlobLocation, most: number) {
  if (location._tag === "Bytes") {
    return location.bytes.length > most ? yield* tooLarge(location.bytes.length, most) : location.bytes.length
  }
  const file = yield* openFile(location.path)
  const { size } = yield* Effect.tryPromise({ try: () => file.stat(), catch: unreadable })
  return size > most ? yield* tooLarge(size, most) : size
}, Effect.scoped)

/** All bytes of a file; fails when it has more than `most`. */
export const readFile = Effect.fnUntraced(function* (location: BlobLocation, most: number) {
  if (location._tag === "Bytes") {
    return location.bytes.length > most ? yield* tooLarge(location.bytes.length, most) : location.bytes
  }
  const file = yield* openFile(location.path)
  const { size } = yield* Effect.tryPromise({ try: () => file.stat(), catch: unreadable })
  if (size > most) return yield* tooLarge(size, most)
  const bytes: Uint8Array = yield* Effect.tryPromise({ try: () => file.readFile(), catch: unreadable })
  return bytes
}, Effect.scoped)
