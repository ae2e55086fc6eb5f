import { Effect, Option, type Redacted, Schema } from "effect"
import type { Ingestion } from "../../actors/Ingestion.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { KeptAnswer } from "../../services/store/IdempotencyStore.ts"
import { unavailable } from "../api/problems/Failures.ts"
import { Conflict, someTime } from "../api/problems/Problems.ts"

/**
 * The header Idempotency-Key: a repeated request with the same key gets the first answer again and is not processed again.
 * Only answers that accepted something are kept, for a day.
 */

export const idempotencyHeaders = {
  "idempotency-key": Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^[\x21-\x7e]{1,255}$/, { message: "1 to 255 visible ASCII characters" })
    ).annotate({
      description:
        "Kept for 24 hours: the same request with the same key gets the same answer; another request with it is refused " +
        "with 409 `IDEMPOTENCY_MISMATCH`, and one that comes while the first is under way with 409 " +
        "`IDEMPOTENCY_IN_PROGRESS` and Retry-After.",
      examples: ["import-2030-01-01-report"]
    })
  )
}

type Engine = Ingestion["Service"]

export const mismatch = new Conflict({
  code: "IDEMPOTENCY_MISMATCH",
  detail: "another request was made with this idempotency key",
  advice: "Use a new key for a new request."
})

/** Reserves the key until the scope closes, and returns the answer kept under it, if any. */
export const reserve = (ingestion: Engine, tenant: TenantId, key: string) =>
  ingestion.reserveKey(tenant, key).pipe(
    Effect.map(Option.getOrUndefined),
    Effect.catchTags({
      StoreUnavailable: unavailable,
      KeyInUse: (error) =>
        Effect.fail(
          new Conflict({
            code: "IDEMPOTENCY_IN_PROGRESS",
            detail: error.message,
            advice: "Wait for its answer, or send the request again after the time that Retry-After tells.",
            retryAfter: someTime
          })
        )
    })
  )

/** The kept answer, if it is the answer to this request. */
export const replay = Effect.fnUntraced(function* <A>(
  ingestion: Engine,
  tenant: TenantId,
  kept: KeptAnswer,
  request: Redacted.Redacted,
  decode: (body: string) => Effect.Effect<A, Schema.SchemaError>
) {
  if (!(yield* ingestion.answers(tenant, kept, request))) return yield* mismatch
  // This code encoded the text, so a decoding failure is a defect.
  return yield* Effect.orDie(decode(kept.body))
})

/** Keeps the answer. A failure is not reported to the caller: the accepted documents are durable. */
export const keep = (
  ingestion: Engine,
  tenant: TenantId,
  key: string,
  request: Redacted.Redacted,
  answer: Pick<KeptAnswer, "body" | "bytes">
) => Effect.ignore(ingestion.keepAnswer(tenant, key, request, answer), { log: "Warn" })
