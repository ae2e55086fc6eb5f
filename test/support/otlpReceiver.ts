import { createServer } from "node:http"
import { Effect, Queue } from "effect"

export interface Received {
  readonly path: string
  readonly body: string
  readonly headers: Record<string, unknown>
}

/** An OTLP endpoint on loopback that keeps what it gets. Bodies are read as Latin-1, so names inside protobuf can be found. */
export const otlpReceiver = Effect.gen(function* () {
  const received = yield* Queue.unbounded<Received>()
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("latin1")
      Queue.offerUnsafe(received, { path: request.url ?? "", body, headers: request.headers })
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end()
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, received: Queue.clear(received) }
})
