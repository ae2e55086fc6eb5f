import { Clock, Effect, Option, type Redacted } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { DocumentStore, type KeptAnswer } from "../../services/store/DocumentStore.ts"
import { Secrets } from "../../services/Secrets.ts"
import { KeyInUse } from "../Ingestion.ts"

/** How long an answer is kept. */
export const answerLifeMillis = 24 * 60 * 60 * 1000

/**
 * Idempotency keys: the keys in use at present, and the answers kept under earlier ones. Keys in use are known to this
 * process only; answers are durable. If the process dies after the work and before it has kept the answer, the request is
 * processed again.
 */
export const make = Effect.gen(function* () {
  const store = yield* DocumentStore
  const secrets = yield* Secrets
  const inUse = new Set<string>()

  const hold = (place: string) =>
    Effect.acquireRelease(
      Effect.suspend(() => (inUse.has(place) ? Effect.fail(new KeyInUse()) : Effect.sync(() => inUse.add(place)))),
      () => Effect.sync(() => inUse.delete(place))
    )

  const fingerprint = (tenant: TenantId, request: Redacted.Redacted) =>
    secrets.fingerprint(request, `request of ${tenant}`)

  return {
    reserveKey: Effect.fn("Ingestion.reserveKey")(function* (tenant: TenantId, key: string) {
      // No tenant id contains a space.
      yield* hold(`${tenant} ${key}`)
      const keptAfter = (yield* Clock.currentTimeMillis) - answerLifeMillis
      return Option.filter(yield* store.findAnswer(tenant, key), ({ keptAt }) => keptAt > keptAfter)
    }),
    keepAnswer: Effect.fn("Ingestion.keepAnswer")(function* (
      tenant: TenantId,
      key: string,
      request: Redacted.Redacted,
      answer: Pick<KeptAnswer, "body" | "bytes">
    ) {
      const keptAt = yield* Clock.currentTimeMillis
      yield* store.keepAnswer(tenant, key, { ...answer, fingerprint: yield* fingerprint(tenant, request), keptAt })
    }),
    answers: Effect.fn("Ingestion.answers")((tenant: TenantId, kept: KeptAnswer, request: Redacted.Redacted) =>
      Effect.map(fingerprint(tenant, request), (own) => own === kept.fingerprint)
    )
  }
})
