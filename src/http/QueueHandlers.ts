import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../actors/Ingestion.ts"
import { Api } from "./Api.ts"
import { CurrentTenant } from "./CurrentTenant.ts"
import { storeProblems } from "./Failures.ts"
import { Forbidden } from "./Problems.ts"
import { queueViewOf } from "./QueueView.ts"

export const QueueHandlers = HttpApiBuilder.group(
  Api,
  "queue",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    return handlers.handle(
      "queueStatus",
      Effect.fnUntraced(function* ({ query: { scope } }) {
        const tenant = yield* CurrentTenant
        if (scope === "all" && !tenant.admin) {
          return yield* new Forbidden({ code: "FORBIDDEN", detail: "a tenant sees its own queue only" })
        }
        const status = yield* storeProblems(
          scope === "all" ? ingestion.queueStatus() : ingestion.queueStatus(tenant.id)
        )
        return queueViewOf(status)
      })
    )
  })
)
