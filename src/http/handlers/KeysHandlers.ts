import { Effect, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { TenantId } from "../../domain/Ids.ts"
import { ApiKeys } from "../../services/apiKeys/ApiKeys.ts"
import { Api } from "../api/Api.ts"
import { requireAdmin } from "../auth/CurrentTenant.ts"
import { storeProblems, unavailable } from "../api/problems/Failures.ts"
import { Conflict, NotFound } from "../api/problems/Problems.ts"

/** Annotates the span and the logs with the tenant of the path. */
const about = Effect.fnUntraced(function* (tenant: TenantId) {
  yield* requireAdmin
  const subject = { "tenant.id": tenant }
  yield* Effect.annotateCurrentSpan(subject)
  yield* Effect.annotateLogsScoped(subject)
})

export const KeysHandlers = HttpApiBuilder.group(
  Api,
  "keys",
  Effect.fn(function* (handlers) {
    const keys = yield* ApiKeys
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ params: { tenant }, payload: { name } }) {
        yield* about(tenant)
        const { key, text } = yield* keys.create(tenant, name).pipe(
          Effect.catchTags({
            StoreUnavailable: unavailable,
            TooManyApiKeys: (error) =>
              Effect.fail(
                new Conflict({
                  code: "TOO_MANY_KEYS",
                  detail: error.message,
                  advice: "Revoke a key that is no longer used.",
                  limit: error.allowed
                })
              )
          })
        )
        yield* Effect.logInfo("an API key was made").pipe(Effect.annotateLogs("key.id", key.id))
        return { ...key, key: Redacted.value(text) }
      }, Effect.scoped),
      list: Effect.fnUntraced(function* ({ params: { tenant } }) {
        yield* about(tenant)
        return { keys: yield* storeProblems(keys.list(tenant)) }
      }, Effect.scoped),
      revoke: Effect.fnUntraced(function* ({ params: { tenant, key } }) {
        yield* about(tenant)
        yield* keys.revoke(tenant, key).pipe(
          Effect.catchTags({
            StoreUnavailable: unavailable,
            ApiKeyNotFound: (error) => Effect.fail(new NotFound({ code: "KEY_NOT_FOUND", detail: error.message }))
          })
        )
        yield* Effect.logInfo("an API key was revoked").pipe(Effect.annotateLogs("key.id", key))
      }, Effect.scoped)
    })
  })
)
