// The errors of the typed client: any failure of a request, whatever the endpoint declares, is one of three.
import { Clock, Effect, Option, Schema } from "effect"
import { HttpClientError } from "effect/http"
import { retryAfterMillis } from "../domain/net/HttpDate.ts"
import { DocumentOutcome } from "../http/api/views/SubmitOutcome.ts"

const problemFields = {
  code: Schema.String,
  detail: Schema.String,
  advice: Schema.optionalKey(Schema.String),
  limit: Schema.optionalKey(Schema.Finite),
  /** Seconds. */
  retryAfter: Schema.optionalKey(Schema.Natural),
  documents: Schema.optionalKey(Schema.Array(DocumentOutcome))
}

/** The server refused the request with a problem, whatever the endpoint. Branch on `code`. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { status: Schema.Int, ...problemFields }) {
  override get message() {
    return `${this.code}: ${this.detail}`
  }
}

/** There was no answer: no server listens at the address, or the connection was lost. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.url} cannot be reached: ${this.reason}`
  }
}

/** The answer does not follow this client's contract: it came from another program or an incompatible Sluice. */
export class UnexpectedAnswer extends Schema.TaggedError<UnexpectedAnswer>()("UnexpectedAnswer", {
  url: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.url} gave an unexpected answer: ${this.detail}`
  }
}

/** The base URL is not usable. The error does not contain it, because it may contain a secret. */
export class InvalidBaseUrl extends Schema.TaggedError<InvalidBaseUrl>()("InvalidBaseUrl", {
  why: Schema.Literals(["url", "credentials"])
}) {
  override get message() {
    return this.why === "url"
      ? "baseUrl is no http(s) URL"
      : "baseUrl contains credentials, which no HTTP client sends: pass an apiKey instead"
  }
}

export type ClientError = Refused | Unreachable | UnexpectedAnswer

/** True when the same request may succeed later: the server is overloaded, starting or stopping. */
export const isBusy = (error: unknown): error is Refused =>
  error instanceof Refused && (error.status === 429 || error.status === 503)

const decodeProblem = Schema.decodeUnknownOption(Schema.Struct({ status: Schema.Int, ...problemFields }))

const wordsOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  if (Schema.isSchemaError(cause)) return cause.message.replace(/\s+/g, " ")
  if (cause.message === "" || cause.message === "fetch failed") {
    const inner = cause instanceof AggregateError ? cause.errors[0] : cause.cause
    if (inner !== undefined) return wordsOf(inner)
  }
  return cause.message || cause.name
}

/** Maps any failure of a request, whatever the endpoint declares, to one of three errors. */
export const clientError = Effect.fnUntraced(function* (url: string, error: unknown) {
  const declared = decodeProblem(error)
  if (Option.isSome(declared)) return new Refused(declared.value)
  if (!HttpClientError.isHttpClientError(error)) return new UnexpectedAnswer({ url, detail: wordsOf(error) })
  const { reason, response } = error
  if (response === undefined) {
    return new Unreachable({ url, reason: "cause" in reason ? wordsOf(reason.cause) : reason.message })
  }
  const body = yield* Effect.option(response.json)
  const problem = Option.flatMap(body, decodeProblem)
  if (Option.isSome(problem)) return new Refused(problem.value)
  const { headers, status } = response
  if (status < 400) return new UnexpectedAnswer({ url, detail: wordsOf(error) })
  const wait = retryAfterMillis(headers["retry-after"], yield* Clock.currentTimeMillis)
  return new Refused({
    status,
    code: `HTTP_${status}`,
    detail: "the answer is no problem document; something between here and Sluice may have sent it",
    ...(wait === undefined ? {} : { retryAfter: Math.min(Math.ceil(wait / 1000), Number.MAX_SAFE_INTEGER) })
  })
})

/** The part of the address that may appear in messages. */
export const originOf = Effect.fnUntraced(function* (baseUrl: string) {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return yield* new InvalidBaseUrl({ why: "url" })
  if (url.username !== "" || url.password !== "") return yield* new InvalidBaseUrl({ why: "credentials" })
  return url.origin
})
