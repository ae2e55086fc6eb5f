// Answers as they go over the wire: neither decoded nor read faster than the test wants.
import { type IncomingMessage, request } from "node:http"
import { Effect } from "effect"
import { HttpServer } from "effect/http"

export interface Wired {
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  /** What has come so far. */
  readonly received: () => Buffer
  /** Takes so much and then nothing more, or all there is; whether the answer came to its end. */
  readonly read: (enough?: number) => Effect.Effect<boolean>
}

/** A GET whose answer has begun. Nothing of its body is read but by `read`. The connection is its own, and gone with its scope. */
export const open = Effect.fnUntraced(function* (path: string, headers: Record<string, string> = {}) {
  const { address } = yield* HttpServer.HttpServer
  const port = "port" in address ? address.port : 0
  const sent = yield* Effect.acquireRelease(
    Effect.sync(() => request({ host: "127.0.0.1", port, path, headers, agent: false })),
    (sent) => Effect.sync(() => sent.destroy())
  )
  const answer = yield* Effect.callback<IncomingMessage>((resume) => {
    sent.on("error", () => {})
    sent.once("response", (answer) => resume(Effect.succeed(answer)))
    sent.end()
  })
  answer.on("error", () => {})
  const chunks: Array<Buffer> = []
  let size = 0
  const read = (enough = Number.POSITIVE_INFINITY) =>
    Effect.callback<boolean>((resume) => {
      const onEnd = () => done(true)
      const onClose = () => done(answer.complete)
      const done = (whole: boolean) => {
        answer.off("data", onData).off("end", onEnd).off("close", onClose)
        answer.pause()
        resume(Effect.succeed(whole))
      }
      const onData = (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size >= enough) done(false)
      }
      if (size >= enough) return done(false)
      if (answer.destroyed) return onClose()
      answer.on("data", onData).on("end", onEnd).on("close", onClose)
      answer.resume()
    })
  const wired: Wired = {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    received: () => Buffer.concat(chunks),
    read
  }
  return wired
})

/** A GET whose answer was read to its end. */
export const fetched = (path: string, headers: Record<string, string> = {}) =>
  Effect.scoped(
    Effect.flatMap(open(path, headers), (answer) =>
      Effect.map(answer.read(), () => ({ ...answer, body: answer.received() }))
    )
  )
