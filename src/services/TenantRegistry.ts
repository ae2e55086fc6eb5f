import { ByteSize, Config, Context, Effect, Layer, Result, Schema, Semaphore } from "effect"
import { TenantId } from "../domain/Ids.ts"
import { patched, type TenantLimits, type TenantLimitsPatch, TenantOverride } from "../domain/tenant/TenantLimits.ts"
import type { StoreUnavailable } from "./store/StoreErrors.ts"
import { EngineConfig } from "./config/EngineConfig.ts"
import { KnownLimits } from "./KnownLimits.ts"

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

/**
 * Changed limits in memory, with the version of each change. Registries over the same rows are like processes over one
 * database: each sees the others' changes when it is refreshed.
 */
export interface LimitRows {
  readonly byTenant: Map<TenantId, { readonly override: TenantOverride; readonly version: number }>
  lastVersion: number
}

export const makeLimitRows = (): LimitRows => ({ byTenant: new Map(), lastVersion: 0 })

/** The limits of each tenant. A tenant that is not configured gets the engine's defaults. */
export class TenantRegistry extends Context.Service<
  TenantRegistry,
  {
    /** Answers from memory, so it cannot fail. What another process changed is in it after the next `refresh`. */
    readonly limits: (tenant: TenantId) => Effect.Effect<TenantLimits>
    /**
     * Once it succeeds, the change is in effect, for as long as the registry keeps anything; when it fails, nothing of it is.
     * It changes what is stored, which may be newer than what this process has seen.
     * With `pausing` the tenant is paused or resumed, too: in the same commit if the store's database keeps the limits, else
     * before or after the limits change, so that no document starts under half of the change.
     */
    readonly update: (
      tenant: TenantId,
      patch: TenantLimitsPatch,
      pausing?: Pausing
    ) => Effect.Effect<TenantLimits, StoreUnavailable>
    /**
     * Takes over the changes that other processes have made since the last refresh; answers with their tenants. Costs one
     * query, which reads those changes and nothing else.
     */
    readonly refresh: Effect.Effect<ReadonlyArray<TenantId>, StoreUnavailable>
  }
>()("sluice/services/TenantRegistry") {
  /** Overrides over the engine's defaults. Changes are kept in memory, in rows that several registries may share. */
  static readonly layer = (overrides: TenantOverrides = {}, rows: LimitRows = makeLimitRows()) =>
    Layer.effect(
      TenantRegistry,
      Effect.map(limitsOver(overrides), (limitsOf) => inMemory(limitsOf, rows))
    )

  /** The same with the overrides of `TENANT_LIMITS`. */
  static readonly layerFromEnv = Layer.unwrap(
    Effect.map(overridesFromEnv, (overrides) => TenantRegistry.layer(overrides))
  )
}

type LimitsOf = Effect.Success<ReturnType<typeof limitsOver>>

const inMemory = (limitsOf: LimitsOf, rows: LimitRows) => {
  const known = new KnownLimits()
  known.take(rows.byTenant)
  const turn = Semaphore.makeUnsafe(1)
  const keep = (tenant: TenantId, override: TenantOverride) =>
    Effect.sync(() => {
      const version = ++rows.lastVersion
      rows.byTenant.set(tenant, { override, version })
      known.set(tenant, override, version)
    })
  return TenantRegistry.of({
    limits: (tenant) => Effect.sync(() => limitsOf(tenant, known.of(tenant))),
    update: Effect.fn("TenantRegistry.update")(
      function* (tenant, patch, pausing) {
        const before = rows.byTenant.get(tenant)?.override ?? {}
        const changed = patched(before, patch)
        if (pausing?.paused === true) yield* pausing.write
        yield* keep(tenant, changed)
        if (pausing?.paused === false) yield* Effect.onError(pausing.write, () => keep(tenant, before))
        return limitsOf(tenant, changed)
      },
      (update) => turn.withPermit(update)
    ),
    refresh: Effect.sync(() => known.take(rows.byTenant))
  })
}
