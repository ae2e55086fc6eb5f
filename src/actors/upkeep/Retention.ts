import { Clock, Duration, Effect, Layer } from "effect"
import { BlobStore } from "../../services/BlobStore.ts"
import { DocumentStore } from "../../services/store/DocumentStore.ts"
import { Documents, type Removed } from "../../services/store/Documents.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { answerLifeMillis } from "../admission/IdempotentRequests.ts"
import { InFlightSubmissions } from "../admission/InFlightSubmissions.ts"
import { untraced } from "../../observability/Untraced.ts"
import { backgroundLoop } from "./BackgroundLoop.ts"

/** The number of documents, and of answers, removed in one transaction. */
const documentsPerPortion = 32
const answersPerPortion = 256

/**
 * Removes, every minute and in bounded portions, what is older than its retention: ended documents with their pages and the
 * blobs that nothing refers to any more; and answers under idempotency keys.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const blobs = yield* BlobStore
    const documents = yield* Documents
    const store = yield* DocumentStore
    const submissions = yield* InFlightSubmissions
    const { retention } = yield* EngineConfig

    const removeBlobs = Effect.fn("RetentionSweeper.sweep")(function* (removed: ReadonlyArray<Removed>) {
      for (const { unusedBlob } of removed) {
        if (unusedBlob !== undefined) yield* blobs.remove(unusedBlob, yield* submissions.settledBefore)
      }
    })

    const removeDocuments = Effect.fnUntraced(function* (finishedBefore: number) {
      for (;;) {
        const removed = yield* untraced(documents.removeEnded(finishedBefore, documentsPerPortion))
        if (removed.length === 0) return
        yield* removeBlobs(removed)
      }
    })

    const sweep = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* store
        .forgetAnswers(now - answerLifeMillis, answersPerPortion)
        .pipe(Effect.repeat({ while: (forgotten) => forgotten === answersPerPortion }), untraced)
      if (retention !== undefined) yield* removeDocuments(now - Duration.toMillis(retention))
    })

    yield* backgroundLoop({ name: "the removal of old documents", pass: sweep, rest: Effect.sleep("1 minute") })
  })
)
