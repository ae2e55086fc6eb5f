import type { IncomingMessage } from "node:http"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Duration, Effect, Result, Stream } from "effect"
import { failure } from "../../domain/Failure.ts"
import { parseHttpUrl } from "../../domain/net/HttpUrl.ts"
import { SourceRefused, SourceUnavailable } from "../../services/Sources.ts"
import type { GuardedHttp } from "./GuardedHttp.ts"

// Reading a file from a URL that a caller named. Redirects are followed here, so that each hop passes the same guard.
// Messages name the host only: the rest of a URL may hold a token.

export interface FetchOptions {
  /** For the whole fetch, from the first lookup to the last byte. */
  readonly timeout: Duration.Input
  readonly connectTimeout: Duration.Input
  readonly maxRedirects: number
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** Statuses outside 5xx that another try may not meet. */
const passing: ReadonlySet<number> = new Set([408, 425, 429])

const refused = (message: string) => new SourceRefused({ failure: failure("SOURCE_REFUSED", message) })
const unavailable = (message: string, retryable: boolean) =>
  new SourceUnavailable({ failure: failure("SOURCE_UNAVAILABLE", message), retryable })

export const makeFetch = (http: GuardedHttp, options: FetchOptions) => {
  const get = (url: URL) =>
    http
      .exchange({
        url,
        method: "GET",
        headers: { accept: "application/pdf, */*;q=0.5", "accept-encoding": "identity" },
        connectTimeout: options.connectTimeout
      })
      .pipe(
        Effect.catchTags({
          AddressRefused: (error) => Effect.fail(refused(error.message)),
          ExchangeFailed: (error) => Effect.fail(unavailable(error.message, true))
        })
      )

  const follow = Effect.fnUntraced(function* (text: string) {
    let url = yield* accept(text)
    for (let hop = 0; hop <= options.maxRedirects; hop++) {
      const response = yield* get(url)
      const status = response.statusCode ?? 0
      const location = response.headers.location
      if (!redirects.has(status) || location === undefined) return yield* checkAnswer(url, response)
      response.destroy()
      const next = yield* accept(location, url)
      if (url.protocol === "https:" && next.protocol === "http:") {
        return yield* refused(`${url.hostname} redirects from https to http`)
      }
      url = next
    }
    return yield* unavailable(`${url.hostname}: more than ${options.maxRedirects} redirects`, false)
  })

  return (text: string): Stream.Stream<Uint8Array, SourceRefused | SourceUnavailable> =>
    Stream.unwrap(
      Effect.map(follow(text), (response) =>
        NodeStream.fromReadable({
          evaluate: () => response,
          onError: () => unavailable("the connection broke before the file was complete", true),
          // Passes bytes on as they arrive instead of gathering them.
          chunkSize: 1
        })
      )
    ).pipe(
      Stream.interruptWhen(
        Effect.andThen(
          Effect.sleep(options.timeout),
          Effect.fail(unavailable(`the file did not arrive within ${format(options.timeout)}`, true))
        )
      ),
      Stream.withSpan("Sources.fetch")
    )
}

const format = (duration: Duration.Input) => Duration.format(Duration.fromInputUnsafe(duration))

const accept = (text: string, base?: URL) =>
  Result.match(parseHttpUrl(text, base), {
    onFailure: (detail) =>
      Effect.fail(refused(base === undefined ? detail : `${base.hostname} redirects elsewhere: ${detail}`)),
    onSuccess: (url) => Effect.succeed(url)
  })

const checkAnswer = (url: URL, response: IncomingMessage): Effect.Effect<IncomingMessage, SourceUnavailable> => {
  const status = response.statusCode ?? 0
  if (status < 200 || status > 299) {
    return Effect.fail(
      unavailable(`${url.hostname} answered with status ${status}`, status >= 500 || passing.has(status))
    )
  }
  const encoding = response.headers["content-encoding"] ?? "identity"
  return encoding === "identity"
    ? Effect.succeed(response)
    : Effect.fail(unavailable(`${url.hostname} answered with a compressed body, which was not asked for`, false))
}
