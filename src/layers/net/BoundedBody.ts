import type { IncomingMessage } from "node:http"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Effect, Stream } from "effect"
import { ExchangeFailed } from "./GuardedHttp.ts"

/** The whole body of an answer, of which no more than `most` bytes are read. */
export const readBody = Effect.fnUntraced(function* (response: IncomingMessage, most: number) {
  const broke = () => new ExchangeFailed({ host: "its answer", detail: "the connection broke before the end" })
  const parts: Array<Uint8Array> = []
  let size = 0
  yield* NodeStream.fromReadable<Uint8Array, ExchangeFailed>({ evaluate: () => response, onError: broke }).pipe(
    Stream.takeWhile((part) => (size += part.byteLength) <= most),
    Stream.runForEach((part) => Effect.sync(() => parts.push(part)))
  )
  return size > most ? ("too large" as const) : new Uint8Array(Buffer.concat(parts))
})
