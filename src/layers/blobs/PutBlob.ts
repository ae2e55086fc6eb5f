// Writes a blob. It gets its name only after its bytes were synced, and a put succeeds only after the name was synced too.
import { futimesSync, rename } from "node:fs"
import { Clock, Effect, type Stream } from "effect"
import type { BlobHash } from "../../domain/Ids.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import type { BlobStoreUnavailable, PutOptions } from "../../services/BlobStore.ts"
import type { BlobFolders } from "./BlobFolders.ts"
import type { BlobRegister } from "./BlobRegister.ts"
import { attempt, failing } from "./FileFailures.ts"
import { call, syncFile } from "./Files.ts"
import { type TemporaryFile, type WithTemporary, writeHashed } from "./TemporaryFiles.ts"

export interface Destination {
  readonly folders: BlobFolders
  readonly register: BlobRegister
  readonly withTemporary: WithTemporary
}

/** Makes the bytes durable, and then their name. */
const commit = Effect.fnUntraced(function* (
  folders: BlobFolders,
  file: TemporaryFile,
  hash: BlobHash,
  makeKnown: Effect.Effect<void, BlobStoreUnavailable>
) {
  const seconds = (yield* Clock.currentTimeMillis) / 1000
  yield* attempt(() => futimesSync(file.descriptor, seconds, seconds))
  yield* syncFile(file.descriptor)
  // Known before it has its name: a named blob that is not known was put there by another owner.
  yield* folders.exclusively(hash)(
    Effect.andThen(
      makeKnown,
      call((done) => rename(file.path, folders.pathOf(hash), done))
    )
  )
  file.named = true
  yield* folders.syncName(hash)
}, failing("make a blob durable"))

export const putWith = ({ folders, register, withTemporary }: Destination) =>
  TraceContext.traced(
    "BlobStore.put",
    <E, R, E2 = never>(bytes: Stream.Stream<Uint8Array, E, R>, limit: number, { reserve }: PutOptions<E2> = {}) =>
      withTemporary(
        Effect.fnUntraced(function* (file) {
          const written = yield* writeHashed(file, bytes, limit)
          // Before the blob is locked: it waits for a removal of the same blob, which takes the lock.
          if (reserve !== undefined) yield* reserve(written.hash)
          // The caller's reference has made it known.
          const makeKnown = reserve === undefined ? register.add(written.hash) : Effect.void
          yield* Effect.uninterruptible(commit(folders, file, written.hash, makeKnown))
          return written
        })
      )
  )
