import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Layer } from "effect"
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

/** Listens where `HttpConfig` says. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const { host, port } = yield* HttpConfig
    return NodeHttpServer.layer(makeServer, { host, port })
  })
)
