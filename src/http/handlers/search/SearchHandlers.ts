import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Search } from "../../../actors/search/SearchProtocol.ts"
import { Api } from "../../api/Api.ts"
import { waitOf } from "../../api/Pages.ts"
import { unavailable } from "../../api/problems/Failures.ts"
import { ServiceUnavailable, someTime } from "../../api/problems/Problems.ts"
import { deadlineHeader } from "../../api/search/Search.ts"
import { CurrentTenant } from "../../auth/CurrentTenant.ts"

const problem = (code: string, detail: string, retryAfter: number) =>
  Effect.fail(new ServiceUnavailable({ code, detail, retryAfter }))

export const SearchHandlers = HttpApiBuilder.group(
  Api,
  "search",
  Effect.fn(function* (handlers) {
    const { search } = yield* Search
    return handlers.handleAll({
      search: Effect.fnUntraced(function* ({ headers, payload }) {
        const tenant = yield* CurrentTenant
        const deadline = headers[deadlineHeader]
        return yield* search(tenant.id, payload, deadline === undefined ? undefined : waitOf(deadline)).pipe(
          Effect.catchTags({
            SearchBusy: ({ message, retryAfterSeconds }) => problem("SEARCH_BUSY", message, retryAfterSeconds),
            SearchTooLate: ({ message }) => problem("SEARCH_DEADLINE", message, 1),
            SearchUnavailable: (error) =>
              Effect.andThen(Effect.logWarning(error.message), problem("SEARCH_UNAVAILABLE", error.message, someTime)),
            StoreUnavailable: unavailable
          })
        )
      })
    })
  })
)
