import { Clock, Context, Effect, Layer } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { TenantLimits } from "../../services/TenantRegistry.ts"
import { RetryAfterSlots } from "./retryAfter/RetryAfterSlots.ts"
import { LimitReached } from "../Ingestion.ts"

// Not effect/persistence RateLimiter: its memory store keeps every key for ever, and a store of our own that forgets full buckets
// would contain everything that is here but for the Retry-After, of which the limiter tells every caller the same.

interface Bucket {
  readonly tokens: number
  /** The time of the last refill. */
  readonly at: number
  readonly rate: number
  readonly burst: number
}

const refilled = ({ at, burst, rate, tokens }: Bucket, now: number) =>
  Math.min(burst, tokens + (Math.max(0, now - at) * rate) / 1000)

const sweepMillis = 10_000

/**
 * The documents per second that a tenant may submit: one token bucket per tenant, of capacity `burst`. A full bucket is
 * forgotten. The present limits apply, so a change takes effect at once, also for the time since the last document.
 */
export class RateLimits extends Context.Service<
  RateLimits,
  {
    readonly take: (tenant: TenantId, limits: Pick<TenantLimits, "rate" | "burst">) => Effect.Effect<void, LimitReached>
    /** The number of buckets in memory: those that are not full, or became full a moment ago. */
    readonly size: () => number
  }
>()("sluice/actors/admission/RateLimits") {
  static readonly layer = Layer.sync(RateLimits, () => {
    const buckets = new Map<TenantId, Bucket>()
    const slots = new RetryAfterSlots()
    let sweptAt = 0

    const sweep = (now: number) => {
      if (now - sweptAt < sweepMillis) return
      sweptAt = now
      for (const [tenant, bucket] of buckets) if (refilled(bucket, now) >= bucket.burst) buckets.delete(tenant)
    }

    return RateLimits.of({
      take: (tenant, limits) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          sweep(now)
          const { rate } = limits
          if (rate === undefined) {
            buckets.delete(tenant)
            return Effect.void
          }
          const burst = Math.max(1, limits.burst)
          const known = buckets.get(tenant)
          if (known !== undefined && (known.rate !== rate || known.burst !== burst)) slots.forget(tenant)
          const tokens = refilled({ tokens: burst, at: now, ...known, rate, burst }, now)
          // Tolerates the rounding error of summed fractions.
          const isTaken = tokens >= 1 - 1e-9
          buckets.set(tenant, { tokens: isTaken ? Math.max(0, tokens - 1) : tokens, at: now, rate, burst })
          if (isTaken) return Effect.void
          // Callers that come back within one second find no more than a burst. A bucket of one token loses the tokens
          // that arrive between two whole seconds.
          const apart = 1000 / Math.min(rate, burst)
          const perToken = burst < 2 ? Math.ceil(apart / 1000) * 1000 : apart
          const retryAfterSeconds = slots.nextAtRate(tenant, now, perToken, ((1 - tokens) * 1000) / rate)
          return Effect.fail(new LimitReached({ limit: "tenant_rate", allowed: rate, retryAfterSeconds }))
        }),
      size: () => buckets.size
    })
  })
}
