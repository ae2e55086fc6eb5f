import { Schema } from "effect"

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

/** The limits of one tenant. */
export const TenantLimits = Schema.Struct({
  documents,
  weight,
  backlog,
  pages,
  rate: Schema.optional(rate),
  burst,
  maxStoredBytes: Schema.optional(maxStoredBytes)
})
export interface TenantLimits extends Schema.Schema.Type<typeof TenantLimits> {}

/** The limits that were set for one tenant. Absent ones have their defaults. */
export const TenantOverride = Schema.Struct({
  documents: Schema.optionalKey(documents),
  weight: Schema.optionalKey(weight),
  backlog: Schema.optionalKey(backlog),
  pages: Schema.optionalKey(pages),
  rate: Schema.optionalKey(rate),
  burst: Schema.optionalKey(burst),
  maxStoredBytes: Schema.optionalKey(maxStoredBytes)
})
export interface TenantOverride extends Schema.Schema.Type<typeof TenantOverride> {}

/** The fields of a change of limits. */
export const limitsPatchFields = {
  documents: Schema.optionalKey(Schema.NullOr(documents)),
  weight: Schema.optionalKey(Schema.NullOr(weight)),
  backlog: Schema.optionalKey(Schema.NullOr(backlog)),
  pages: Schema.optionalKey(Schema.NullOr(pages)),
  rate: Schema.optionalKey(Schema.NullOr(rate)),
  burst: Schema.optionalKey(Schema.NullOr(burst)),
  maxStoredBytes: Schema.optionalKey(Schema.NullOr(maxStoredBytes))
}

/** A change of limits: `null` restores the default, an absent field stays unchanged. */
export const TenantLimitsPatch = Schema.Struct(limitsPatchFields)
export interface TenantLimitsPatch extends Schema.Schema.Type<typeof TenantLimitsPatch> {}

const names = ["documents", "weight", "backlog", "pages", "rate", "burst", "maxStoredBytes"] as const

/** The limits set for a tenant after the change. */
export const patched = (override: TenantOverride, patch: TenantLimitsPatch): TenantOverride => {
  const next: Partial<Record<(typeof names)[number], number>> = {}
  for (const name of names) {
    const value = patch[name] === undefined ? override[name] : patch[name]
    if (value !== undefined && value !== null) next[name] = value
  }
  return next
}
