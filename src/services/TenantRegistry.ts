import { Config, Context, Effect, Layer, Result, Schema } from "effect"
import { TenantId } from "../domain/Ids.ts"
import { EngineConfig } from "./EngineConfig.ts"

/** What one tenant may have. */
export interface TenantLimits {
  /** Documents open at once. */
  readonly documents: number
  /** Share of worker time, relative to the other tenants that have work. */
  readonly weight: number
  /** Documents that may wait. */
  readonly backlog: number
}

const Overrides = Schema.Record(
  TenantId,
  Schema.Struct({
    documents: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
    weight: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThan(0))),
    backlog: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
  })
)
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

/** Says what each tenant may have. A tenant that nobody described gets the engine's defaults. */
export class TenantRegistry extends Context.Service<
  TenantRegistry,
  { readonly limits: (tenant: TenantId) => Effect.Effect<TenantLimits> }
>()("sluice/services/TenantRegistry") {
  /** Fixed overrides over the engine's defaults. */
  static readonly layer = (overrides: TenantOverrides = {}) =>
    Layer.effect(
      TenantRegistry,
      Effect.map(EngineConfig, (config) => {
        const known = new Map(Object.entries(overrides))
        const defaults: TenantLimits = { documents: config.tenantDocuments, weight: 1, backlog: config.queueSize }
        return TenantRegistry.of({ limits: (tenant) => Effect.succeed({ ...defaults, ...known.get(tenant) }) })
      })
    )

  /** `TENANT_LIMITS`, a JSON object by tenant id: `{"acme":{"documents":4,"weight":2}}`. */
  static readonly layerFromEnv = Layer.unwrap(
    Effect.map(
      Config.schema(OverridesText, "TENANT_LIMITS").pipe(
        Config.map((text) => Result.getOrElse(decodeOverrides(text), () => ({}))),
        Config.withDefault({})
      ),
      (overrides) => TenantRegistry.layer(overrides)
    )
  )
}
