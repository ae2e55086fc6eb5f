// Writes a blob. It gets its name only after its bytes were synced, and a put succeeds only after the name was synced too.
import { createHash } from "node:crypto"
import { closeSync, futimesSync, rename } from "node:fs"
import { Clock, Effect, Stream } from "effect"
import { BlobHash } from "../../domain/Ids.ts"
import { type BlobStoreUnavailable, BlobTooLarge, type PutOptions } from "../../services/BlobStore.ts"
import type { BlobFolders } from "./BlobFolders.ts"
import type { BlobRegister } from "./BlobRegister.ts"
import { attempt, failing } from "./FileFailures.ts"
import { call, syncFile, unlinkFile, writeAll } from "./Files.ts"
import type { TemporaryFile } from "./TemporaryFiles.ts"

export interface Destination {
  readonly folders: BlobFolders
  readonly register: BlobRegister
  readonly newTemporary: Effect.Effect<TemporaryFile, BlobStoreUnavailable>
}

/** Writes the bytes and returns their hash and size. */
const writeBytes = Effect.fnUntraced(function* <E, R>(
  file: TemporaryFile,
  bytes: Stream.Stream<Uint8Array, E, R>,
  limit: number
) {
  const digest = createHash("sha256")
  let size = 0
  yield* Stream.runForEachArray(bytes, (chunks): Effect.Effect<void, BlobTooLarge | BlobStoreUnavailable> => {
    const chunk = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
    size += chunk.length
    if (size > limit) return Effect.fail(new BlobTooLarge({ limit }))
    // The digest is computed while the disk is busy with the same chunk.
    return writeAll(file.descriptor, chunk, () => digest.update(chunk)).pipe(failing("write a blob"))
  })
  return { hash: BlobHash.make(digest.digest("hex")), size }
})

/** Makes the bytes durable, and then their name. */
const commit = Effect.fnUntraced(function* ({ folders, register }: Destination, file: TemporaryFile, hash: BlobHash) {
  const seconds = (yield* Clock.currentTimeMillis) / 1000
  yield* attempt(() => futimesSync(file.descriptor, seconds, seconds))
  yield* syncFile(file.descriptor)
  // The entry comes before the name: a named blob without an entry was put there by another owner.
  yield* folders.exclusively(hash)(
    Effect.andThen(
      register.add(hash),
      call((done) => rename(file.path, folders.pathOf(hash), done))
    )
  )
  file.named = true
  yield* folders.syncName(hash)
}, failing("make a blob durable"))

export const putWith = (destination: Destination) =>
  Effect.fn("BlobStore.put")(function* <E, R, E2 = never>(
    bytes: Stream.Stream<Uint8Array, E, R>,
    limit: number,
    { reserve }: PutOptions<E2> = {}
  ) {
    return yield* Effect.acquireUseRelease(
      destination.newTemporary,
      Effect.fnUntraced(function* (file) {
        const written = yield* writeBytes(file, bytes, limit)
        // Before the blob is locked: it waits for a removal of the same blob, which takes the lock.
        if (reserve !== undefined) yield* reserve(written.hash)
        yield* Effect.uninterruptible(commit(destination, file, written.hash))
        return written
      }),
      (file) =>
        Effect.andThen(
          Effect.ignore(attempt(() => closeSync(file.descriptor))),
          file.named ? Effect.void : Effect.ignore(unlinkFile(file.path))
        )
    )
  })
