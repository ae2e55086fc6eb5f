import { ByteSize, Config, Context, Effect, Layer, Result, Schema, Semaphore } from "effect"
import { TenantId } from "../domain/Ids.ts"
import { patched, type TenantLimits, type TenantLimitsPatch, TenantOverride } from "../domain/tenant/TenantLimits.ts"
import type { StoreUnavailable } from "./store/StoreErrors.ts"
import { EngineConfig } from "./config/EngineConfig.ts"

export type { TenantLimits, TenantLimitsPatch } from "../domain/tenant/TenantLimits.ts"

const Overrides = Schema.Record(TenantId, TenantOverride)
export type TenantOverrides = typeof Overrides.Type

/** A misspelt limit is refused, not ignored. */
const decodeOverrides = (text: string) =>
  Schema.decodeUnknownResult(Schema.fromJsonString(Overrides))(text, { onExcessProperty: "error" })

const OverridesText = Schema.String.check(
  Schema.makeFilter((text: string) => {
    const decoded = decodeOverrides(text)
    return Result.isSuccess(decoded) || `limits by tenant in JSON: ${decoded.failure.message.replaceAll(/\s+/g, " ")}`
  })
)

/** `TENANT_LIMITS`, a JSON object by tenant id: `{"acme":{"documents":4,"weight":2}}`. */
export const overridesFromEnv: Config.Config<TenantOverrides> = Config.schema(OverridesText, "TENANT_LIMITS").pipe(
  Config.map((text) => Result.getOrElse(decodeOverrides(text), () => ({}))),
  Config.withDefault({})
)

/** Seconds of a tenant's rate that may come at once, unless the tenant has a burst of its own. */
const burstSeconds = 10
const largestBurst = 1_000_000_000

const burstOf = (rate: number | undefined): number =>
  rate === undefined ? 1 : Math.min(largestBurst, Math.max(1, Math.ceil(burstSeconds * rate)))

/**
 * A tenant's limits: changes made while the engine ran come first, then the tenant's entry in the configuration, then the
 * engine's defaults.
 */
export const limitsOver = Effect.fnUntraced(function* (overrides: TenantOverrides) {
  const config = yield* EngineConfig
  const configured = new Map(Object.entries(overrides))
  const defaults = {
    documents: config.tenantDocuments,
    weight: 1,
    backlog: config.queueSize,
    pages: config.documentPages,
    maxStoredBytes:
      config.tenantStoredBytes === undefined ? undefined : ByteSize.toNumberUnsafe(config.tenantStoredBytes)
  }
  return (tenant: TenantId, changed: TenantOverride | undefined): TenantLimits => {
    const said = { ...configured.get(tenant), ...changed }
    return { ...defaults, rate: undefined, burst: burstOf(said.rate), ...said }
  }
})

/** A change of limits may come with the pause of the tenant. */
export interface Pausing {
  readonly paused: boolean
  /** Writes the pause to the store, for a registry that does not keep its changes in the store's own database. */
  readonly write: Effect.Effect<void, StoreUnavailable>
}

/** The limits of each tenant. A tenant that is not configured gets the engine's defaults. */
export class TenantRegistry extends Context.Service<
  TenantRegistry,
  {
    /** Answers from memory, so it cannot fail. */
    readonly limits: (tenant: TenantId) => Effect.Effect<TenantLimits>
    /**
     * Once it succeeds, the change is in effect, for as long as the registry keeps anything; when it fails, nothing of it is.
     * With `pausing` the tenant is paused or resumed, too: in the same commit if the store's database keeps the limits, else
     * before or after the limits change, so that no document starts under half of the change.
     */
    readonly update: (
      tenant: TenantId,
      patch: TenantLimitsPatch,
      pausing?: Pausing
    ) => Effect.Effect<TenantLimits, StoreUnavailable>
  }
>()("sluice/services/TenantRegistry") {
  /** Overrides over the engine's defaults. Changes are kept in memory. */
  static readonly layer = (overrides: TenantOverrides = {}) =>
    Layer.effect(
      TenantRegistry,
      Effect.map(limitsOver(overrides), (limitsOf) => {
        const changes = new Map<TenantId, TenantOverride>()
        const turn = Semaphore.makeUnsafe(1)
        const keep = (tenant: TenantId, override: TenantOverride) =>
          Effect.sync(() => {
            if (Object.keys(override).length === 0) changes.delete(tenant)
            else changes.set(tenant, override)
          })
        return TenantRegistry.of({
          limits: (tenant) => Effect.sync(() => limitsOf(tenant, changes.get(tenant))),
          update: Effect.fn("TenantRegistry.update")(
            function* (tenant, patch, pausing) {
              const before = changes.get(tenant) ?? {}
              const changed = patched(before, patch)
              if (pausing?.paused === true) yield* pausing.write
              yield* keep(tenant, changed)
              if (pausing?.paused === false) yield* Effect.onError(pausing.write, () => keep(tenant, before))
              return limitsOf(tenant, changed)
            },
            (update) => turn.withPermit(update)
          )
        })
      })
    )

  /** The same with the overrides of `TENANT_LIMITS`. */
  static readonly layerFromEnv = Layer.unwrap(
    Effect.map(overridesFromEnv, (overrides) => TenantRegistry.layer(overrides))
  )
}
