/** `IdempotencyStore` in memory. */
import { Clock, Duration, Effect, Option } from "effect"
import type { TenantId } from "../../../domain/Ids.ts"
import { IdempotencyStore, type KeptAnswer, type KeyLease } from "../IdempotencyStore.ts"

/** No tenant id contains a space. */
const placeOf = (tenant: TenantId, key: string) => `${tenant} ${key}`

export const idempotencyMemory = () => {
  /** In the order of keeping. */
  const answers = new Map<string, KeptAnswer>()
  const leases = new Map<string, { readonly id: string; readonly until: number }>()
  let lastId = 0

  const at = <A>(step: (now: number) => A) => Effect.map(Clock.currentTimeMillis, step)
  const holds = ({ id, key, tenant }: KeyLease) => leases.get(placeOf(tenant, key))?.id === id
  const find = (tenant: TenantId, key: string) => Option.fromUndefinedOr(answers.get(placeOf(tenant, key)))

  return IdempotencyStore.of({
    reserve: Effect.fn("IdempotencyStore.reserve")((tenant, key, lease) =>
      at((now) => {
        const place = placeOf(tenant, key)
        if ((leases.get(place)?.until ?? now) > now) return { _tag: "InUse" } as const
        const id = String(++lastId)
        leases.set(place, { id, until: now + Duration.toMillis(lease) })
        return { _tag: "Reserved", lease: { id, tenant, key }, answer: find(tenant, key) } as const
      })
    ),
    renew: Effect.fn("IdempotencyStore.renew")((held, lease) =>
      at((now) => {
        for (const one of held) {
          if (holds(one))
            leases.set(placeOf(one.tenant, one.key), { id: one.id, until: now + Duration.toMillis(lease) })
        }
      })
    ),
    keep: Effect.fn("IdempotencyStore.keep")((lease, answer) =>
      Effect.sync(() => {
        if (!holds(lease)) return false
        const place = placeOf(lease.tenant, lease.key)
        leases.delete(place)
        answers.delete(place)
        answers.set(place, answer)
        return true
      })
    ),
    release: Effect.fn("IdempotencyStore.release")((lease) =>
      Effect.sync(() => {
        if (holds(lease)) leases.delete(placeOf(lease.tenant, lease.key))
      })
    ),
    find: Effect.fn("IdempotencyStore.find")((tenant, key) => Effect.sync(() => find(tenant, key))),
    forget: Effect.fn("IdempotencyStore.forget")((keptBefore, limit) =>
      at((now) => {
        for (const [place, { until }] of leases) if (until <= now) leases.delete(place)
        const old = Array.from(answers).filter(([, { keptAt }]) => keptAt < keptBefore)
        const forgotten = old.slice(0, limit)
        for (const [place] of forgotten) answers.delete(place)
        return forgotten.length
      })
    )
  })
}
