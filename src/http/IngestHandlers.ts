import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../actors/Ingestion.ts"
import { Api } from "./Api.ts"
import { tenantWithBody } from "./CurrentTenant.ts"
import { acceptedItem, failedItem, refuseAll } from "./Refusal.ts"
import { refusePasswordInUrl } from "./Submission.ts"

/** Sources of one request that are resolved at once. */
const concurrency = 8

export const IngestHandlers = HttpApiBuilder.group(
  Api,
  "ingest",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    return handlers.handle(
      "ingest",
      Effect.fnUntraced(function* ({ payload: { pdf_ids, tenant_id, ...options } }) {
        yield* refusePasswordInUrl
        const tenant = yield* tenantWithBody(tenant_id)
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
        const queued = items.filter((item) => item.refusal === undefined).length
        const refusal = queued === 0 ? items[0]?.refusal : undefined
        return refusal === undefined
          ? { accepted: true as const, queued_pdfs: queued, documents }
          : yield* refuseAll(ingestion, tenant, refusal, documents, { accepted: false, queued_pdfs: 0 } as const)
      })
    )
  })
)
