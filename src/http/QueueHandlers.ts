import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../actors/Ingestion.ts"
import { Api } from "./Api.ts"
import { CurrentTenant } from "./CurrentTenant.ts"
import { storeProblems } from "./Failures.ts"
import { Forbidden } from "./Problems.ts"

export const QueueHandlers = HttpApiBuilder.group(
  Api,
  "queue",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    return handlers.handle(
      "queueStatus",
      Effect.fnUntraced(function* ({ query: { scope } }) {
        const tenant = yield* CurrentTenant
        if (scope === "all" && tenant.authenticated) {
          return yield* new Forbidden({ code: "FORBIDDEN", detail: "a tenant sees its own queue only" })
        }
        const status = yield* storeProblems(
          scope === "all" ? ingestion.queueStatus() : ingestion.queueStatus(tenant.id)
        )
        return {
          queue_size: status.waiting,
          max_queue_size: status.maxWaiting,
          processing: status.running,
          max_processing: status.maxRunning,
          max_concurrent: status.concurrency,
          total_processed: status.processed,
          total_failed: status.failed,
          paused: status.paused,
          estimated_wait_time: status.estimatedWaitSeconds ?? null
        }
      })
    )
  })
)
