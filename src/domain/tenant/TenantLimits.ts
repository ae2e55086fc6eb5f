import { Schema, Struct } from "effect"
import { PipelineName } from "../pipeline/Pipeline.ts"

/** A whole number from 1 to `maximum`, with the same bounds as the engine's own settings. */
const count = (maximum = 1_000_000_000) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))

const documents = count(10_000).annotate({ description: "Documents open at once." })
const weight = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0.001), Schema.isLessThanOrEqualTo(1000)).annotate({
  description: "Share of worker time, relative to the other tenants that have work."
})
const backlog = count().annotate({ description: "Documents that may wait." })
const pages = count(1_000).annotate({ description: "Pages of one document being read at once." })
const rate = Schema.Finite.check(Schema.isGreaterThan(0)).annotate({
  description: "Documents per second that are accepted; no limit when there is none."
})
const burst = count().annotate({ description: "Documents accepted at once before `rate` counts." })

const maxStoredBytes = count(Number.MAX_SAFE_INTEGER).annotate({
  description: "Bytes of originals and results that are kept; no limit when there is none."
})

const pipeline = PipelineName.annotate({
  description: "Documents that name no pipeline go through this one; the engine's default when there is none."
})

/** The one list of limits, and of what else is said of a tenant: what is sent, configured and stored has these names. */
const numbers = { documents, weight, backlog, pages, rate, burst, maxStoredBytes }
const limits = { ...numbers, pipeline }

/** The limits of one tenant. */
export const TenantLimits = Schema.Struct({
  ...limits,
  rate: Schema.optional(rate),
  maxStoredBytes: Schema.optional(maxStoredBytes),
  pipeline: Schema.optional(pipeline)
})
export interface TenantLimits extends Schema.Schema.Type<typeof TenantLimits> {}

/** The limits that were set for one tenant. Absent ones have their defaults. */
export const TenantOverride = Schema.Struct(Struct.map(limits, Schema.optionalKey))
export interface TenantOverride extends Schema.Schema.Type<typeof TenantOverride> {}

/** The fields of a change of limits. */
export const limitsPatchFields = Struct.map(Struct.map(limits, Schema.NullOr), Schema.optionalKey)

/** A change of limits: `null` restores the default, an absent field stays unchanged. */
export const TenantLimitsPatch = Schema.Struct(limitsPatchFields)
export interface TenantLimitsPatch extends Schema.Schema.Type<typeof TenantLimitsPatch> {}

export type LimitName = keyof typeof limits
export const limitNames: ReadonlyArray<LimitName> = Struct.keys(limits)

/** The limits set for a tenant after the change. */
export const patched = (override: TenantOverride, patch: TenantLimitsPatch): TenantOverride => {
  const next: Partial<Record<keyof typeof numbers, number>> = {}
  for (const name of Struct.keys(numbers)) {
    const value = patch[name] === undefined ? override[name] : patch[name]
    if (value !== undefined && value !== null) next[name] = value
  }
  const named = patch.pipeline === undefined ? override.pipeline : patch.pipeline
  return named === undefined || named === null ? next : { ...next, pipeline: named }
}
