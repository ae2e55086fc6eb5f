import { Effect } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { TenantLimitsPatch } from "../../domain/tenant/TenantLimits.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import { TenantDirectory } from "./TenantDirectory.ts"

/** Changes of a tenant's limits and its pause. Its actor is told, which then looks at both. */
export const makeTenantChanges = Effect.gen(function* () {
  const queue = yield* DocumentQueue
  const registry = yield* TenantRegistry
  const directory = yield* TenantDirectory

  const pause = Effect.fn("Ingestion.pause")((tenant: TenantId) => queue.setPaused(tenant, true))

  const resume = Effect.fn("Ingestion.resume")(function* (tenant: TenantId) {
    yield* queue.setPaused(tenant, false)
    yield* directory.tell(tenant, { _tag: "Wake" })
  }, Effect.uninterruptible)

  const setLimits = Effect.fn("Ingestion.setLimits")(function* (
    tenant: TenantId,
    patch: TenantLimitsPatch,
    paused?: boolean
  ) {
    const pausing = paused === undefined ? undefined : { paused, write: queue.setPaused(tenant, paused) }
    const limits = yield* registry.update(tenant, patch, pausing)
    yield* directory.tell(tenant, { _tag: "Wake" })
    return limits
  }, Effect.uninterruptible)

  return { pause, resume, setLimits }
})
