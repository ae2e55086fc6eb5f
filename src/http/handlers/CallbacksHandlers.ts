import { DateTime, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { DeliveryLog } from "../../domain/webhook/Webhook.ts"
import { Webhooks } from "../../actors/webhooks/Webhooks.ts"
import { Api } from "../api/Api.ts"
import type { DeliveryList } from "../api/Callbacks.ts"
import { CurrentTenant } from "../auth/CurrentTenant.ts"
import { documentProblems, notFound, unavailable } from "../api/problems/Failures.ts"
import { Conflict } from "../api/problems/Problems.ts"

const next = (nextAt: number | undefined) =>
  nextAt === undefined ? {} : { nextAttemptAt: DateTime.makeUnsafe(nextAt) }

const viewOf = ({ deliveries, nextAt }: DeliveryLog): typeof DeliveryList.Type => ({
  deliveries: deliveries.map(({ at, attempt, elapsedMillis, endpoint, error, nextAt: then, status }) => ({
    at: DateTime.makeUnsafe(at),
    attempt,
    ...(endpoint !== "" && { endpoint }),
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error }),
    elapsedMillis,
    ...next(then)
  })),
  ...next(nextAt)
})

const conflicts = {
  status: { code: "NOT_ENDED", advice: "Wait for its end." },
  endpoint: { code: "NO_ENDPOINT", advice: "Set one with PUT /v1/webhook." },
  disabled: { code: "WEBHOOK_DISABLED", advice: "Enable it with PUT /v1/webhook." }
}

export const CallbacksHandlers = HttpApiBuilder.group(
  Api,
  "callbacks",
  Effect.fn(function* (handlers) {
    const webhooks = yield* Webhooks
    return handlers.handleAll({
      deliveries: Effect.fnUntraced(function* ({ params: { id } }) {
        const tenant = yield* CurrentTenant
        return viewOf(yield* documentProblems(webhooks.deliveries(tenant.id, id)))
      }),
      redeliver: Effect.fnUntraced(function* ({ params: { id } }) {
        const tenant = yield* CurrentTenant
        const log = yield* webhooks.redeliver(tenant.id, id).pipe(
          Effect.catchTags({
            DocumentNotFound: notFound,
            StoreUnavailable: unavailable,
            NotDeliverable: ({ message, why }) => Effect.fail(new Conflict({ ...conflicts[why], detail: message }))
          })
        )
        return viewOf(log)
      })
    })
  })
)
