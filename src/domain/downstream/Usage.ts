import { Schema } from "effect"
import { examples } from "../Examples.ts"
import type { TenantId } from "../Ids.ts"

/** A day by UTC: `2026-11-30`. */
export const Day = Schema.String.check(
  Schema.makeFilter((text: string) => {
    const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && dayOf(Date.parse(text)) === text
    return isDay || "a day such as 2026-11-30"
  })
).pipe(Schema.brand("Day"), examples("2026-11-30"))
export type Day = typeof Day.Type

const dayOf = (millis: number): string => new Date(millis).toISOString().slice(0, 10)

/** The day of a moment in milliseconds since the epoch. */
export const dayAt = (millis: number): Day => Day.make(dayOf(millis))

/** The first day of the moment's month. */
export const monthAt = (millis: number): Day => Day.make(`${dayOf(millis).slice(0, 7)}-01`)

/** The moment at which the next month begins. */
export const nextMonth = (millis: number): number => {
  const date = new Date(millis)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

/** The page workers of the engine, as a resource that is used. */
export const workerResource = "worker"

const natural = (description: string) => Schema.Natural.annotate({ description })
const amount = (description: string) => Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).annotate({ description })

/** What was used. */
export const amountFields = {
  calls: natural("Calls of downstreams that were answered."),
  downstreamMillis: amount("Milliseconds of permits of downstreams."),
  tokens: amount("Tokens that downstreams reported."),
  cost: amount("What downstreams reported as cost, in the unit of their budgets."),
  pages: natural("Pages that got their result."),
  workerMillis: amount("Milliseconds of page workers.")
}
export const UsedAmounts = Schema.Struct(amountFields)
export interface UsedAmounts extends Schema.Schema.Type<typeof UsedAmounts> {}

export const amountNames = ["calls", "downstreamMillis", "tokens", "cost", "pages", "workerMillis"] as const

export const nothingUsed: UsedAmounts = {
  calls: 0,
  downstreamMillis: 0,
  tokens: 0,
  cost: 0,
  pages: 0,
  workerMillis: 0
}

export const plus = (one: UsedAmounts, other: Partial<UsedAmounts>): UsedAmounts => ({
  calls: one.calls + (other.calls ?? 0),
  downstreamMillis: one.downstreamMillis + (other.downstreamMillis ?? 0),
  tokens: one.tokens + (other.tokens ?? 0),
  cost: one.cost + (other.cost ?? 0),
  pages: one.pages + (other.pages ?? 0),
  workerMillis: one.workerMillis + (other.workerMillis ?? 0)
})

/** What a tenant used of a resource (`worker`, or a downstream) on a day. */
export interface UsageRow extends UsedAmounts {
  readonly tenantId: TenantId
  readonly day: Day
  readonly resource: string
}

export const UsageBy = Schema.Literals(["tenant", "day", "downstream"])
export type UsageBy = typeof UsageBy.Type

/** The sum of all rows with this key: a tenant, a day, or the name of a resource. */
export interface UsageSum extends UsedAmounts {
  readonly key: string
}
