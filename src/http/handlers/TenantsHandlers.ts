import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../actors/Ingestion.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { ApiKeys } from "../../services/apiKeys/ApiKeys.ts"
import { Api } from "../api/Api.ts"
import { CurrentTenant, requireAdmin } from "../auth/CurrentTenant.ts"
import { storeProblems } from "../api/problems/Failures.ts"
import { Forbidden } from "../api/problems/Problems.ts"

const forbidden = (detail: string) => Effect.fail(new Forbidden({ code: "FORBIDDEN", detail }))

/** The tenant that the path names, if the caller may access it. From here on the span and the logs name this tenant. */
export const named = Effect.fnUntraced(function* (tenant: TenantId) {
  const own = yield* CurrentTenant
  if (!own.admin && own.id !== tenant) return yield* forbidden("a tenant sees and changes itself only")
  const subject = { "tenant.id": tenant }
  yield* Effect.annotateCurrentSpan(subject)
  yield* Effect.annotateLogsScoped(subject)
  return own
})

export const TenantsHandlers = HttpApiBuilder.group(
  Api,
  "tenants",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const keys = yield* ApiKeys
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query: { cursor, detail, limit = 50 } }) {
        yield* requireAdmin
        const found = yield* storeProblems(keys.tenants({ after: cursor, limit: limit + 1 }))
        const some = found.slice(0, limit)
        const last = found.length > limit ? some.at(-1) : undefined
        const tenants =
          detail === "state"
            ? yield* Effect.forEach(some, (one) =>
                Effect.map(storeProblems(ingestion.tenant(one.tenantId)), (state) => ({ ...one, state }))
              )
            : some
        return last === undefined ? { tenants } : { tenants, nextCursor: last.tenantId }
      }),
      own: Effect.fnUntraced(function* () {
        const { id } = yield* CurrentTenant
        return yield* storeProblems(ingestion.tenant(id))
      }),
      find: Effect.fnUntraced(function* ({ params: { tenant } }) {
        yield* named(tenant)
        return yield* storeProblems(ingestion.tenant(tenant))
      }, Effect.scoped),
      change: Effect.fnUntraced(function* ({ params: { tenant }, payload: { paused, ...limits } }) {
        const { admin } = yield* named(tenant)
        const limited = Object.keys(limits).length > 0
        // Shares divide a common resource: a tenant that could raise its own share would take from the others.
        if (limited && !admin) return yield* forbidden("a tenant does not set its own limits")
        if (limited || paused !== undefined) yield* storeProblems(ingestion.setLimits(tenant, limits, paused))
        return yield* storeProblems(ingestion.tenant(tenant))
      }, Effect.scoped),
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
