import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../actors/Ingestion.ts"
import { Api } from "../api/Api.ts"
import { CurrentTenant } from "../auth/CurrentTenant.ts"
import { storeProblems } from "../api/problems/Failures.ts"
import { Forbidden } from "../api/problems/Problems.ts"
import { queueViewOf } from "../api/views/QueueView.ts"

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
