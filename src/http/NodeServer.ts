import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Duration, Effect, Layer } from "effect"
import { createServer } from "node:http"
import { HttpConfig } from "./HttpConfig.ts"

const seconds = 1000

/** A server that no client can hold on to: every phase of a connection has a deadline. */
const makeServer = () => {
  const server = createServer({
    headersTimeout: 20 * seconds,
    // For the whole request, so it bounds the slowest upload; silence within one is noticed much earlier.
    requestTimeout: 3600 * seconds,
    keepAliveTimeout: 65 * seconds,
    connectionsCheckingInterval: 10 * seconds,
    maxHeaderSize: 16 * 1024
  })
  // Neither sending nor receiving: also ends a client that does not read its answer.
  server.timeout = 120 * seconds
  server.maxConnections = 4096
  return server
}

/** How long requests in flight may take when the server closes. Then they are interrupted, and connections cut. */
const closeGrace = Duration.seconds(2)

/** Listens where `HttpConfig` says. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const { host, port } = yield* HttpConfig
    const server = makeServer()
    // Between the end of the requests and the server's own close, which would wait for every connection that is still open.
    const cutConnections = Layer.effectDiscard(
      Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    )
    return cutConnections.pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => server, { host, port, gracefulShutdownTimeout: closeGrace }))
    )
  })
)
