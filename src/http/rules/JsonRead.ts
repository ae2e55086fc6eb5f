import { isUtf8 } from "node:buffer"
import { ByteSize, Context, Effect, Fiber, Result, type Schema } from "effect"
import { HttpIncomingMessage, type HttpServerError, type HttpServerRequest } from "effect/http"
import type { HttpApiEndpoint } from "effect/http-api"
import { JsonBody } from "../api/schemas/JsonBody.ts"
import { errorsOf, type RequestError, requestError } from "../api/problems/InvalidRequest.ts"
import { RequestTimeout } from "../api/problems/Problems.ts"
import { tooLarge } from "./BodyRules.ts"
import { jsonRefusal } from "./JsonText.ts"

/** The text of a JSON body, or the reason why it is not parsed. */
export type JsonRead = { readonly text: string } | { readonly refused: string }

export type Decode = (input: unknown) => Result.Result<unknown, Schema.SchemaError>

const isTooLarge = ({ reason }: HttpServerError.HttpServerError): boolean =>
  reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"

const longestRead = "30 seconds"

const stalled = new RequestTimeout({
  code: "BODY_STALLED",
  detail: `the body did not arrive within ${longestRead}`,
  advice: "Send the request again."
})

/** Reads the body within the endpoint's limits and deadline, or fails with a problem. */
export const readJson = Effect.fnUntraced(
  function* (request: HttpServerRequest.HttpServerRequest, endpoint: HttpApiEndpoint.Top) {
    // The text is cached in the request, so the endpoint does not read it again.
    const text = yield* request.text
    // The decoder puts U+FFFD in place of invalid bytes.
    const isText = !text.includes("\uFFFD") || isUtf8(yield* request.arrayBuffer)
    const refused = isText ? jsonRefusal(text, Context.get(endpoint.annotations, JsonBody)) : "is not UTF-8"
    const read: JsonRead = refused === undefined ? { text } : { refused }
    return read
  },
  (reading, _, endpoint) => {
    const { bytes } = Context.get(endpoint.annotations, JsonBody)
    const bounded = reading.pipe(
      Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bytes)),
      Effect.catch((error) => (isTooLarge(error) ? Effect.fail(tooLarge(bytes)) : Effect.die(error)))
    )
    // Interrupting a read closes the connection. So a late read continues until its request ends, after the answer was sent.
    return Effect.flatMap(Effect.forkChild(bounded), (fiber) =>
      Effect.timeoutOrElse(Fiber.join(fiber), { duration: longestRead, orElse: () => Effect.fail(stalled) })
    )
  }
)

/** All errors in a body. */
export const payloadErrors = (decode: Decode, read: JsonRead): ReadonlyArray<RequestError> => {
  if ("refused" in read) return [requestError("payload", "", read.refused)]
  const { text } = read
  if (text === "") {
    return Result.isSuccess(decode(undefined))
      ? []
      : [requestError("payload", "", "Missing; a JSON object is expected")]
  }
  const parsed = Result.try((): unknown => JSON.parse(text))
  if (Result.isFailure(parsed)) return [requestError("payload", "", "Expected a valid JSON body")]
  const decoded = decode(parsed.success)
  return Result.isFailure(decoded) ? errorsOf("payload", decoded.failure) : []
}
