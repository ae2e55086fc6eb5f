import { Effect, Layer, Result } from "effect"
import { parseHttpUrl } from "../domain/HttpUrl.ts"
import { CallbackFailed, CallbackRefused, CallbackSender } from "../services/CallbackSender.ts"
import { makeGuardedHttp } from "./net/GuardedHttp.ts"

const deadline = "10 seconds"
const connectTimeout = "5 seconds"

/** Statuses of the 4xx family that may be another one the next time. */
const passing: ReadonlySet<number> = new Set([408, 429])

const judge = (host: string, status: number) => {
  if (status >= 200 && status < 300) return Effect.void
  const detail = `${host} answered with status ${status}`
  return status >= 400 && status < 500 && !passing.has(status)
    ? Effect.fail(new CallbackRefused({ detail }))
    : Effect.fail(new CallbackFailed({ detail, unreachable: false }))
}

/** Over HTTP, to public addresses only. Redirects are not followed. */
export const layer: Layer.Layer<CallbackSender> = Layer.effect(
  CallbackSender,
  Effect.gen(function* () {
    const http = yield* makeGuardedHttp

    const send = Effect.fnUntraced(function* (url: URL, body: string, headers: Readonly<Record<string, string>>) {
      const response = yield* http.exchange({
        url,
        method: "POST",
        headers: { ...headers, "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) },
        body,
        connectTimeout
      })
      // The body is left unread: the connection is closed with the scope.
      yield* judge(url.hostname, response.statusCode ?? 0)
    }, Effect.scoped)

    return CallbackSender.of({
      // Named after its only caller: the telemetry contract counts it as part of a delivery.
      send: Effect.fn("Outbox.send")(function* (text, body, headers) {
        const url = parseHttpUrl(text)
        if (Result.isFailure(url)) return yield* new CallbackRefused({ detail: url.failure })
        const unreachable = (detail: string) => Effect.fail(new CallbackFailed({ detail, unreachable: true }))
        yield* send(url.success, body, headers).pipe(
          Effect.timeoutOrElse({
            duration: deadline,
            orElse: () => unreachable(`${url.success.hostname} did not answer in time`)
          }),
          Effect.catchTags({
            AddressRefused: (error) => Effect.fail(new CallbackRefused({ detail: error.message })),
            ExchangeFailed: (error) => unreachable(error.message)
          })
        )
      })
    })
  })
)
