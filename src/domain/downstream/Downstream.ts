import { Schema, Struct } from "effect"
import { examples } from "../Examples.ts"
import { TenantId } from "../Ids.ts"

/** The name of something outside the engine that stages call: an OCR, a parser, a model. Operators choose it. */
export const DownstreamName = Schema.String.check(
  Schema.isPattern(/^(?!worker$)[a-z][a-z0-9_-]{0,62}$/, {
    message:
      "a downstream's name is 1 to 63 lower-case letters, digits, dashes or underscores, starts with a letter, and is not `worker`"
  })
).pipe(Schema.brand("DownstreamName"), examples("ocr"))
export type DownstreamName = typeof DownstreamName.Type

/** `online` calls have someone waiting for them: they go first, and a reserve of permits is theirs alone. */
export const CallClass = Schema.Literals(["online", "batch"])
export type CallClass = typeof CallClass.Type

/**
 * Why a call of a downstream brought no answer. The codes are part of the public interface: they may be added to, but never
 * renamed. `own` means that the page itself may be to blame, so that it costs one of the page's retries.
 */
const catalogue = {
  DOWNSTREAM_UNAVAILABLE: {
    own: false,
    advice: "Check that it runs and can be reached; it is called again by itself."
  },
  DOWNSTREAM_BUSY: { own: false, advice: "Wait, send less at once, or raise `maxWait`, `queue` or `concurrency`." },
  BUDGET_EXHAUSTED: { own: false, advice: "Wait for the budget's reset, or raise `tokens` or `cost`." },
  MONTHLY_CAP_REACHED: { own: false, advice: "Wait for the next month, or raise the tenant's `monthly` cap." },
  DOWNSTREAM_UNKNOWN: { own: false, advice: "Declare it under `downstreams`, or correct the name." },
  STAGE_TIMEOUT: { own: true, advice: "Raise `timeout.firstByte` or `timeout.whole`, or send less in one call." }
} as const

export const DownstreamCode = Schema.Literals(Struct.keys(catalogue))
export type DownstreamCode = typeof DownstreamCode.Type

export const adviceOf = (code: DownstreamCode): string => catalogue[code].advice

/** Whether the page itself may be to blame. */
export const isOwn = (code: DownstreamCode): boolean => catalogue[code].own

/**
 * What becomes of a stage whose downstream cannot be used now: its page waits, goes on without the stage and with a warning,
 * fails, or takes another stage instead (`use:<stage>`).
 */
export const OnExhausted = Schema.String.check(
  Schema.isPattern(/^(wait|skip|fail|use:[A-Za-z][A-Za-z0-9_.-]*)$/, {
    message: "`wait`, `skip`, `fail`, or `use:` and the name of a stage"
  })
)
export type OnExhausted = typeof OnExhausted.Type

/** The kinds of refusals that are counted apart. */
export const refusalKinds = ["far_side", "queue_full", "max_wait", "budget", "breaker", "monthly_cap"] as const
export type RefusalKind = (typeof refusalKinds)[number]

const Amount = Schema.Finite
const count = Schema.Natural

const BudgetState = Schema.Struct({
  limit: Amount,
  left: Amount.annotate({ description: "What calls may still take until the reset." }),
  resetsAt: Schema.DateTimeUtcFromString
})

/** A downstream as it is now, in this process. */
export const DownstreamState = Schema.Struct({
  name: DownstreamName,
  paused: Schema.Boolean,
  inUse: Schema.Struct({ online: count, batch: count }).annotate({ description: "Calls under way." }),
  waiting: Schema.Struct({ online: count, batch: count }),
  limit: count.annotate({ description: "Calls that may be under way at once; follows refusals unless it is fixed." }),
  limits: Schema.Struct({ min: count, max: count, reserve: count }),
  breaker: Schema.Literals(["closed", "open", "half-open"]),
  blocked: Schema.optionalKey(
    Schema.Literals(["paused", "far_side", "breaker", "rate", "tokens", "cost"]).annotate({
      description: "Why nothing is sent just now although permits are free."
    })
  ),
  tokens: Schema.optionalKey(BudgetState),
  cost: Schema.optionalKey(BudgetState),
  refusals: Schema.Struct({
    far_side: count,
    queue_full: count,
    max_wait: count,
    budget: count,
    breaker: count,
    monthly_cap: count
  }).annotate({ description: "Since the process started, by kind; `far_side` are its answers 429 and 503." }),
  calls: count.annotate({ description: "Calls that were answered, since the process started." }),
  lastFailure: Schema.optionalKey(
    Schema.Struct({ at: Schema.DateTimeUtcFromString, message: Schema.String }).annotate({
      description: "The last refusal, time-out or failure of its own, since the process started."
    })
  ),
  tenants: Schema.Array(Schema.Struct({ tenantId: TenantId, inUse: count, waiting: count, used: Amount })).annotate({
    description: "Tenants with calls under way or waiting, and what they used of late, up to 100; the most used first."
  }),
  usedIn: Schema.Literals(["millis", "tokens", "cost"]).annotate({
    description: "What the downstream is shared by, and `used` counts."
  })
}).pipe(
  Schema.annotate({ identifier: "DownstreamState" }),
  examples({
    name: "ocr",
    paused: false,
    inUse: { online: 1, batch: 3 },
    waiting: { online: 0, batch: 41 },
    limit: 4,
    limits: { min: 1, max: 64, reserve: 1 },
    breaker: "closed",
    tokens: { limit: 1_000_000, left: 812_400, resetsAt: "2026-12-01T00:00:00.000Z" },
    refusals: { far_side: 6, queue_full: 0, max_wait: 0, budget: 0, breaker: 0, monthly_cap: 0 },
    calls: 1_204,
    lastFailure: { at: "2026-11-30T09:15:29.000Z", message: "it answered with status 429" },
    tenants: [{ tenantId: "acme", inUse: 4, waiting: 41, used: 187_600 }],
    usedIn: "tokens"
  })
)
export interface DownstreamState extends Schema.Schema.Type<typeof DownstreamState> {}
