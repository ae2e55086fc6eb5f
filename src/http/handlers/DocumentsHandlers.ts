import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../actors/Ingestion.ts"
import { isTerminal } from "../../domain/document/Document.ts"
import type { DocumentId } from "../../domain/Ids.ts"
import { portionBytes } from "../../domain/document/Portions.ts"
import { Api } from "../api/Api.ts"
import { callbackAllowed } from "../upload/CallbackTarget.ts"
import { CurrentTenant } from "../auth/CurrentTenant.ts"
import { viewOf } from "../api/views/DocumentView.ts"
import { documentProblems, storeProblems } from "../api/problems/Failures.ts"
import { retryDocument, retryDocuments } from "./RetryDocuments.ts"
import { fileName, makeUploadHandler } from "../upload/UploadHandler.ts"

export const DocumentsHandlers = HttpApiBuilder.group(
  Api,
  "documents",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const upload = yield* makeUploadHandler
    return handlers
      .handleRaw(
        "upload",
        Effect.fnUntraced(function* ({ headers, query, request }) {
          const { name, tenant_id: _, ...parameters } = query
          yield* callbackAllowed("query", "callback", parameters.callback)
          const password = headers["x-pdf-password"]
          const settings = password === undefined ? parameters : { ...parameters, password }
          return yield* upload(request, {
            name: name ?? fileName(headers["x-file-name"]),
            settings,
            idempotencyKey: headers["idempotency-key"]
          })
        }, Effect.scoped)
      )
      .handle(
        "list",
        Effect.fnUntraced(function* ({ query: { cursor, limit = 50, status } }) {
          const tenant = yield* CurrentTenant
          const read = (before: DocumentId | undefined, limit: number) =>
            storeProblems(ingestion.list(tenant.id, { status, before, limit, bytes: portionBytes }))
          const found = yield* read(cursor, limit + 1)
          const documents = found.slice(0, limit).map(viewOf)
          const last = documents.at(-1)
          if (last === undefined) return { documents }
          // The byte limit may have ended the read before the count limit.
          const more = found.length > limit || (yield* read(last.id, 1)).length > 0
          return more ? { documents, nextCursor: last.id } : { documents }
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
          const document = yield* documentProblems(ingestion.find(tenant.id, params.id))
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
        Effect.fnUntraced(function* ({ headers, params, payload, query: { stage, version } }) {
          const tenant = yield* CurrentTenant
          const password = payload?.password ?? headers["x-pdf-password"]
          return viewOf(yield* retryDocument(ingestion, tenant.id, params.id, { stage, version, password }))
        })
      )
      .handle(
        "retryMany",
        Effect.fnUntraced(function* ({ query }) {
          const tenant = yield* CurrentTenant
          return yield* retryDocuments(ingestion, tenant.id, query)
        })
      )
  })
)
