import { Clock, Duration, Effect, Option, type Redacted } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { Secrets } from "../../services/secrets/Secrets.ts"
import { IdempotencyStore, type KeptAnswer, type KeyLease } from "../../services/store/IdempotencyStore.ts"
import { KeyInUse } from "../Ingestion.ts"
import { untraced } from "../../observability/Untraced.ts"
import { backgroundLoop } from "../upkeep/BackgroundLoop.ts"

/** How long an answer is kept. */
export const answerLifeMillis = 24 * 60 * 60 * 1000

/** A key is reserved for so long, and renewed while its request is under way. So a process that dies frees its keys by then. */
const lease = Duration.seconds(30)
const renewal = Duration.seconds(10)

/**
 * Idempotency keys: the keys in use at present, and the answers kept under earlier ones. Both are in the store, so two processes
 * do not work on one request at once. If the process dies after the work and before it has kept the answer, the request is
 * processed again.
 */
export const make = Effect.gen(function* () {
  const store = yield* IdempotencyStore
  const secrets = yield* Secrets
  /** The keys that requests of this process use. */
  const inUse = new Map<string, KeyLease>()
  // No tenant id contains a space.
  const placeOf = (tenant: TenantId, key: string) => `${tenant} ${key}`

  yield* backgroundLoop({
    name: "the renewal of idempotency keys",
    pass: Effect.suspend(() => (inUse.size === 0 ? Effect.void : untraced(store.renew([...inUse.values()], lease)))),
    rest: Effect.sleep(renewal),
    begins: "after a rest"
  })

  const reserve = Effect.fnUntraced(function* (tenant: TenantId, key: string) {
    const place = placeOf(tenant, key)
    const reservation = yield* store.reserve(tenant, key, lease)
    if (reservation._tag === "InUse") return yield* new KeyInUse()
    inUse.set(place, reservation.lease)
    return reservation
  })

  const giveBack = (held: KeyLease) =>
    Effect.suspend(() => {
      const place = placeOf(held.tenant, held.key)
      // An answer that was kept has released the key already.
      if (inUse.get(place) !== held) return Effect.void
      inUse.delete(place)
      return Effect.ignore(store.release(held))
    })

  const fingerprint = (tenant: TenantId, request: Redacted.Redacted) =>
    secrets.fingerprint(request, `request of ${tenant}`)

  return {
    /** Holds the key until the scope closes; answers with what is kept under it. */
    reserveKey: Effect.fn("Ingestion.reserveKey")(function* (tenant: TenantId, key: string) {
      const { answer } = yield* Effect.acquireRelease(reserve(tenant, key), (reservation) =>
        giveBack(reservation.lease)
      )
      const keptAfter = (yield* Clock.currentTimeMillis) - answerLifeMillis
      return Option.filter(answer, ({ keptAt }) => keptAt > keptAfter)
    }),
    /** Keeps the answer of a request that has reserved its key, and releases the key. */
    keepAnswer: Effect.fn("Ingestion.keepAnswer")(function* (
      tenant: TenantId,
      key: string,
      request: Redacted.Redacted,
      answer: Pick<KeptAnswer, "body" | "bytes">
    ) {
      const held = inUse.get(placeOf(tenant, key))
      if (held === undefined) return
      const keptAt = yield* Clock.currentTimeMillis
      const kept = { ...answer, fingerprint: yield* fingerprint(tenant, request), keptAt }
      if (!(yield* store.keep(held, kept))) {
        return yield* Effect.logWarning("an idempotency key was lost before its answer could be kept")
      }
      inUse.delete(placeOf(tenant, key))
    }),
    answers: Effect.fn("Ingestion.answers")((tenant: TenantId, kept: KeptAnswer, request: Redacted.Redacted) =>
      Effect.map(fingerprint(tenant, request), (own) => own === kept.fingerprint)
    )
  }
})
