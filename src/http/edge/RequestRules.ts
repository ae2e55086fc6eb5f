import { isUtf8 } from "node:buffer"
import { ByteSize, Context, Effect, Layer, Result, Schema } from "effect"
import { HttpIncomingMessage, HttpRouter, type HttpServerError, HttpServerRequest } from "effect/http"
import { type HttpApiEndpoint, HttpApiError } from "effect/http-api"
import { JsonBody } from "../api/JsonBody.ts"
import { parseOptions, RequestRules } from "../api/RequestRules.ts"
import { invalidTenant } from "../CurrentTenant.ts"
import { errorsOf, refuseFor, type RequestError, requestError } from "../InvalidRequest.ts"
import { BadRequest, problemResponse } from "../Problems.ts"
import { bodyRefusal, hasBody, takesJson, tooLarge } from "./BodyRules.ts"
import { jsonRefusal } from "./JsonText.ts"

/**
 * Applies the rules of `api/RequestRules.ts` to an endpoint. A request that is right is decoded once, by the endpoint itself; only when
 * it is refused, every part of it is decoded again to tell all that is wrong.
 */

type Decode = (input: unknown) => Result.Result<unknown, Schema.SchemaError>

type Part = "params" | "headers" | "query" | "payload"

/** The endpoints' schemas need no services, which their types do not tell. */
const decoderOf = (part: Part, schema: Schema.Top): Decode =>
  Schema.decodeUnknownResult(Schema.make<Schema.Codec<unknown>>(schema.ast), parseOptions[part])

const jsonPayload = (endpoint: HttpApiEndpoint.Top): Schema.Top | undefined => {
  const schemas = endpoint.payload.get("application/json")?.schemas
  return schemas === undefined ? undefined : Schema.Union(schemas)
}

const decodersOf = (endpoint: HttpApiEndpoint.Top): ReadonlyMap<Part, Decode> => {
  const schemas: Readonly<Record<Part, Schema.Top | undefined>> = {
    params: endpoint.params,
    headers: endpoint.headers,
    query: endpoint.query === undefined ? undefined : Schema.toCodecArrayFromSingle(endpoint.query),
    payload: jsonPayload(endpoint)
  }
  const decoders = new Map<Part, Decode>()
  for (const part of ["params", "headers", "query", "payload"] as const) {
    const schema = schemas[part]
    if (schema !== undefined) decoders.set(part, decoderOf(part, schema))
  }
  return decoders
}

const isTooLarge = ({ reason }: HttpServerError.HttpServerError): boolean =>
  reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"

/** A body as JSON: its text, or why it is not read as that. */
type JsonRead = { readonly text: string } | { readonly refused: string }

const readJson = Effect.fnUntraced(
  function* (request: HttpServerRequest.HttpServerRequest, endpoint: HttpApiEndpoint.Top) {
    // Kept with the request, so that the endpoint reads nothing again.
    const text = yield* request.text
    // What a decoder puts in place of bytes that are none.
    const isText = !text.includes("\uFFFD") || isUtf8(yield* request.arrayBuffer)
    const refused = isText ? jsonRefusal(text, Context.get(endpoint.annotations, JsonBody)) : "is not UTF-8"
    const read: JsonRead = refused === undefined ? { text } : { refused }
    return read
  },
  (reading, _, endpoint) => {
    const { bytes } = Context.get(endpoint.annotations, JsonBody)
    return reading.pipe(
      Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bytes)),
      Effect.catchIf(isTooLarge, () => Effect.succeed({ tooLarge: bytes })),
      Effect.orDie
    )
  }
)

const payloadErrors = (decode: Decode, read: JsonRead): ReadonlyArray<RequestError> => {
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

const isRefusal = (error: unknown): boolean =>
  HttpApiError.HttpApiSchemaError.is(error)
    ? error.kind !== "Body" && error.kind !== "ResponseHeaders"
    : error instanceof BadRequest && error.code === invalidTenant.code

const make = Effect.sync(() => {
  const known = new WeakMap<HttpApiEndpoint.Top, ReadonlyMap<Part, Decode>>()
  const decoders = (endpoint: HttpApiEndpoint.Top) => {
    const decoders = known.get(endpoint) ?? decodersOf(endpoint)
    known.set(endpoint, decoders)
    return decoders
  }

  /** All that is wrong with the request, in the order of its parts. */
  const errorsIn = Effect.fnUntraced(function* (endpoint: HttpApiEndpoint.Top, body: JsonRead | undefined) {
    const { headers } = yield* HttpServerRequest.HttpServerRequest
    const query = yield* HttpServerRequest.ParsedSearchParams
    const params = yield* HttpRouter.params
    const sent = { params, headers, query }
    const errors: Array<RequestError> = []
    for (const [part, decode] of decoders(endpoint)) {
      if (part === "payload") {
        errors.push(...payloadErrors(decode, body ?? { text: "" }))
        continue
      }
      const decoded = decode(sent[part])
      if (Result.isFailure(decoded)) errors.push(...errorsOf(part, decoded.failure, sent[part]))
    }
    return errors
  })

  const refuse = Effect.fnUntraced(function* (endpoint: HttpApiEndpoint.Top, body: JsonRead | undefined) {
    const errors = yield* errorsIn(endpoint, body)
    return errors.length === 0 ? undefined : yield* problemResponse(refuseFor(errors))
  })

  return RequestRules.of(
    Effect.fnUntraced(function* (answer, { endpoint }) {
      const request = yield* HttpServerRequest.HttpServerRequest
      const refusal = bodyRefusal(request, endpoint)
      if (refusal !== undefined) return yield* refusal
      const body = takesJson(endpoint) && hasBody(request) ? yield* readJson(request, endpoint) : undefined
      if (body !== undefined && "tooLarge" in body) return yield* problemResponse(tooLarge(body.tooLarge))
      const refused = body !== undefined && "refused" in body ? yield* refuse(endpoint, body) : undefined
      if (refused !== undefined) return refused
      return yield* Effect.catch(answer, (error) =>
        isRefusal(error)
          ? Effect.flatMap(refuse(endpoint, body), (refused) =>
              refused === undefined ? Effect.fail(error) : Effect.succeed(refused)
            )
          : Effect.fail(error)
      )
    })
  )
})

export const layer = Layer.effect(RequestRules, make)
