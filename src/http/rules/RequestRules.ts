import { Effect, Layer, Result, Schema } from "effect"
import { HttpRouter, HttpServerRequest, type HttpServerResponse } from "effect/http"
import { type HttpApiEndpoint, HttpApiError } from "effect/http-api"
import { parseOptions, RequestRules } from "../api/RequestRules.ts"
import { invalidTenant } from "../auth/CurrentTenant.ts"
import { errorsOf, refuseFor, type RequestError } from "../api/problems/InvalidRequest.ts"
import { CurrentPrincipal } from "../auth/Principal.ts"
import { BadRequest, problemResponse } from "../api/problems/Problems.ts"
import { bodyRefusal, hasBody, isLarge, takesJson } from "./BodyRules.ts"
import { type Decode, type JsonRead, payloadErrors, readJson } from "./JsonRead.ts"
import { makeLargeBodies } from "./LargeBodies.ts"

/**
 * Applies the rules of `api/RequestRules.ts` to an endpoint. A valid request is decoded once, by the endpoint itself. Only a
 * refused request is decoded again, in every part, to report all its errors.
 */

type Part = "params" | "headers" | "query" | "payload"

/** The endpoints' schemas need no services, although their types do not say so. */
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

const isRefusal = (error: unknown): boolean =>
  HttpApiError.HttpApiSchemaError.is(error)
    ? error.kind !== "Body" && error.kind !== "ResponseHeaders"
    : error instanceof BadRequest && error.code === invalidTenant.code

const make = Effect.sync(() => {
  const large = makeLargeBodies()
  const known = new WeakMap<HttpApiEndpoint.Top, ReadonlyMap<Part, Decode>>()
  const decoders = (endpoint: HttpApiEndpoint.Top) => {
    const decoders = known.get(endpoint) ?? decodersOf(endpoint)
    known.set(endpoint, decoders)
    return decoders
  }

  /** All errors in the request, in the order of its parts. */
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

  /** Runs the endpoint. If it refuses the request, the answer lists all errors. */
  const answerWith = <E, R>(
    answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
    endpoint: HttpApiEndpoint.Top,
    body: JsonRead | undefined
  ) =>
    Effect.catch(answer, (error) =>
      isRefusal(error)
        ? Effect.flatMap(refuse(endpoint, body), (refused) =>
            refused === undefined ? Effect.fail(error) : Effect.succeed(refused)
          )
        : Effect.fail(error)
    )

  return RequestRules.of(
    Effect.fnUntraced(function* (answer, { endpoint }) {
      const request = yield* HttpServerRequest.HttpServerRequest
      const refusal = bodyRefusal(request, endpoint)
      if (refusal !== undefined) return yield* refusal
      if (!takesJson(endpoint) || !hasBody(request)) return yield* answerWith(answer, endpoint, undefined)
      const read = Effect.gen(function* () {
        const body = yield* Effect.result(readJson(request, endpoint))
        if (Result.isFailure(body)) return yield* problemResponse(body.failure)
        const refused = "refused" in body.success ? yield* refuse(endpoint, body.success) : undefined
        return refused ?? (yield* answerWith(answer, endpoint, body.success))
      })
      if (!isLarge(request, endpoint)) return yield* read
      const caller = yield* CurrentPrincipal
      const full = large.enter(caller)
      if (full !== undefined) return yield* problemResponse(full)
      return yield* Effect.ensuring(
        read,
        Effect.sync(() => large.leave(caller))
      )
    })
  )
})

export const layer = Layer.effect(RequestRules, make)
