import { Effect, Result, Schema } from "effect"
import type { TenantId } from "../../src/domain/Ids.ts"
import { type TenantLimits, type TenantOverride, TenantLimitsPatch } from "../../src/domain/tenant/TenantLimits.ts"
import type { Workload } from "./Workload.ts"

/** What `--set` says is not to be had. */
export class SettingRefused extends Schema.TaggedError<SettingRefused>()("SettingRefused", {
  setting: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `--set ${this.setting}: ${this.detail}`
  }
}

export interface TenantSettings extends TenantLimitsPatch {
  readonly paused?: boolean
}

/** What differs from the recording. */
export interface Settings {
  readonly workers?: number
  readonly documents?: number
  readonly backlog?: number
  readonly tenants: ReadonlyMap<TenantId, TenantSettings>
}

export const asRecorded: Settings = { tenants: new Map() }

const count = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))
const EngineSettings = Schema.Struct({
  workers: Schema.optionalKey(count(256)),
  documents: Schema.optionalKey(count(10_000)),
  backlog: Schema.optionalKey(count(1_000_000_000))
})
const TenantFields = Schema.Struct({ ...TenantLimitsPatch.fields, paused: Schema.optionalKey(Schema.Boolean) })

const strict = { onExcessProperty: "error" } as const
const decodeEngine = Schema.decodeUnknownResult(EngineSettings, strict)
const decodeTenant = Schema.decodeUnknownResult(TenantFields, strict)
const decodeValue = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))

const namesOf = (schema: { readonly fields: object }) => Object.keys(schema.fields).join(", ")

/** `acme.weight=4`, `workers=4`. The name of a tenant may contain dots, a field does not; `tenant.` may stand before it. */
export const parseSettings = Effect.fnUntraced(function* (texts: ReadonlyArray<string>, workload: Workload) {
  const known = new Set<string>(workload.documents.map(({ tenant }) => tenant))
  const tenants = new Map<TenantId, TenantSettings>()
  let engine: typeof EngineSettings.Type = {}
  const tenantNamed = (name: string) => {
    const names = [name, name.replace(/^tenant\./, "")]
    return workload.documents.find(({ tenant }) => names.includes(tenant))?.tenant
  }
  for (const setting of texts) {
    const refuse = (detail: string) => new SettingRefused({ setting, detail })
    const match = /^(?:(.+)\.)?([^.=]+)=(.+)$/.exec(setting)
    if (match === null) return yield* refuse("write NAME.field=value for a tenant, or field=value for the engine")
    const [, name, field = "", text = ""] = match
    const value = decodeValue(text)
    if (Result.isFailure(value)) return yield* refuse(`${text} is no value`)
    const change = { [field]: value.success }
    if (name === undefined) {
      if (!(field in EngineSettings.fields)) return yield* refuse(`the engine has ${namesOf(EngineSettings)}`)
      const decoded = decodeEngine(change)
      if (Result.isFailure(decoded)) return yield* refuse(plain(decoded.failure.message))
      engine = { ...engine, ...decoded.success }
      continue
    }
    const tenant = tenantNamed(name)
    if (tenant === undefined) {
      return yield* refuse(
        `there is no tenant ${name} in the trace, but ${[...known].toSorted().slice(0, 20).join(", ")}`
      )
    }
    if (!(field in TenantFields.fields)) return yield* refuse(`a tenant has ${namesOf(TenantFields)}`)
    const decoded = decodeTenant(change)
    if (Result.isFailure(decoded)) return yield* refuse(plain(decoded.failure.message))
    tenants.set(tenant, { ...tenants.get(tenant), ...decoded.success })
  }
  const settings: Settings = { ...engine, tenants }
  return settings
})

const plain = (message: string) => message.replaceAll(/\s+/g, " ")

/**
 * What the tenant may have in a replay. A rate let through what was recorded, so it is not asked again unless it is
 * another one. What is set to `null` has the engine's default.
 */
export const overrideOf = (recorded: TenantLimits, set: TenantSettings): TenantOverride => {
  const { burst, rate, ...rest } = recorded
  const asked = set.rate !== undefined || set.burst !== undefined
  const limits = asked && rate !== undefined ? { ...rest, rate, burst } : rest
  const merged = { ...limits, ...set }
  const override: Record<string, number> = {}
  for (const [name, value] of Object.entries(merged)) if (typeof value === "number") override[name] = value
  return override
}
