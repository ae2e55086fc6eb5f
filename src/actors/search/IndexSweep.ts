import { Effect, Layer } from "effect"
import { untraced } from "../../observability/Untraced.ts"
import { type DocumentKey, SearchIndex } from "../../services/search/SearchIndex.ts"
import { Documents } from "../../services/store/Documents.ts"
import { backgroundLoop } from "../upkeep/BackgroundLoop.ts"
import { singleton } from "../upkeep/Singletons.ts"

const documentsPerPortion = 100

/**
 * Removes from the index what the store no longer has. A removed document leaves the index at once; this is for what a crash came
 * between.
 */
export const layer = Layer.effectDiscard(
  singleton("index sweep")(
    Effect.gen(function* () {
      const documents = yield* Documents
      const index = yield* SearchIndex
      const pass = Effect.gen(function* () {
        for (let after: DocumentKey | undefined; ;) {
          const found: ReadonlyArray<DocumentKey> = yield* index.documents(after, documentsPerPortion)
          for (const key of found) {
            yield* untraced(documents.find(key.tenant, key.document)).pipe(
              Effect.catchTag("DocumentNotFound", () => index.remove(key))
            )
          }
          after = found.at(-1)
          if (after === undefined) return
        }
      })
      yield* backgroundLoop({ name: "the sweep of the search index", pass, rest: Effect.sleep("10 minutes") })
    })
  )
)
