import { Clock, Effect, Layer, Schedule, Stream } from "effect"
import { BlobStore } from "../services/BlobStore.ts"
import { DocumentStore } from "../services/DocumentStore.ts"

const graceMillis = 60 * 60 * 1000

/**
 * Removes blobs that no document refers to: what a crash left between the blob and its row. A blob younger than an hour may
 * belong to a submission that is still under way, and is left alone.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const blobs = yield* BlobStore
    const store = yield* DocumentStore

    const sweep = Effect.fn("BlobSweeper.sweep")(function* () {
      const putBefore = (yield* Clock.currentTimeMillis) - graceMillis
      yield* blobs.list.pipe(
        Stream.filter((blob) => blob.putAtMillis < putBefore),
        Stream.filterEffect((blob) => Effect.map(store.refersTo(blob.hash), (used) => !used)),
        Stream.runForEach((blob) => blobs.remove(blob.hash, putBefore))
      )
    })

    yield* sweep().pipe(
      Effect.catchTag(["BlobStoreUnavailable", "StoreUnavailable"], (error) =>
        Effect.logWarning(error.message, error.cause)
      ),
      Effect.catchDefect((defect) => Effect.logError("a sweep of blobs failed", defect)),
      Effect.repeat(Schedule.spaced("1 hour")),
      Effect.forkScoped
    )
  })
)
