import { Effect, Redacted, Stream } from "effect"
import { HttpBody, HttpClientRequest, UrlParams } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { Api } from "../http/api/Api.ts"
import { Refused, UnexpectedAnswer } from "./ClientErrors.ts"
import type { IngestOptions } from "./ClientInterface.ts"
import type { Connection } from "./Connection.ts"

const decodeUpload = HttpApiClient.decodeResponse(Api, { group: "documents", endpoint: "upload" })

/** The body of an upload. When its stream fails, the HTTP client reports another error; `failure` has the stream's own. */
const bodyOf = Effect.fnUntraced(function* <E, R>(
  bytes: Uint8Array | Stream.Stream<Uint8Array, E, R>,
  size: number | undefined
) {
  const context = yield* Effect.context<R>()
  let failure: { readonly error: E } | undefined
  const body = Stream.isStream(bytes)
    ? HttpBody.stream(
        bytes.pipe(
          Stream.tapError((error) => Effect.sync(() => (failure = { error }))),
          Stream.provideContext(context)
        ),
        "application/pdf",
        size
      )
    : HttpBody.uint8Array(bytes, "application/pdf")
  return { body, failure: () => failure }
})

export const ingestWith = ({ ask, http, origin, urlOf }: Connection) =>
  Effect.fn("SluiceClient.ingest")(function* <E, R>(
    bytes: Uint8Array | Stream.Stream<Uint8Array, E, R>,
    { force, idempotencyKey, name, password, size, ...parameters }: IngestOptions
  ) {
    const { body, failure } = yield* bodyOf(bytes, size)
    const query = UrlParams.fromInput({ name, ...parameters, ...(force === undefined ? {} : { force: String(force) }) })
    const request = HttpClientRequest.post(urlOf("/v1/documents"), {
      body,
      urlParams: query,
      headers: {
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
        ...(password === undefined ? {} : { "x-pdf-password": Redacted.value(password) })
      }
    })
    const { documents } = yield* ask(Effect.flatMap(http.execute(request), (response) => decodeUpload(response))).pipe(
      Effect.mapError((error) => {
        const own = failure()
        return own === undefined ? error : own.error
      })
    )
    const outcome = documents[0]
    if (outcome === undefined) return yield* new UnexpectedAnswer({ url: origin, detail: "it contains no document" })
    if ("id" in outcome) return outcome
    const { message, ...known } = outcome.error
    return yield* new Refused({ status: 422, detail: message, ...known })
  })
