import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { format } from "effect/observability/PrometheusMetrics"
import { Api } from "../api/Api.ts"
import { CurrentPrincipal, keyRequired } from "../auth/Principal.ts"
import { Forbidden } from "../api/problems/Problems.ts"

const forbidden = new Forbidden({
  code: "FORBIDDEN",
  detail: "the metrics are of all tenants together, so the key of one does not show them"
})

export const MetricsHandlers = HttpApiBuilder.group(Api, "metrics", (handlers) =>
  handlers.handle(
    "metrics",
    Effect.fnUntraced(function* () {
      const principal = yield* CurrentPrincipal
      if (principal._tag === "Anonymous") return yield* keyRequired
      if (principal._tag === "Tenant") return yield* forbidden
      return yield* format()
    })
  )
)
