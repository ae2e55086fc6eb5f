import { Clock, Context, Effect, Layer } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { TenantLimits } from "../../services/TenantRegistry.ts"
import { RetryAfterSlots } from "./retryAfter/RetryAfterSlots.ts"
import { LimitReached } from "../Ingestion.ts"

// Not effect/persistence RateLimiter: its memory store keeps every key for ever, and it cannot give a token back.

interface Bucket {
  tokens: number
  /** The time of the last refill. */
  at: number
  rate: number
  burst: number
}

const sweepMillis = 10_000

/**
 * The documents per second that a tenant may submit: one token bucket per tenant, of capacity `burst`. A full bucket is
 * forgotten. The present limits apply, so a change takes effect at once, also for the time since the last document.
 */
export class RateLimits extends Context.Service<
  RateLimits,
  {
    readonly take: (tenant: TenantId, limits: Pick<TenantLimits, "rate" | "burst">) => Effect.Effect<void, LimitReached>
    /** Gives a token back: the document was refused for another reason before anything of it was read. */
    readonly giveBack: (tenant: TenantId) => Effect.Effect<void>
    /** The number of buckets in memory: those that are not full, or became full a moment ago. */
    readonly size: () => number
  }
>()("sluice/actors/admission/RateLimits") {
  static readonly layer = Layer.sync(RateLimits, () => {
    const buckets = new Map<TenantId, Bucket>()
    const slots = new RetryAfterSlots()
    let sweptAt = 0

    const refill = (bucket: Bucket, now: number) => {
      bucket.tokens = Math.min(bucket.burst, bucket.tokens + (Math.max(0, now - bucket.at) * bucket.rate) / 1000)
      bucket.at = now
    }
    const sweep = (now: number) => {
      if (now - sweptAt < sweepMillis) return
      sweptAt = now
      for (const [tenant, bucket] of buckets) {
        refill(bucket, now)
        if (bucket.tokens >= bucket.burst) buckets.delete(tenant)
      }
    }
    const bucketOf = (tenant: TenantId, rate: number, burst: number, now: number): Bucket => {
      const known = buckets.get(tenant)
      if (known === undefined) {
        const full = { tokens: burst, at: now, rate, burst }
        buckets.set(tenant, full)
        return full
      }
      if (known.rate !== rate || known.burst !== burst) slots.forget(tenant)
      known.rate = rate
      known.burst = burst
      refill(known, now)
      return known
    }

    return RateLimits.of({
      take: (tenant, { burst, rate }) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          sweep(now)
          if (rate === undefined) {
            buckets.delete(tenant)
            return Effect.void
          }
          const bucket = bucketOf(tenant, rate, Math.max(1, burst), now)
          // Tolerates the rounding error of summed fractions.
          if (bucket.tokens >= 1 - 1e-9) {
            bucket.tokens = Math.max(0, bucket.tokens - 1)
            return Effect.void
          }
          // Callers that come back within one second find no more than a burst. A bucket of one token loses the tokens
          // that arrive between two whole seconds.
          const apart = 1000 / Math.min(rate, bucket.burst)
          const perToken = bucket.burst < 2 ? Math.ceil(apart / 1000) * 1000 : apart
          const first = ((1 - bucket.tokens) * 1000) / rate
          const retryAfterSeconds = slots.nextAtRate(tenant, now, perToken, first)
          return Effect.fail(new LimitReached({ limit: "tenant_rate", allowed: rate, retryAfterSeconds }))
        }),
      giveBack: (tenant) =>
        Effect.sync(() => {
          const bucket = buckets.get(tenant)
          if (bucket !== undefined) bucket.tokens = Math.min(bucket.burst, bucket.tokens + 1)
        }),
      size: () => buckets.size
    })
  })
}
