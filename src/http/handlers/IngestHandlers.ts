import { Effect, Redacted, Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../actors/Ingestion.ts"
import { Api } from "../api/Api.ts"
import { callbackAllowed } from "../upload/CallbackTarget.ts"
import { tenantWithBody } from "../auth/CurrentTenant.ts"
import { LoadShedding } from "../edge/LoadShedding.ts"
import { keep, replay, reserve } from "../upload/IdempotentAnswer.ts"
import { IngestAnswer } from "../api/Ingest.ts"
import { acceptedItem, failedItem, refuseAll } from "../upload/Rejection.ts"

/** How many sources of one request are resolved at once. */
const concurrency = 8

const AnswerText = Schema.fromJsonString(IngestAnswer)
const encodeAnswer = (answer: typeof IngestAnswer.Type) => Effect.orDie(Schema.encodeEffect(AnswerText)(answer))
const decodeAnswer = Schema.decodeEffect(AnswerText)

export const IngestHandlers = HttpApiBuilder.group(
  Api,
  "ingest",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const shedding = yield* LoadShedding
    return handlers.handle(
      "ingest",
      Effect.fnUntraced(function* ({ headers, payload: { pdf_ids, tenant_id, ...options }, request: head }) {
        yield* callbackAllowed("payload", "callback", options.callback)
        const tenant = yield* tenantWithBody(tenant_id)
        const key = headers["idempotency-key"]
        const request = Redacted.make(JSON.stringify(["POST /pdf/ingest", pdf_ids, options]))
        const kept = key === undefined ? undefined : yield* reserve(ingestion, tenant, key)
        if (kept !== undefined) return yield* replay(ingestion, tenant, kept, request, decodeAnswer)
        const items = yield* Effect.forEach(
          pdf_ids,
          (source) =>
            Effect.matchEffect(ingestion.submitSource(tenant, source, options), {
              onSuccess: (document) => Effect.succeed(acceptedItem(document)),
              onFailure: (error) => failedItem(source, error)
            }),
          { concurrency }
        )
        const documents = items.map(({ outcome }) => outcome)
        const queued = items.filter((item) => item.rejection === undefined).length
        const rejection = queued === 0 ? items[0]?.rejection : undefined
        if (rejection !== undefined) {
          const nothing = { accepted: false, queued_pdfs: 0 } as const
          if (rejection.status === 429) yield* shedding.refused(head, tenant, rejection.error, nothing)
          return yield* refuseAll(rejection, documents, nothing)
        }
        yield* shedding.accepted(head)
        const answer = { accepted: true as const, queued_pdfs: queued, documents }
        if (key !== undefined)
          yield* keep(ingestion, tenant, key, request, { body: yield* encodeAnswer(answer), bytes: 0 })
        return answer
      }, Effect.scoped)
    )
  })
)
