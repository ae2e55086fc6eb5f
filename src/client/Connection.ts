import { Effect } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "../http/api/Api.ts"
import { type ClientError, clientError, originOf } from "./ClientErrors.ts"
import type { ClientOptions } from "./ClientInterface.ts"

/** How requests reach the server: with the caller's tenant and key, and with the client's errors. */
export const makeConnection = Effect.fnUntraced(function* ({ apiKey, baseUrl, tenant }: ClientOptions) {
  const url = baseUrl.toString()
  const origin = yield* originOf(url)
  const withHeaders = (request: HttpClientRequest.HttpClientRequest) => {
    const named = tenant === undefined ? request : HttpClientRequest.setHeader(request, "x-tenant-id", tenant)
    return apiKey === undefined ? named : HttpClientRequest.bearerToken(named, apiKey)
  }
  const http = HttpClient.mapRequest(yield* HttpClient.HttpClient, withHeaders)
  const api = yield* HttpApiClient.makeWith(Api, { httpClient: http, baseUrl })
  return {
    http,
    api,
    /** The address of the server as it may appear in messages. */
    origin,
    /** The address of a path below the base URL. */
    urlOf: (path: string) => `${url.replace(/\/+$/, "")}${path}`,
    /** Maps every failure of a request to one of the client's errors. */
    ask: <A, E, R>(request: Effect.Effect<A, E, R>): Effect.Effect<A, ClientError, R> =>
      Effect.catch(request, (error) => Effect.flatMap(clientError(origin, error), Effect.fail))
  }
})
export type Connection = Effect.Success<ReturnType<typeof makeConnection>>
