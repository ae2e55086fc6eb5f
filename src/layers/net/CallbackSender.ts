import { Effect, Layer, Result } from "effect"
import { parseHttpUrl } from "../../domain/net/HttpUrl.ts"
import { CallbackFailed, CallbackRefused, CallbackSender } from "../../services/CallbackSender.ts"
import { PrivateWebhooks } from "../../services/config/OutboundPolicy.ts"
import { makeGuardedHttp } from "./GuardedHttp.ts"

const deadline = "10 seconds"
const connectTimeout = "5 seconds"

/**
 * Over HTTP, to public hosts and to those of `PrivateWebhooks`: the host is looked up and checked anew for every delivery.
 * Redirects are not followed.
 */
export const layer: Layer.Layer<CallbackSender> = Layer.effect(
  CallbackSender,
  Effect.gen(function* () {
    const http = yield* makeGuardedHttp(yield* PrivateWebhooks)

    const send = Effect.fnUntraced(function* (url: URL, body: string, headers: Readonly<Record<string, string>>) {
      const response = yield* http.exchange({
        url,
        method: "POST",
        headers: { ...headers, "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) },
        body,
        connectTimeout
      })
      // The body is left unread: the connection is closed with the scope.
      return { status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] }
    }, Effect.scoped)

    return CallbackSender.of({
      // Named after its only caller: the telemetry contract counts it as part of a delivery.
      send: Effect.fn("Outbox.send")(function* (text, body, headers) {
        const url = parseHttpUrl(text)
        if (Result.isFailure(url)) return yield* new CallbackRefused({ detail: url.failure })
        const failed = (detail: string) => Effect.fail(new CallbackFailed({ detail }))
        return yield* send(url.success, body, headers).pipe(
          Effect.timeoutOrElse({
            duration: deadline,
            orElse: () => failed(`${url.success.hostname} did not answer in time`)
          }),
          Effect.catchTags({
            AddressRefused: (error) =>
              Effect.fail(new CallbackRefused({ detail: error.message, mayChange: error.isName })),
            ExchangeFailed: (error) => failed(error.message)
          })
        )
      })
    })
  })
)
