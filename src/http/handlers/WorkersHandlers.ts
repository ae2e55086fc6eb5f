import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { Api } from "../api/Api.ts"
import { requireAdmin } from "../auth/CurrentTenant.ts"

export const WorkersHandlers = HttpApiBuilder.group(
  Api,
  "workers",
  Effect.fn(function* (handlers) {
    const engine = yield* PdfEngine
    return handlers.handle(
      "list",
      Effect.fnUntraced(function* () {
        yield* requireAdmin
        return { capacity: engine.capacity, ready: engine.ready(), ...(yield* engine.status) }
      })
    )
  })
)
