import { createServer } from "node:http"
import { Effect, Queue } from "effect"
import { metricsIn, type ReceivedSpan, spansIn } from "./otlp.ts"

export interface Received {
  readonly path: string
  /** Read as Latin-1, so that names inside protobuf can be found. */
  readonly body: string
  readonly bytes: Uint8Array
  readonly headers: Record<string, unknown>
}

/** An OTLP endpoint on loopback that keeps what it gets. */
export const otlpReceiver = Effect.gen(function* () {
  const received = yield* Queue.unbounded<Received>()
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const bytes = Buffer.concat(chunks)
      const path = request.url ?? ""
      Queue.offerUnsafe(received, { path, bytes, body: bytes.toString("latin1"), headers: request.headers })
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

  /** Everything that comes, until it is enough. */
  const until = Effect.fnUntraced(function* <A>(
    path: string,
    read: (bytes: Uint8Array) => Iterable<A>,
    enough: (all: ReadonlyArray<A>) => boolean
  ) {
    const all: Array<A> = []
    while (!enough(all)) {
      const request = yield* Queue.take(received)
      if (request.path === path) all.push(...read(request.bytes))
    }
    return all
  })

  return {
    url: `http://127.0.0.1:${port}`,
    received: Queue.clear(received),
    /** Spans, as they come, until these are enough. Other signals that come meanwhile are gone. */
    spansUntil: (enough: (spans: ReadonlyArray<ReceivedSpan>) => boolean) => until("/v1/traces", spansIn, enough),
    /** The same for names of metrics, with their units. */
    metricsUntil: (enough: (metrics: ReadonlyArray<readonly [name: string, unit: string]>) => boolean) =>
      until("/v1/metrics", metricsIn, enough)
  }
})
