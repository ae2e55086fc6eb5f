import { Duration, Effect, Layer, Schedule } from "effect"
import { DocumentStore } from "../services/DocumentStore.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import { Runner } from "./Runner.ts"
import { TenantDirectory } from "./TenantDirectory.ts"

const renewalsPerLease = 3

/**
 * Renews the leases of the documents this runner holds, off the path that reads them, and stops those it no longer holds.
 * If the store cannot be reached the documents go on: their writes are fenced anyway.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const config = yield* EngineConfig
    const store = yield* DocumentStore
    const runner = yield* Runner
    const directory = yield* TenantDirectory

    const renew = Effect.fn("LeaseKeeper.renew")(function* () {
      const before = runner.held()
      if (before.length === 0) return
      const kept = yield* store.renew(yield* runner.lease)
      const attempts = new Map(kept.map((fence) => [fence.documentId, fence.attempt]))
      for (const { tenant, fence } of before) {
        if (attempts.get(fence.documentId) === fence.attempt) continue
        yield* directory.tell(tenant, { _tag: "Stop", ...fence })
      }
    })

    yield* renew().pipe(
      Effect.catchTag("StoreUnavailable", (error) => Effect.logWarning(error.message, error.cause)),
      Effect.repeat(Schedule.spaced(Duration.millis(Duration.toMillis(config.lease) / renewalsPerLease))),
      Effect.forkScoped
    )
  })
)
