import { Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { HttpApiError, HttpApiSchema } from "effect/http-api"
import { DocumentOutcome, Truncated } from "./Outcome.ts"

/**
 * The one error shape of the interface: RFC 9457 problem details with a stable machine `code`. One class per status; the
 * status phrase is the title, because `code` and not `type` tells problems apart.
 */
const fields = {
  detail: Schema.String,
  code: Schema.String,
  /** What the caller can do about it. */
  advice: Schema.optionalKey(Schema.String),
  /** The limit that was met. */
  limit: Schema.optionalKey(Schema.Finite),
  /** Parts of the request that were refused, each with its place, such as `query.limit`. */
  errors: Schema.optionalKey(Schema.Array(Schema.Struct({ field: Schema.String, message: Schema.String }))),
  /** Why the service is not ready. */
  reasons: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The answer per item when a submission was refused as a whole. */
  documents: Schema.optionalKey(Schema.Array(DocumentOutcome)),
  truncated: Schema.optionalKey(Truncated),
  accepted: Schema.optionalKey(Schema.Literal(false)),
  queued_pdfs: Schema.optionalKey(Schema.Literal(0))
}

/** Seconds, as in the Retry-After header. */
const waitingFields = { ...fields, retryAfter: Schema.Natural }

const declare = <const Status extends number>(status: Status, title: string) => ({
  type: ProblemDetails.blankType,
  status,
  title
})

export class BadRequest extends HttpApiError.Problem<BadRequest>()("BadRequest", declare(400, "Bad Request"), fields) {}

export class Unauthorized extends HttpApiError.Problem<Unauthorized>()(
  "Unauthorized",
  declare(401, "Unauthorized"),
  fields
) {}

export class Forbidden extends HttpApiError.Problem<Forbidden>()("Forbidden", declare(403, "Forbidden"), fields) {}

export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", declare(404, "Not Found"), fields) {}

export class MethodNotAllowed extends HttpApiError.Problem<MethodNotAllowed>()(
  "MethodNotAllowed",
  declare(405, "Method Not Allowed"),
  fields
) {}

export class RequestTimeout extends HttpApiError.Problem<RequestTimeout>()(
  "RequestTimeout",
  declare(408, "Request Timeout"),
  fields
) {}

export class Conflict extends HttpApiError.Problem<Conflict>()("Conflict", declare(409, "Conflict"), {
  ...fields,
  retryAfter: Schema.optionalKey(Schema.Natural)
}) {}

export class ContentTooLarge extends HttpApiError.Problem<ContentTooLarge>()(
  "ContentTooLarge",
  declare(413, "Content Too Large"),
  fields
) {}

export class UnsupportedMediaType extends HttpApiError.Problem<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  declare(415, "Unsupported Media Type"),
  fields
) {}

export class UnprocessableContent extends HttpApiError.Problem<UnprocessableContent>()(
  "UnprocessableContent",
  declare(422, "Unprocessable Content"),
  fields
) {}

export class TooManyRequests extends HttpApiError.Problem<TooManyRequests>()(
  "TooManyRequests",
  declare(429, "Too Many Requests"),
  waitingFields
) {}

export class InternalServerError extends HttpApiError.Problem<InternalServerError>()(
  "InternalServerError",
  declare(500, "Internal Server Error"),
  fields
) {}

export class ServiceUnavailable extends HttpApiError.Problem<ServiceUnavailable>()(
  "ServiceUnavailable",
  declare(503, "Service Unavailable"),
  waitingFields
) {}

/** The forms that endpoints declare: with the Retry-After header. */
export const ConflictResponse = Conflict.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: Conflict, headers: { "retry-after": Schema.optionalKey(Schema.Natural) } },
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
    { body: TooManyRequests, headers: { "retry-after": Schema.Natural } },
    waitingHeaders
  )
)

export const ServiceUnavailableResponse = ServiceUnavailable.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: ServiceUnavailable, headers: { "retry-after": Schema.Natural } },
    waitingHeaders
  )
)

/** What the caller has to bring; one scheme, so there is no more to say of it. */
export const challenge = "Bearer"

export const UnauthorizedResponse = Unauthorized.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: Unauthorized, headers: { "www-authenticate": Schema.Literal(challenge) } },
    { decode: ({ body }) => body, encode: (body) => ({ body, headers: { "www-authenticate": challenge } as const }) }
  )
)

/** Of every submission. */
export const submissionProblems = [
  BadRequest,
  Forbidden,
  ConflictResponse,
  ContentTooLarge,
  UnsupportedMediaType,
  UnprocessableContent,
  TooManyRequestsResponse,
  ServiceUnavailableResponse
] as const

/** Seconds to wait before trying again when nothing better is known. */
export const someTime = 5
