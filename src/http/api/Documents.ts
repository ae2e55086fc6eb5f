import { Schema } from "effect"
import { Multipart } from "effect/http"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { examples } from "../../domain/Examples.ts"
import { DocumentId } from "../../domain/Ids.ts"
import { HeaderText } from "./schemas/HeaderText.ts"
import { StatusFilter } from "./schemas/StatusFilter.ts"
import { idempotencyHeaders } from "../upload/IdempotentAnswer.ts"
import { TenantIdentification, TenantName, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import { DocumentList, DocumentView, ListedDocument } from "./views/DocumentView.ts"
import { acceptedExample, DocumentOutcome, refusedExample, Truncated } from "./views/SubmitOutcome.ts"
import {
  ConflictResponse,
  jsonProblems,
  NotFoundResponse,
  RequestTimeoutResponse,
  ServiceUnavailableResponse,
  TooManyRequestsResponse,
  submissionProblems
} from "./problems/ProblemResponses.ts"
import { passwordHeader, PdfPassword, submissionFields, submissionParameters } from "./schemas/SubmitOptions.ts"
import { wholeNumber } from "./schemas/WholeNumber.ts"
import { RequestRules } from "./RequestRules.ts"

export const pdfMediaTypes = ["application/pdf", "application/octet-stream"] as const

const Upload = Schema.Struct({
  ...submissionFields,
  tenant_id: Schema.optionalKey(TenantName),
  password: Schema.optionalKey(PdfPassword),
  file: Multipart.FilesSchema
})

export const UploadAnswer = Schema.Struct({
  documents: Schema.Array(DocumentOutcome),
  truncated: Schema.optionalKey(Truncated)
}).pipe(examples({ documents: [acceptedExample, refusedExample] }))

export const documentParams = { id: DocumentId }

const fileName = Schema.String.annotate({ description: "The file's name.", examples: ["report.pdf"] })

const upload = HttpApiEndpoint.post("upload", "/v1/documents", {
  query: { ...tenantQuery, ...submissionParameters, name: Schema.optionalKey(fileName) },
  headers: {
    ...tenantHeaders,
    ...idempotencyHeaders,
    "x-file-name": Schema.optionalKey(
      HeaderText.annotate({
        description: "The file's name, percent-encoded; `name` in the query comes first.",
        examples: ["Jahresbericht%202029.pdf"]
      })
    ),
    "x-pdf-password": passwordHeader
  },
  payload: [
    Upload.pipe(HttpApiSchema.asMultipartStream()),
    HttpApiSchema.StreamUint8Array({ contentType: pdfMediaTypes })
  ],
  success: UploadAnswer.pipe(HttpApiSchema.status(202)),
  error: [...submissionProblems, RequestTimeoutResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Submit PDFs",
    description:
      "The body is one PDF, or a multipart form with any number of `file` parts. Fields of the form (`priority`, " +
      "`notBefore`, `pipeline`, `callback`, `force`, `password`, `tenant_id`) hold for all its files and must precede them. " +
      "The answer is 202 when at least one document was accepted; `documents` has the outcome of each. When none " +
      "was, the answer is a problem with the status and code of the first refusal, and the same list in " +
      "`documents`: 413 `TOO_LARGE`, 422 for any other fault of the file, 429 for a limit that was reached (`TENANT_QUEUE_FULL`, " +
      "`GLOBAL_QUEUE_FULL`, `TENANT_RATE_LIMITED`, `TENANT_BYTES_IN_FLIGHT`, `GLOBAL_BYTES_IN_FLIGHT`, with `limit` and " +
      "Retry-After), 507 `TENANT_STORAGE_FULL`, 503 when the service stops, its disk is full or its storage does not work " +
      "(with Retry-After). " +
      "Bytes that the tenant has already, with the same name, password and callback, get no second document unless `force` is " +
      "true: the answer names the one that waits, runs, is completed or partial, also in `duplicateOf`. " +
      "If the body breaks off or a form is malformed, nothing of the request is kept. " +
      "A password is never part of the URL."
  })
)

const status = HttpApiEndpoint.get("status", "/v1/documents/:id", {
  params: documentParams,
  query: tenantQuery,
  headers: tenantHeaders,
  success: DocumentView,
  error: [NotFoundResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "A document: status, progress, metadata, outline, timings",
    description: "Its present state. `GET /v1/documents/:id/events` reports its changes."
  })
)

const list = HttpApiEndpoint.get("list", "/v1/documents", {
  query: {
    ...tenantQuery,
    status: Schema.optionalKey(
      StatusFilter.annotate({
        description: "Only documents in one of these states, separated by commas. The parameter may be repeated, too."
      }).pipe(examples(["failed", "partial"]))
    ),
    cursor: Schema.optionalKey(DocumentId.annotate({ description: "`nextCursor` of the part before." })),
    limit: Schema.optionalKey(
      wholeNumber(
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 })).annotate({
          description: "1 to 200; default 50."
        })
      )
    )
  },
  headers: tenantHeaders,
  success: DocumentList,
  error: [TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "The tenant's documents, newest first",
    description:
      "Without outlines: request a single document for its outline. An answer ends after `limit` documents, or " +
      "before the document that would make it larger than 1 MiB; it has at least one document if there is one. In " +
      "both cases `nextCursor` is the `cursor` of the next answer."
  })
)

const remove = HttpApiEndpoint.delete("remove", "/v1/documents/:id", {
  params: documentParams,
  query: tenantQuery,
  headers: tenantHeaders,
  // The empty answer must come last: its encoding accepts any value.
  success: [ListedDocument.pipe(HttpApiSchema.status(202)), HttpApiSchema.NoContent],
  error: [NotFoundResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Cancel or remove a document",
    description:
      "A document that has not ended is cancelled: 202 with the document as it is now. A document that has ended is " +
      "removed with its pages: 204. So a second DELETE removes what the first one cancelled; `POST " +
      "/v1/documents/:id/cancel` never removes anything."
  })
)

const cancel = HttpApiEndpoint.post("cancel", "/v1/documents/:id/cancel", {
  params: documentParams,
  query: tenantQuery,
  headers: tenantHeaders,
  success: ListedDocument,
  error: [NotFoundResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Cancel a document",
    description:
      "Cancels a document that has not ended. A document that has ended, even during the request, is neither " +
      "changed nor removed. The answer is the document after that."
  })
)

const RetryRequest = Schema.Struct({
  password: Schema.optionalKey(PdfPassword.annotate({ description: "Opens the document. Any characters." }))
}).pipe(Schema.annotate({ identifier: "RetryRequest" }), examples({ password: "κωδικός" }))

const retry = HttpApiEndpoint.post("retry", "/v1/documents/:id/retry", {
  params: documentParams,
  query: tenantQuery,
  headers: { ...tenantHeaders, "x-pdf-password": passwordHeader },
  payload: [RetryRequest, Schema.Undefined],
  success: ListedDocument.pipe(HttpApiSchema.status(202)),
  error: [...jsonProblems, NotFoundResponse, ConflictResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Read the failed pages of a document again",
    description:
      "For a document that is `partial` or `failed`, for any reason: it is queued again, its failed pages are read " +
      "again, and the other results stay. Any other document: 409 `NOT_RETRYABLE`. The password of a document is " +
      "not kept after its end and must be sent again: 409 `PASSWORD_REQUIRED` without it. It may be sent in a " +
      "header or, with any characters, in the body, which takes precedence; the body is optional.",
    // Without this, the absent body would be described as `null` and as required.
    transform: (operation) => ({
      ...operation,
      requestBody: {
        content: { "application/json": { schema: { $ref: "#/components/schemas/RetryRequest" } } },
        required: false
      }
    })
  })
)

export class DocumentsApi extends HttpApiGroup.make("documents")
  .add(upload, list, status, remove, cancel, retry)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(
    OpenApi.annotations({
      title: "Documents",
      description: "PDFs that were submitted, from their acceptance to their removal."
    })
  ) {}
