/** The stores on a full disk: operations that free space still work, and none that needs space is begun. */
import { Context, Effect, Layer } from "effect"
import { BlobStore } from "../../services/BlobStore.ts"
import { BlobReferences } from "../../services/store/BlobReferences.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { Documents } from "../../services/store/Documents.ts"
import { IdempotencyStore } from "../../services/store/IdempotencyStore.ts"
import { StorageHealth } from "../../services/StorageHealth.ts"
import { decorate } from "../recorder/Decorate.ts"
import type { DiskReserve } from "./DiskReserve.ts"

/** A document that waits is claimed later: the queues are polled again and again. */
export const layer = ({ makingRoom }: DiskReserve) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const health = yield* StorageHealth
      const queue = decorate(yield* DocumentQueue, {
        claim: (claiming) =>
          Effect.matchEffect(health.checkRoom(0), {
            onSuccess: () => claiming,
            onFailure: () => Effect.succeedNone
          }),
        release: makingRoom
      })
      const documents = decorate(yield* Documents, {
        cancel: makingRoom,
        remove: makingRoom,
        removeEnded: makingRoom,
        withdraw: makingRoom
      })
      const references = decorate(yield* BlobReferences, {
        claimRemoval: makingRoom,
        endRemoval: makingRoom,
        release: makingRoom
      })
      const keys = decorate(yield* IdempotencyStore, { forget: makingRoom, release: makingRoom })
      const blobs = decorate(yield* BlobStore, { remove: makingRoom })
      return Context.make(DocumentQueue, queue).pipe(
        Context.add(Documents, documents),
        Context.add(BlobReferences, references),
        Context.add(IdempotencyStore, keys),
        Context.add(BlobStore, blobs)
      )
    })
  )
