import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../actors/Ingestion.ts"
import { Api } from "./Api.ts"
import { CurrentTenant } from "./CurrentTenant.ts"
import { storeProblems } from "./Failures.ts"

export const TenantHandlers = HttpApiBuilder.group(
  Api,
  "tenant",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    return handlers.handleAll({
      pause: Effect.fnUntraced(function* () {
        const { id } = yield* CurrentTenant
        yield* storeProblems(ingestion.pause(id))
        return { tenantId: id, paused: true }
      }),
      resume: Effect.fnUntraced(function* () {
        const { id } = yield* CurrentTenant
        yield* storeProblems(ingestion.resume(id))
        return { tenantId: id, paused: false }
      })
    })
  })
)
