import { Result } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { DownstreamChange, DownstreamSettings, TenantCaps } from "../../services/downstreams/DownstreamSettings.ts"
import { AdaptiveLimit } from "./AdaptiveLimit.ts"
import { Budget } from "./Budget.ts"

type Written = Pick<
  DownstreamSettings,
  "concurrency" | "reserve" | "rate" | "tokens" | "cost" | "maxWait" | "queue" | "onExhausted"
>

/** The settings of one downstream that may change at run time, and what follows from them. */
export class LiveSettings {
  readonly fixed: DownstreamSettings
  paused = false
  now: Written
  limit: AdaptiveLimit
  tokens: Budget | undefined
  cost: Budget | undefined
  /** Grows with each change of the rate, which then begins anew. */
  rateVersion = 0

  constructor(settings: DownstreamSettings) {
    this.fixed = settings
    this.now = settings
    this.limit = new AdaptiveLimit(settings.concurrency)
    this.tokens = settings.tokens && new Budget(settings.tokens)
    this.cost = settings.cost && new Budget(settings.cost)
  }

  /** The unit in which tenants share the downstream: what is scarcest of it. Millionths, for cost. */
  get sharedBy(): "millis" | "tokens" | "cost" {
    return this.cost !== undefined ? "cost" : this.tokens !== undefined ? "tokens" : "millis"
  }

  capsOf(tenant: TenantId): TenantCaps {
    return this.fixed.tenants?.[tenant] ?? this.fixed.perTenant ?? {}
  }

  /** Applies the change, or says what is wrong with it. A changed budget begins anew; one of days counts what the store says was used. */
  change({ concurrency, cost, paused, rate, tokens, ...plain }: DownstreamChange): Result.Result<void, string> {
    const most = concurrency ?? this.now.concurrency
    const max = typeof most === "number" ? most : most.max
    const reserve = plain.reserve ?? this.now.reserve
    if (reserve >= max) return Result.fail(`reserve: ${reserve} of ${max} leaves no permit to batch calls`)
    const { cost: _, rate: __, tokens: ___, ...others } = this.now
    const nextRate = rate === undefined ? this.now.rate : (rate ?? undefined)
    const nextTokens = tokens === undefined ? this.now.tokens : (tokens ?? undefined)
    const nextCost = cost === undefined ? this.now.cost : (cost ?? undefined)
    this.now = {
      ...others,
      ...plain,
      concurrency: most,
      ...(nextRate && { rate: nextRate }),
      ...(nextTokens && { tokens: nextTokens }),
      ...(nextCost && { cost: nextCost })
    }
    if (concurrency !== undefined) this.limit = new AdaptiveLimit(concurrency)
    if (tokens !== undefined) this.tokens = tokens === null ? undefined : new Budget(tokens)
    if (cost !== undefined) this.cost = cost === null ? undefined : new Budget(cost)
    if (rate !== undefined) this.rateVersion++
    if (paused !== undefined) this.paused = paused
    return Result.void
  }
}
