import { Clock, Effect, Layer, Stream } from "effect"
import type { BlobHash } from "../../domain/Ids.ts"
import { BlobStore } from "../../services/BlobStore.ts"
import { BlobReferences } from "../../services/store/BlobReferences.ts"
import { untraced } from "../../observability/Untraced.ts"
import { backgroundLoop } from "./BackgroundLoop.ts"
import { singleton } from "./Singletons.ts"
import { makeUnusedBlobs } from "./UnusedBlobs.ts"

const graceMillis = 60 * 60 * 1000

const loop = singleton("blobs")(
  Effect.gen(function* () {
    const blobs = yield* BlobStore
    const references = yield* BlobReferences
    const unusedBlobs = yield* makeUnusedBlobs
    let toldOf = 0

    const tellOfUnknown = (unknown: number, example: string | undefined) =>
      Effect.suspend(() => {
        if (unknown === toldOf) return Effect.void
        toldOf = unknown
        return unknown === 0
          ? Effect.void
          : Effect.logWarning(
              "originals are kept that no document refers to and this database did not store; `sluice storage discard` removes them"
            ).pipe(Effect.annotateLogs({ blobs: unknown, example }))
      })

    const removeUnused = Effect.fn("BlobSweeper.remove")((hash: BlobHash, putBefore: number) =>
      unusedBlobs.collect(hash, putBefore)
    )

    const sweep = Effect.gen(function* () {
      yield* untraced(references.forgetExpired)
      const putBefore = (yield* Clock.currentTimeMillis) - graceMillis
      let unknown = 0
      let example: string | undefined
      yield* blobs.list.pipe(
        Stream.filter(({ hash, known }) => {
          if (known) return true
          unknown++
          example ??= hash
          return false
        }),
        Stream.filter(({ putAtMillis }) => putAtMillis < putBefore),
        Stream.filterEffect(({ hash }) => untraced(Effect.map(references.refersTo(hash), (used) => !used))),
        Stream.runForEach(({ hash }) => removeUnused(hash, putBefore))
      )
      yield* tellOfUnknown(unknown, example)
    })

    yield* backgroundLoop({ name: "the collection of unused blobs", pass: sweep, rest: Effect.sleep("1 hour") })
  })
)

/**
 * Removes blobs that no document refers to: they are left by a crash between the blob and its row. Blobs of uploads under way
 * have a reference. Blobs younger than an hour are left alone all the same, so that they need no look. It always keeps blobs that this store did not put itself: their documents
 * may be in another database, and that is for people to find out.
 */
export const layer = Layer.effectDiscard(loop)
