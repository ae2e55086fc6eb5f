import { ByteSize, Clock, Context, Effect, Layer } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { KeyedLimit } from "../../services/KeyedLimit.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { LimitReached } from "../Ingestion.ts"
import { type Scope, CapacityForecast } from "./retryAfter/CapacityForecast.ts"

/** The wait that is assumed until the throughput of uploads has been measured. */
const assumedWaitMillis = 5_000

const scopes = { key: "tenant", total: "global" } as const

/** Counts bytes as they arrive; fails when they exceed a limit. */
export type CountBytes = (bytes: number) => Effect.Effect<void, LimitReached>

/**
 * The bytes of submissions that are not committed yet. A submission counts with the bytes received so far, or with its full
 * size from the start if that is known. A lone upload is never refused, so when several uploads together grow beyond the
 * limit, one of them gets through.
 */
export class BytesInFlight extends Context.Service<
  BytesInFlight,
  {
    /** Runs a submission and releases its bytes when it ends, in any way. */
    readonly hold: <A, E, R>(
      tenant: TenantId,
      size: number | undefined,
      submission: (count: CountBytes) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | LimitReached, R>
    /** The bytes of one tenant, or of all tenants if none is named. */
    readonly bytes: (tenant?: TenantId) => number
  }
>()("sluice/actors/admission/BytesInFlight") {
  static readonly layer = Layer.effect(
    BytesInFlight,
    Effect.gen(function* () {
      const config = yield* EngineConfig
      const limits = {
        tenant: ByteSize.toNumberUnsafe(config.tenantBytesInFlight),
        global: ByteSize.toNumberUnsafe(config.bytesInFlight)
      }
      const inFlight = new KeyedLimit<TenantId>({ perKey: limits.tenant, total: limits.global })
      const forecast = new CapacityForecast()

      /** Lets a submission grow from `held` to `bytes`; answers with the limit that this would exceed, if any. */
      const grow = (tenant: TenantId, held: number, bytes: number, now: number): Scope | undefined => {
        if (bytes > 0 && inFlight.held(tenant) === 0) forecast.begin(tenant, now)
        if (bytes > 0 && inFlight.held() === 0) forecast.begin(undefined, now)
        inFlight.add(tenant, -held)
        // A submission of unknown size needs room for at least one byte.
        const limit = inFlight.against(tenant, Math.max(held + 1, bytes))
        inFlight.add(tenant, limit === undefined ? bytes : held)
        return limit && scopes[limit]
      }

      const refuse = (scope: Scope, tenant: TenantId, needed: number, now: number) => {
        const perSecond = forecast.perSecond(scope, tenant, now) ?? (needed * 1000) / assumedWaitMillis
        const retryAfterSeconds = forecast.retryAfter(scope, tenant, now, needed, perSecond)
        return Effect.fail(new LimitReached({ limit: `${scope}_bytes`, allowed: limits[scope], retryAfterSeconds }))
      }

      return BytesInFlight.of({
        hold: (tenant, size, submission) =>
          Effect.suspend(() => {
            let held = 0
            let received = 0
            const growTo = (bytes: number) =>
              Effect.flatMap(Clock.currentTimeMillis, (now) => {
                const scope = grow(tenant, held, bytes, now)
                if (scope !== undefined) return refuse(scope, tenant, Math.max(held + 1, bytes), now)
                held = bytes
                return Effect.void
              })
            const count: CountBytes = (bytes) => {
              received += bytes
              return received > held ? growTo(received) : Effect.void
            }
            const release = Effect.map(Clock.currentTimeMillis, (now) => {
              inFlight.add(tenant, -held)
              forecast.ended(tenant, now, held)
            })
            return Effect.acquireUseRelease(
              growTo(size ?? 0),
              () => submission(count),
              () => release
            )
          }),
        bytes: (tenant) => inFlight.held(tenant)
      })
    })
  )
}
