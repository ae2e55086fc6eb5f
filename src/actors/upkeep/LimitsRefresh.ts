import { Effect, Layer } from "effect"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import { untraced } from "../../observability/Untraced.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"
import { backgroundLoop } from "./BackgroundLoop.ts"

/**
 * Takes over the limits that other processes changed, and wakes their tenants, as a change made here does: the tenant's actor
 * then resizes its gates and sets its weight. What reads the limits at each use needs no message.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const registry = yield* TenantRegistry
    const directory = yield* TenantDirectory
    const { limitsRefresh } = yield* EngineConfig

    const pass = Effect.flatMap(untraced(registry.refresh), (tenants) =>
      Effect.forEach(tenants, (tenant) => directory.tell(tenant, { _tag: "Wake" }), { discard: true })
    )
    yield* backgroundLoop({
      name: "the refresh of limits",
      pass,
      rest: Effect.sleep(limitsRefresh),
      begins: "after a rest"
    })
  })
)
