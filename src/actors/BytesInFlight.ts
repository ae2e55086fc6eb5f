import { ByteSize, Clock, Context, Effect, Layer } from "effect"
import type { TenantId } from "../domain/Ids.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import { Appointments } from "./Appointments.ts"
import { DrainRates } from "./DrainRate.ts"
import { LimitReached } from "./Ingestion.ts"

/** Until it was measured how fast uploads end. */
const someTimeMillis = 5_000

/** Counts bytes as they arrive; fails when they are too many. */
export type CountBytes = (bytes: number) => Effect.Effect<void, LimitReached>

/**
 * Bytes of submissions that are not committed yet: those received, or, of a submission whose size is known, all of it from
 * the start. An upload that is alone is never refused, so of those that grow beyond the limit together one gets through.
 */
export class BytesInFlight extends Context.Service<
  BytesInFlight,
  {
    /** Runs a submission and lets go of its bytes when it ends, however that is. */
    readonly hold: <A, E, R>(
      tenant: TenantId,
      size: number | undefined,
      submission: (count: CountBytes) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | LimitReached, R>
    /** Of one tenant, or of all when none is named. */
    readonly bytes: (tenant?: TenantId) => number
  }
>()("sluice/actors/BytesInFlight") {
  static readonly layer = Layer.effect(
    BytesInFlight,
    Effect.gen(function* () {
      const config = yield* EngineConfig
      const limits = {
        tenant: ByteSize.toNumberUnsafe(config.tenantBytesInFlight),
        global: ByteSize.toNumberUnsafe(config.bytesInFlight)
      }
      const tenants = new Map<TenantId, number>()
      const ended = new DrainRates()
      const appointments = { tenant: new Appointments(), global: new Appointments() }
      let all = 0

      const change = (tenant: TenantId, delta: number) => {
        all += delta
        const own = (tenants.get(tenant) ?? 0) + delta
        if (own === 0) tenants.delete(tenant)
        else tenants.set(tenant, own)
      }

      const refuse = (scope: "tenant" | "global", tenant: TenantId, wanted: number) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const perSecond = ended.perSecond(scope === "tenant" ? tenant : undefined, now)
          // Tenants that wait share what becomes free.
          const sharers = scope === "global" ? appointments.global.sharers(tenant, now) : 1
          const millis = perSecond === undefined ? someTimeMillis : (wanted * 1000 * sharers) / perSecond
          const retryAfterSeconds = appointments[scope].next(tenant, now, millis)
          return Effect.fail(new LimitReached({ limit: `${scope}_bytes`, allowed: limits[scope], retryAfterSeconds }))
        })

      return BytesInFlight.of({
        hold: (tenant, size, submission) =>
          Effect.suspend(() => {
            let held = 0
            let received = 0
            const growTo = (bytes: number) => {
              const own = tenants.get(tenant) ?? 0
              // One that begins without a known size needs room for a byte at least.
              const more = Math.max(1, bytes - held)
              if (own > held && own + more > limits.tenant) return refuse("tenant", tenant, bytes)
              if (all > held && all + more > limits.global) return refuse("global", tenant, bytes)
              change(tenant, bytes - held)
              held = bytes
              return Effect.void
            }
            const count: CountBytes = (bytes) => {
              received += bytes
              return received > held ? growTo(received) : Effect.void
            }
            const release = Effect.map(Clock.currentTimeMillis, (now) => {
              change(tenant, -held)
              ended.observe(tenant, now, held)
              ended.observe(undefined, now, held)
            })
            return Effect.acquireUseRelease(
              Effect.suspend(() => growTo(size ?? 0)),
              () => submission(count),
              () => release
            )
          }),
        bytes: (tenant) => (tenant === undefined ? all : (tenants.get(tenant) ?? 0))
      })
    })
  )
}
