import { Effect, Schema } from "effect"
import { HttpServerRespondable, HttpServerResponse, ProblemDetails } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { DocumentOutcome, Truncated } from "../views/SubmitOutcome.ts"

/**
 * The one error shape of the interface: RFC 9457 problem details with a stable machine `code`. One class per status; the
 * status phrase is the title, because `code`, not `type`, distinguishes problems.
 */
const fields = {
  detail: Schema.String,
  code: Schema.String,
  /** What the caller can do about it. */
  advice: Schema.optionalKey(Schema.String),
  /** The limit that was reached. */
  limit: Schema.optionalKey(Schema.Finite),
  /** All errors in the request. */
  errors: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        field: Schema.String.annotate({ description: "The part and the name, such as `query.limit`." }),
        in: Schema.Literals(["path", "query", "header", "body", "form"]),
        name: Schema.String.annotate({
          description: "Of the parameter, header or field, such as `pdf_ids.3`; empty for the part as a whole."
        }),
        message: Schema.String
      })
    )
  ),
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

/** The members that every problem of a status has. */
export const problemMembers = <const Status extends number, const Title extends string>(
  status: Status,
  title: Title
) => ({
  type: ProblemDetails.blankType,
  status,
  title
})

export class BadRequest extends HttpApiError.Problem<BadRequest>()(
  "BadRequest",
  problemMembers(400, "Bad Request"),
  fields
) {}

export class Unauthorized extends HttpApiError.Problem<Unauthorized>()(
  "Unauthorized",
  problemMembers(401, "Unauthorized"),
  fields
) {}

export class Forbidden extends HttpApiError.Problem<Forbidden>()(
  "Forbidden",
  problemMembers(403, "Forbidden"),
  fields
) {}

export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", problemMembers(404, "Not Found"), fields) {}

export class MethodNotAllowed extends HttpApiError.Problem<MethodNotAllowed>()(
  "MethodNotAllowed",
  problemMembers(405, "Method Not Allowed"),
  fields
) {}

export class RequestTimeout extends HttpApiError.Problem<RequestTimeout>()(
  "RequestTimeout",
  problemMembers(408, "Request Timeout"),
  fields
) {}

export class Conflict extends HttpApiError.Problem<Conflict>()("Conflict", problemMembers(409, "Conflict"), {
  ...fields,
  retryAfter: Schema.optionalKey(Schema.Natural)
}) {}

export class ContentTooLarge extends HttpApiError.Problem<ContentTooLarge>()(
  "ContentTooLarge",
  problemMembers(413, "Content Too Large"),
  fields
) {}

export class UnsupportedMediaType extends HttpApiError.Problem<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  problemMembers(415, "Unsupported Media Type"),
  fields
) {}

export class UnprocessableContent extends HttpApiError.Problem<UnprocessableContent>()(
  "UnprocessableContent",
  problemMembers(422, "Unprocessable Content"),
  fields
) {}

export class TooManyRequests extends HttpApiError.Problem<TooManyRequests>()(
  "TooManyRequests",
  problemMembers(429, "Too Many Requests"),
  waitingFields
) {}

export class InternalServerError extends HttpApiError.Problem<InternalServerError>()(
  "InternalServerError",
  problemMembers(500, "Internal Server Error"),
  fields
) {}

export class ServiceUnavailable extends HttpApiError.Problem<ServiceUnavailable>()(
  "ServiceUnavailable",
  problemMembers(503, "Service Unavailable"),
  waitingFields
) {}

export class InsufficientStorage extends HttpApiError.Problem<InsufficientStorage>()(
  "InsufficientStorage",
  problemMembers(507, "Insufficient Storage"),
  fields
) {}

/** The value of WWW-Authenticate. There is one scheme, so it needs no parameters. */
export const challenge = "Bearer"

/** Seconds to wait before trying again when no better estimate is known. */
export const someTime = 5

/** The response to a problem outside of an endpoint, where no schema encodes it. */
export const problemResponse = (problem: HttpServerRespondable.Respondable) =>
  Effect.map(HttpServerRespondable.toResponse(problem), (response) =>
    "retryAfter" in problem && problem.retryAfter !== undefined
      ? HttpServerResponse.setHeader(response, "retry-after", String(problem.retryAfter))
      : response
  )
