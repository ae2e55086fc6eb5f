import { stat } from "node:fs/promises"
import { Effect } from "effect"
import { failure } from "../../../domain/Failure.ts"
import { allBytes } from "../../../services/BlobBytes.ts"
import type { BlobLocation } from "../../../services/BlobStore.ts"
import { StageError } from "../../../services/pipelines/Stage.ts"
import { StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import * as BlobFiles from "../../blobs/FileBytes.ts"
import { final } from "./Failures.ts"

const unreadable = (cause: unknown) => new StoreUnavailable({ operation: "read a blob", cause })

const sizeOf = (location: BlobLocation) =>
  location._tag === "Bytes"
    ? Effect.succeed(location.bytes.length)
    : Effect.map(Effect.tryPromise({ try: () => stat(location.path), catch: unreadable }), ({ size }) => size)

/** The size of a file; fails when it has more than `most` bytes. */
export const checkSize = Effect.fnUntraced(function* (location: BlobLocation, most: number) {
  const size = yield* sizeOf(location)
  if (size > most) return yield* final(`the file has ${size} bytes, and the stage takes ${most} at most`)
  return size
})

/** All bytes of a file; fails when it has more than `most`. */
export const readFile = Effect.fnUntraced(function* (location: BlobLocation, most: number) {
  yield* checkSize(location, most)
  return yield* allBytes(location).pipe(
    Effect.provide(BlobFiles.layer),
    Effect.catchTags({
      BlobLost: ({ message }) => Effect.fail(new StageError({ failure: failure("BLOB_LOST", message), again: false })),
      BlobStoreUnavailable: (error) => Effect.fail(unreadable(error))
    })
  )
})
