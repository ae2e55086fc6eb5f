import { Clock, Context, Effect, Layer } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { TenantLimits } from "../../services/TenantRegistry.ts"
import { RetryAfterSlots } from "./retryAfter/RetryAfterSlots.ts"
import { LimitReached } from "../Ingestion.ts"

// Not effect/persistence RateLimiter: its memory store keeps every key for ever, and it cannot give a token back.

interface Bucket {
  tokens: number
  /** Up to when it was refilled. */
  at: number
  rate: number
  burst: number
}

const sweepMillis = 10_000

/**
 * Documents per second that a tenant may submit: a token bucket each, which holds `burst` when it is full. A full one is
 * forgotten. The limits are those of the moment, so a change counts at once, also for the time since the last document.
 */
export class RateLimits extends Context.Service<
  RateLimits,
  {
    readonly take: (tenant: TenantId, limits: Pick<TenantLimits, "rate" | "burst">) => Effect.Effect<void, LimitReached>
    /** The document was refused for another reason before anything of it was read. */
    readonly giveBack: (tenant: TenantId) => Effect.Effect<void>
    /** Buckets that are not full, or were so a moment ago. */
    readonly size: () => number
  }
>()("sluice/actors/admission/RateLimits") {
  static readonly layer = Layer.sync(RateLimits, () => {
    const buckets = new Map<TenantId, Bucket>()
    const appointments = new RetryAfterSlots()
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
      if (known.rate !== rate || known.burst !== burst) appointments.forget(tenant)
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
          // Sums of fractions may fall short of the whole by less than this.
          if (bucket.tokens >= 1 - 1e-9) {
            bucket.tokens = Math.max(0, bucket.tokens - 1)
            return Effect.void
          }
          // Those who come back within one second find no more than a burst. A bucket of one token keeps nothing of what
          // comes between two whole seconds.
          const apart = 1000 / Math.min(rate, bucket.burst)
          const perToken = bucket.burst < 2 ? Math.ceil(apart / 1000) * 1000 : apart
          const first = ((1 - bucket.tokens) * 1000) / rate
          const retryAfterSeconds = appointments.nextAtRate(tenant, now, perToken, first)
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
