import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../actors/Ingestion.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { Api } from "../api/Api.ts"
import { storeProblems } from "../api/problems/Failures.ts"
import { requireAdmin } from "../auth/CurrentTenant.ts"

export const WorkersHandlers = HttpApiBuilder.group(
  Api,
  "workers",
  Effect.fn(function* (handlers) {
    const engine = yield* PdfEngine
    const ingestion = yield* Ingestion
    return handlers.handleAll({
      list: Effect.fnUntraced(function* () {
        yield* requireAdmin
        return { capacity: engine.capacity, ready: engine.ready(), ...(yield* engine.status) }
      }),
      runners: Effect.fnUntraced(function* () {
        yield* requireAdmin
        return { runners: yield* storeProblems(ingestion.runners) }
      })
    })
  })
)
