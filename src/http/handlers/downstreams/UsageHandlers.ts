import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { dayAt, monthAt } from "../../../domain/downstream/Usage.ts"
import { UsageStore } from "../../../services/downstreams/UsageStore.ts"
import { Api } from "../../api/Api.ts"
import { storeProblems } from "../../api/problems/Failures.ts"
import { CurrentTenant, requireAdmin } from "../../auth/CurrentTenant.ts"

export const UsageHandlers = HttpApiBuilder.group(
  Api,
  "usage",
  Effect.fn(function* (handlers) {
    const usage = yield* UsageStore
    return handlers.handle(
      "list",
      Effect.fnUntraced(function* ({ query: { by = "day", cursor, limit = 200, scope, ...days } }) {
        if (scope === "all") yield* requireAdmin
        const { id } = yield* CurrentTenant
        const now = yield* Clock.currentTimeMillis
        const from = days.from ?? monthAt(now)
        const to = days.to ?? dayAt(now)
        const found = yield* storeProblems(
          usage.sum({
            from,
            to,
            by,
            limit: limit + 1,
            ...(scope === "all" ? {} : { tenant: id }),
            ...(cursor === undefined ? {} : { after: cursor })
          })
        )
        const some = found.slice(0, limit)
        const last = found.length > limit ? some.at(-1) : undefined
        return { from, to, by, usage: some, ...(last === undefined ? {} : { nextCursor: last.key }) }
      })
    )
  })
)
