import { Effect, type Redacted } from "effect"
import type { Ingestion, LimitReached, ShuttingDown, StageUnknown } from "../../actors/Ingestion.ts"
import type { DocumentStatus } from "../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { StageName, StageVersion } from "../../domain/pipeline/Pipeline.ts"
import type { NotRetryable } from "../../services/store/StoreErrors.ts"
import { notFound, storeProblems, unavailable } from "../api/problems/Failures.ts"
import { Conflict, NotFound, ServiceUnavailable, someTime } from "../api/problems/Problems.ts"
import { linksOf } from "../api/views/SubmitOutcome.ts"
import { refuseLimitReached } from "../upload/Rejection.ts"

type Engine = Ingestion["Service"]

const stopping = (error: ShuttingDown) =>
  Effect.fail(new ServiceUnavailable({ code: "SHUTTING_DOWN", detail: error.message, retryAfter: someTime }))

const stageNotFound = ({ message }: StageUnknown) =>
  new NotFound({ code: "STAGE_NOT_FOUND", detail: message, advice: "GET /v1/pipelines lists the stages of each." })

const notRetryable = (id: DocumentId, { message, why }: NotRetryable, stage?: string) =>
  why === "status"
    ? new Conflict({
        code: "NOT_RETRYABLE",
        detail: message,
        advice:
          stage === undefined
            ? "Only a partial or failed document can be retried; send the file again with force=true instead."
            : "A stage is run again once the document is completed, partial or failed."
      })
    : new Conflict({
        code: "PASSWORD_REQUIRED",
        detail: message,
        advice: `Send POST ${linksOf(id).self}/retry with the password in a JSON body, as {"password": "..."}.`
      })

interface RetryOptions {
  readonly stage: StageName | undefined
  readonly version: StageVersion | undefined
  readonly password: Redacted.Redacted | undefined
}

/** Has what failed done again, or one stage. */
export const retryDocument = (
  ingestion: Engine,
  tenant: TenantId,
  id: DocumentId,
  { password, stage, version }: RetryOptions
) => {
  const again =
    stage === undefined
      ? ingestion.retry(tenant, id, { password })
      : ingestion.rerunStage(tenant, id, { stage, version, password })
  return again.pipe(
    Effect.catchTags({
      DocumentNotFound: notFound,
      StoreUnavailable: unavailable,
      NotRetryable: (error) => Effect.fail(notRetryable(id, error, stage)),
      StageUnknown: (error) => Effect.fail(stageNotFound(error)),
      LimitReached: refuseLimitReached,
      ShuttingDown: stopping
    })
  )
}

interface RetryQuery {
  readonly stage?: StageName
  readonly version?: StageVersion
  readonly status?: ReadonlyArray<DocumentStatus>
  readonly cursor?: DocumentId
  readonly limit?: number
}

const codeOf = ({ why }: NotRetryable) => (why === "status" ? "NOT_RETRYABLE" : "PASSWORD_REQUIRED")

/** What became of one document of many. */
type Outcome =
  | { readonly _tag: "Retried" }
  | { readonly _tag: "Passed" }
  | { readonly _tag: "Refused"; readonly error: NotRetryable }
  | { readonly _tag: "Full"; readonly error: LimitReached }

const retryOne = (ingestion: Engine, tenant: TenantId, id: DocumentId, { stage, version }: RetryQuery) => {
  const again = stage === undefined ? ingestion.retry(tenant, id) : ingestion.rerunStage(tenant, id, { stage, version })
  return again.pipe(
    Effect.map((): Outcome => ({ _tag: "Retried" })),
    Effect.catchTags({
      // Removed since it was listed.
      DocumentNotFound: () => Effect.succeed<Outcome>({ _tag: "Passed" }),
      StageUnknown: () => Effect.succeed<Outcome>({ _tag: "Passed" }),
      NotRetryable: (error) => Effect.succeed<Outcome>({ _tag: "Refused", error }),
      LimitReached: (error) => Effect.succeed<Outcome>({ _tag: "Full", error }),
      StoreUnavailable: unavailable,
      ShuttingDown: stopping
    })
  )
}

/** Retries a bounded part of the tenant's documents, newest first, until the queue is full. */
export const retryDocuments = Effect.fnUntraced(function* (ingestion: Engine, tenant: TenantId, query: RetryQuery) {
  const { cursor, limit = 50, stage } = query
  const possible: ReadonlyArray<DocumentStatus> =
    stage === undefined ? ["partial", "failed"] : ["completed", "partial", "failed"]
  const status = query.status === undefined || query.status.length === 0 ? possible : query.status
  const found = yield* storeProblems(ingestion.list(tenant, { status, before: cursor, limit: limit + 1 }))
  const refused: Array<{ readonly id: DocumentId; readonly code: string; readonly message: string }> = []
  let retried = 0
  let last = cursor
  for (const { id } of found.slice(0, limit)) {
    const outcome = yield* retryOne(ingestion, tenant, id, query)
    if (outcome._tag === "Full") {
      if (retried === 0) return yield* refuseLimitReached(outcome.error)
      return {
        retried,
        refused,
        retryAfter: outcome.error.retryAfterSeconds,
        ...(last === undefined ? {} : { nextCursor: last })
      }
    }
    if (outcome._tag === "Retried") retried++
    if (outcome._tag === "Refused") refused.push({ id, code: codeOf(outcome.error), message: outcome.error.message })
    last = id
  }
  return found.length > limit && last !== undefined ? { retried, refused, nextCursor: last } : { retried, refused }
})
