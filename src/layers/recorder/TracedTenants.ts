import { type Context, Effect } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { TenantRegistry } from "../../services/TenantRegistry.ts"
import { decorate } from "./Decorate.ts"
import type { Recorder } from "./Recorder.ts"

type Queue = Context.Service.Shape<typeof DocumentQueue>
type Registry = Context.Service.Shape<typeof TenantRegistry>

/** Records a tenant's limits: when it first does something, and whenever they change. */
export const tracedTenants = (queue: Queue, registry: Registry, recorder: Recorder["Service"]) => {
  const describe = Effect.fnUntraced(function* (tenant: TenantId) {
    const limits = yield* registry.limits(tenant)
    // The recorded call must not fail for this.
    const paused = yield* Effect.orElseSucceed(queue.isPaused(tenant), () => false)
    recorder.isNew(tenant)
    recorder.write({ _tag: "Tenant", at: recorder.at(), tenant, limits, paused })
  })

  return {
    describe,
    seen: (tenant: TenantId) => Effect.suspend(() => (recorder.isNew(tenant) ? describe(tenant) : Effect.void)),
    registry: decorate<Registry>(registry, {
      update: (updating, tenant) => Effect.tap(updating, () => describe(tenant))
    })
  }
}
