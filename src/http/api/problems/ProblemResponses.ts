import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { documentIdExample } from "../../../domain/Ids.ts"
import { refusedExample } from "../views/SubmitOutcome.ts"
import {
  BadRequest,
  challenge,
  Conflict,
  ContentTooLarge,
  Forbidden,
  InsufficientStorage,
  NotFound,
  problemMembers,
  RequestTimeout,
  ServiceUnavailable,
  someTime,
  TooManyRequests,
  Unauthorized,
  UnprocessableContent,
  UnsupportedMediaType
} from "./Problems.ts"

/** Problems as endpoints declare them: with their headers and with examples. */

const badRequest = problemMembers(400, "Bad Request")
export const BadRequestResponse = BadRequest.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...badRequest,
        code: "INVALID_REQUEST",
        detail:
          "query.limit: Expected a value between 1 and 200; " +
          "query.states: Unknown; did you mean status? known are cursor, limit, status, tenant_id",
        errors: [
          { field: "query.limit", in: "query", name: "limit", message: "Expected a value between 1 and 200" },
          {
            field: "query.states",
            in: "query",
            name: "states",
            message: "Unknown; did you mean status? known are cursor, limit, status, tenant_id"
          }
        ]
      },
      {
        ...badRequest,
        code: "INVALID_TENANT",
        detail: "the tenant id is not valid",
        advice: "Use 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit."
      }
    ]
  })
)

const unauthorized = Unauthorized.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...problemMembers(401, "Unauthorized"),
        code: "AUTH_REQUIRED",
        detail: "the request has no API key",
        advice: "Send the header Authorization: Bearer <key>, or X-Api-Key: <key>."
      }
    ]
  })
)

const forbidden = problemMembers(403, "Forbidden")
export const ForbiddenResponse = Forbidden.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...forbidden,
        code: "TENANT_MISMATCH",
        detail: "the request names a tenant that is not the key's",
        advice: "Leave X-Tenant-Id and tenant_id out: the key says whose the request is."
      },
      { ...forbidden, code: "FORBIDDEN", detail: "only the administrator's key may do this" }
    ]
  })
)

const notFound = problemMembers(404, "Not Found")
export const NotFoundResponse = NotFound.pipe(
  Schema.annotateEncoded({
    examples: [
      { ...notFound, code: "DOCUMENT_NOT_FOUND", detail: `there is no document ${documentIdExample}` },
      { ...notFound, code: "PAGE_NOT_FOUND", detail: "page 9 is pending" },
      {
        ...notFound,
        code: "WEBHOOK_NOT_FOUND",
        detail: "the tenant has no webhook",
        advice: "Make one with PUT /v1/webhook."
      }
    ]
  })
)

export const RequestTimeoutResponse = RequestTimeout.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...problemMembers(408, "Request Timeout"),
        code: "UPLOAD_STALLED",
        detail: "no byte arrived for 30 seconds; nothing of the request was kept",
        advice: "Send the request again."
      },
      {
        ...problemMembers(408, "Request Timeout"),
        code: "BODY_STALLED",
        detail: "the body did not arrive within 30 seconds",
        advice: "Send the request again."
      }
    ]
  })
)

const conflict = problemMembers(409, "Conflict")
const conflicts = Conflict.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...conflict,
        code: "IDEMPOTENCY_MISMATCH",
        detail: "another request was made with this idempotency key",
        advice: "Use a new key for a new request."
      },
      {
        ...conflict,
        code: "NOT_RETRYABLE",
        detail: "a document that is completed cannot be retried",
        advice: "Only a partial or failed document can be retried; send the file again with force=true instead."
      },
      {
        ...conflict,
        code: "LAYOUT_MISSING",
        detail: "page 3 was read without its layout",
        advice: "Send the file again with force=true, to a server that runs with PAGE_LAYOUT=on."
      },
      { ...conflict, code: "NOT_ENDED", detail: "a document that has not ended has nothing to deliver" },
      { ...conflict, code: "TOO_MANY_KEYS", detail: "the tenant has its limit of 100 keys", limit: 100 }
    ]
  })
)

const { error: notPdf } = refusedExample
const tooLarge = {
  code: "TOO_LARGE",
  message: "the upload has more than 104857600 bytes",
  advice: "Split the file, or raise MAX_UPLOAD_SIZE."
}
export const ContentTooLargeResponse = ContentTooLarge.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...problemMembers(413, "Content Too Large"),
        code: tooLarge.code,
        detail: tooLarge.message,
        advice: tooLarge.advice,
        documents: [{ name: "report.pdf", error: tooLarge }]
      },
      {
        ...problemMembers(413, "Content Too Large"),
        code: "BODY_TOO_LARGE",
        detail: "the body has more than 16384 bytes",
        limit: 16_384
      }
    ]
  })
)

export const UnsupportedMediaTypeResponse = UnsupportedMediaType.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...problemMembers(415, "Unsupported Media Type"),
        code: "UNSUPPORTED_MEDIA_TYPE",
        detail: "the body is neither a PDF nor a multipart form",
        advice: "Send application/pdf, application/octet-stream or multipart/form-data."
      },
      {
        ...problemMembers(415, "Unsupported Media Type"),
        code: "UNSUPPORTED_ENCODING",
        detail: "the body is compressed or otherwise encoded",
        advice: "Send it as it is, without Content-Encoding."
      }
    ]
  })
)

export const UnprocessableContentResponse = UnprocessableContent.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...problemMembers(422, "Unprocessable Content"),
        code: notPdf.code,
        detail: notPdf.message,
        advice: notPdf.advice,
        documents: [refusedExample]
      }
    ]
  })
)

const tooMany = problemMembers(429, "Too Many Requests")
const tooManyRequests = TooManyRequests.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...tooMany,
        code: "TENANT_QUEUE_FULL",
        detail: "the tenant queue holds its limit of 10000 documents",
        advice: "Try again after the time in Retry-After.",
        limit: 10_000,
        retryAfter: 7
      },
      {
        ...tooMany,
        code: "TOO_MANY_ATTEMPTS",
        detail: "too many requests with unknown API keys came from this address",
        advice: "Try again after the time in Retry-After; a key that is known works meanwhile.",
        retryAfter: 30
      }
    ]
  })
)

const unavailable = problemMembers(503, "Service Unavailable")
const serviceUnavailable = ServiceUnavailable.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...unavailable,
        code: "STORE_UNAVAILABLE",
        detail: "the document store failed to accept a document",
        advice: "Try again soon.",
        retryAfter: someTime
      },
      {
        ...unavailable,
        code: "NOT_READY",
        detail: "no page worker is alive",
        reasons: ["no page worker is alive"],
        retryAfter: someTime
      }
    ]
  })
)

export const ConflictResponse = Conflict.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: conflicts, headers: { "retry-after": Schema.optionalKey(Schema.Natural) } },
    {
      decode: ({ body }) => body,
      encode: (problem) => ({
        body: problem,
        headers: problem.retryAfter === undefined ? {} : { "retry-after": problem.retryAfter }
      })
    }
  )
)

const waitingHeaders = {
  decode: <A>({ body }: { readonly body: A }): A => body,
  encode: <A extends { readonly retryAfter: number }>(problem: A) => ({
    body: problem,
    headers: { "retry-after": problem.retryAfter }
  })
}

export const TooManyRequestsResponse = TooManyRequests.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: tooManyRequests, headers: { "retry-after": Schema.Natural } },
    waitingHeaders
  )
)

export const ServiceUnavailableResponse = ServiceUnavailable.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: serviceUnavailable, headers: { "retry-after": Schema.Natural } },
    waitingHeaders
  )
)

export const UnauthorizedResponse = Unauthorized.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: unauthorized, headers: { "www-authenticate": Schema.Literal(challenge) } },
    { decode: ({ body }) => body, encode: (body) => ({ body, headers: { "www-authenticate": challenge } as const }) }
  )
)

/** Problems of every endpoint that takes a JSON body. */
export const jsonProblems = [
  BadRequestResponse,
  RequestTimeoutResponse,
  ContentTooLargeResponse,
  UnsupportedMediaTypeResponse
] as const
const storageFull = {
  code: "TENANT_STORAGE_FULL",
  message: "the tenant's documents take 1073000000 bytes, and may take 1073741824 with this one",
  advice: "Remove documents that are not needed any more, or have the tenant's limit maxStoredBytes raised.",
  limit: 1_073_741_824
}
export const InsufficientStorageResponse = InsufficientStorage.pipe(
  Schema.annotateEncoded({
    examples: [
      {
        ...problemMembers(507, "Insufficient Storage"),
        code: storageFull.code,
        detail: storageFull.message,
        advice: storageFull.advice,
        limit: storageFull.limit,
        documents: [{ name: "report.pdf", error: storageFull }]
      }
    ]
  })
)

/** Problems of every endpoint that takes a submission. */
export const submissionProblems = [
  BadRequestResponse,
  ForbiddenResponse,
  ConflictResponse,
  ContentTooLargeResponse,
  UnsupportedMediaTypeResponse,
  UnprocessableContentResponse,
  TooManyRequestsResponse,
  ServiceUnavailableResponse,
  InsufficientStorageResponse
] as const
