import { Effect, Option, Schema } from "effect"
import type { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../actors/Ingestion.ts"
import { isTerminal } from "../domain/Document.ts"
import type { DocumentId } from "../domain/Ids.ts"
import type { NotRetryable } from "../services/DocumentStore.ts"
import { Api } from "./Api.ts"
import { CurrentTenant } from "./CurrentTenant.ts"
import { pdfMediaTypes } from "./DocumentsApi.ts"
import { viewOf } from "./DocumentView.ts"
import { FloodControl } from "./FloodControl.ts"
import { documentProblems, notFound, storeProblems, unavailable } from "./Failures.ts"
import { keyedIntake, plainIntake } from "./Intake.ts"
import { linksOf } from "./Outcome.ts"
import { Conflict, ServiceUnavailable, someTime, UnsupportedMediaType } from "./Problems.ts"
import { refuseAll, refuseLimitReached } from "./Refusal.ts"
import { bodyProblem } from "./RequestBody.ts"
import { refusePasswordInUrl } from "./Submission.ts"
import { uploadForm, uploadRaw } from "./Upload.ts"

export const DocumentsHandlers = HttpApiBuilder.group(
  Api,
  "documents",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const flood = yield* FloodControl
    return handlers
      .handleRaw(
        "upload",
        Effect.fnUntraced(function* ({ headers, query, request }) {
          yield* refusePasswordInUrl
          const { name, tenant_id: _, ...parameters } = query
          const password = headers["x-pdf-password"]
          const settings = password === undefined ? parameters : { ...parameters, password }
          const reader = yield* readerFor(request)
          const key = headers["idempotency-key"]
          const intake = key === undefined ? plainIntake(ingestion) : keyedIntake(ingestion, key)
          const { items, tenant, truncated } = yield* (
            reader === "form"
              ? uploadForm(ingestion, intake, request, settings)
              : uploadRaw(intake, request, name ?? fileName(headers["x-file-name"]), settings)
          ).pipe(
            Effect.catchTag(["UploadStalled", "HttpServerError", "MultipartError"], (error) =>
              Effect.fail(bodyProblem(error))
            )
          )
          const documents = items.map(({ outcome }) => outcome)
          const rest = truncated ? { truncated } : {}
          const refusal = items.every((item) => item.refusal !== undefined) ? items[0]?.refusal : undefined
          if (refusal?.status === 429) yield* flood.refused(request, tenant, "/v1/documents", refusal.error)
          if (refusal !== undefined) return yield* refuseAll(refusal, documents, rest)
          yield* flood.accepted(request)
          return yield* intake.close({ documents, ...rest })
        }, Effect.scoped)
      )
      .handle(
        "list",
        Effect.fnUntraced(function* ({ query: { cursor, limit = 50, status } }) {
          const tenant = yield* CurrentTenant
          const found = yield* storeProblems(ingestion.list(tenant.id, { status, before: cursor, limit: limit + 1 }))
          const documents = found.slice(0, limit).map(viewOf)
          const last = found.length > limit ? documents.at(-1) : undefined
          return last === undefined ? { documents } : { documents, nextCursor: last.id }
        })
      )
      .handle(
        "status",
        Effect.fnUntraced(function* ({ params }) {
          const tenant = yield* CurrentTenant
          return viewOf(yield* documentProblems(ingestion.status(tenant.id, params.id)))
        })
      )
      .handle(
        "remove",
        Effect.fnUntraced(function* ({ params }) {
          const tenant = yield* CurrentTenant
          const document = yield* documentProblems(ingestion.status(tenant.id, params.id))
          if (!isTerminal(document.status)) {
            return viewOf(yield* documentProblems(ingestion.cancel(tenant.id, params.id)))
          }
          yield* documentProblems(ingestion.remove(tenant.id, params.id))
          return undefined
        })
      )
      .handle(
        "cancel",
        Effect.fnUntraced(function* ({ params }) {
          const tenant = yield* CurrentTenant
          return viewOf(yield* documentProblems(ingestion.cancel(tenant.id, params.id)))
        })
      )
      .handle(
        "retry",
        Effect.fnUntraced(function* ({ headers, params, payload }) {
          yield* refusePasswordInUrl
          const tenant = yield* CurrentTenant
          const password = payload?.password ?? headers["x-pdf-password"]
          const document = yield* ingestion.retry(tenant.id, params.id, { password }).pipe(
            Effect.catchTags({
              DocumentNotFound: notFound,
              StoreUnavailable: unavailable,
              NotRetryable: (error) => Effect.fail(notRetryable(params.id, error)),
              LimitReached: refuseLimitReached,
              ShuttingDown: (error) =>
                Effect.fail(
                  new ServiceUnavailable({ code: "SHUTTING_DOWN", detail: error.message, retryAfter: someTime })
                )
            })
          )
          return viewOf(document)
        })
      )
  })
)

const notRetryable = (id: DocumentId, { message, why }: NotRetryable) =>
  why === "status"
    ? new Conflict({
        code: "NOT_RETRYABLE",
        detail: message,
        advice: "Only a partial or failed document can be retried; send the file again with force=true instead."
      })
    : new Conflict({
        code: "PASSWORD_REQUIRED",
        detail: message,
        advice: `Send POST ${linksOf(id).self}/retry with the password in a JSON body, as {"password": "..."}.`
      })

const readerFor = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  const mediaType = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase()
  if (mediaType === "multipart/form-data") return "form"
  if (pdfMediaTypes.some((type) => type === mediaType)) return "raw"
  return yield* new UnsupportedMediaType({
    code: "UNSUPPORTED_MEDIA_TYPE",
    detail: "the body is neither a PDF nor a multipart form",
    advice: `Send ${pdfMediaTypes.join(", ")} or multipart/form-data.`
  })
})

const decodePercent = Schema.decodeUnknownOption(Schema.StringFromUriComponent)

/** A name that is not percent-encoded is taken as it is: `100%.pdf` is a name too. */
const fileName = (header: string | undefined): string =>
  header === undefined || header === "" ? "document.pdf" : Option.getOrElse(decodePercent(header), () => header)
