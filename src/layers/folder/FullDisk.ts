/** The stores on a full disk: operations that free space still work, and none that needs space is begun. */
import { Context, Effect, Layer } from "effect"
import { BlobStore } from "../../services/BlobStore.ts"
import { DocumentStore } from "../../services/store/DocumentStore.ts"
import { StorageHealth } from "../../services/StorageHealth.ts"
import { decorate } from "../recorder/Decorate.ts"
import type { DiskReserve } from "./DiskReserve.ts"

/** A document that waits is claimed later: the queues are polled again and again. */
export const layer = ({ makingRoom }: DiskReserve) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const health = yield* StorageHealth
      const documents = decorate(yield* DocumentStore, {
        claim: (claiming) =>
          Effect.matchEffect(health.checkRoom(0), {
            onSuccess: () => claiming,
            onFailure: () => Effect.succeedNone
          }),
        cancel: makingRoom,
        release: makingRoom,
        remove: makingRoom,
        removeEnded: makingRoom,
        withdraw: makingRoom,
        forgetAnswers: makingRoom
      })
      const blobs = decorate(yield* BlobStore, { remove: makingRoom })
      return Context.make(DocumentStore, documents).pipe(Context.add(BlobStore, blobs))
    })
  )
