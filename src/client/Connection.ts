import { Effect } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "../http/api/Api.ts"
import { type ClientError, clientError, originOf } from "./ClientErrors.ts"
import type { ClientOptions } from "./ClientInterface.ts"

/** How requests reach the server: with the caller's tenant and key, and with the client's errors. */
export interface Connection {
  readonly http: HttpClient.HttpClient
  readonly api: HttpApiClient.ForApi<typeof Api>
  /** The address of the server as it may appear in messages. */
  readonly origin: string
  /** The address of a path below the base URL. */
  readonly urlOf: (path: string) => string
  /** Maps every failure of a request to one of the client's errors. */
  readonly ask: <A, E, R>(request: Effect.Effect<A, E, R>) => Effect.Effect<A, ClientError, R>
}

export const makeConnection = Effect.fnUntraced(function* ({ apiKey, baseUrl, tenant }: ClientOptions) {
  const url = baseUrl.toString()
  const origin = yield* originOf(url)
  const withHeaders = (request: HttpClientRequest.HttpClientRequest) => {
    const named = tenant === undefined ? request : HttpClientRequest.setHeader(request, "x-tenant-id", tenant)
    return apiKey === undefined ? named : HttpClientRequest.bearerToken(named, apiKey)
  }
  const http = HttpClient.mapRequest(yield* HttpClient.HttpClient, withHeaders)
  const api = yield* HttpApiClient.makeWith(Api, { httpClient: http, baseUrl })
  const connection: Connection = {
    http,
    api,
    origin,
    urlOf: (path) => `${url.replace(/\/+$/, "")}${path}`,
    ask: (request) => Effect.catch(request, (error) => Effect.flatMap(clientError(origin, error), Effect.fail))
  }
  return connection
})
