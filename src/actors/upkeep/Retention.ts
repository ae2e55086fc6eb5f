import { Clock, type Duration, Effect, Layer } from "effect"
import { Documents, type Removed } from "../../services/store/Documents.ts"
import { IdempotencyStore } from "../../services/store/IdempotencyStore.ts"
import { SearchIndex } from "../../services/search/SearchIndex.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { answerLifeMillis } from "../admission/IdempotentRequests.ts"
import { untraced } from "../../observability/Untraced.ts"
import { backgroundLoop } from "./BackgroundLoop.ts"
import { singleton } from "./Singletons.ts"
import { makeUnusedBlobs } from "./UnusedBlobs.ts"

/** The number of documents, and of answers, removed in one transaction. */
const documentsPerPortion = 32
const answersPerPortion = 256

const loop = singleton("retention")(
  Effect.gen(function* () {
    const documents = yield* Documents
    const keys = yield* IdempotencyStore
    const blobs = yield* makeUnusedBlobs
    const index = yield* SearchIndex
    const { retention } = yield* EngineConfig

    const removeBlobs = Effect.fn("RetentionSweeper.sweep")(function* (removed: ReadonlyArray<Removed>) {
      for (const { id: document, tenantId: tenant, unusedBlobs } of removed) {
        yield* Effect.ignore(index.remove({ tenant, document }), { log: "Warn" })
        yield* blobs.removeAll(unusedBlobs)
      }
    })

    const removeDocuments = Effect.fnUntraced(function* (endedLongerAgo: Duration.Duration) {
      for (;;) {
        const removed = yield* untraced(documents.removeEnded(endedLongerAgo, documentsPerPortion))
        if (removed.length === 0) return
        yield* removeBlobs(removed)
      }
    })

    const sweep = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* keys
        .forget(now - answerLifeMillis, answersPerPortion)
        .pipe(Effect.repeat({ while: (forgotten) => forgotten === answersPerPortion }), untraced)
      if (retention !== undefined) yield* removeDocuments(retention)
    })

    yield* backgroundLoop({ name: "the removal of old documents", pass: sweep, rest: Effect.sleep("1 minute") })
  })
)

/**
 * Removes, every minute and in bounded portions, what is older than its retention: ended documents with their pages and the
 * blobs that nothing refers to any more; and answers under idempotency keys.
 */
export const layer = Layer.effectDiscard(loop)
