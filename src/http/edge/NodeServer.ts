import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Duration, Effect, Layer } from "effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { answerUnreadable } from "../rules/UnreadableRequests.ts"
import { HttpConfig } from "./HttpConfig.ts"

const seconds = 1000

const notServing = {
  headers: { "content-type": "application/problem+json", "retry-after": "1", connection: "close" },
  body: JSON.stringify({
    type: "about:blank",
    title: "Service Unavailable",
    status: 503,
    detail: "the service is starting or stopping",
    code: "NOT_SERVING",
    retryAfter: 1
  })
}

/** The port opens shortly before the routes exist, and closes after them. Node never answers a request without a listener. */
const answerWhileNotServing = (server: Server, event: "request" | "checkContinue") =>
  server.on(event, (_: IncomingMessage, response: ServerResponse) => {
    const isOnlyListener = server.listenerCount(event) === 1
    if (isOnlyListener) response.writeHead(503, notServing.headers).end(notServing.body)
  })

/** A server with a deadline for every phase of a connection, so that no client can occupy one for ever. */
const makeServer = (): Server => {
  const server = createServer({
    headersTimeout: 20 * seconds,
    // For the whole request, so it bounds the slowest upload; silence within an upload is noticed much earlier.
    requestTimeout: 3600 * seconds,
    keepAliveTimeout: 65 * seconds,
    connectionsCheckingInterval: 10 * seconds,
    maxHeaderSize: 16 * 1024
  })
  // Without any traffic in either direction: this also ends a client that does not read its answer.
  server.timeout = 120 * seconds
  server.maxConnections = 4096
  server.on("clientError", answerUnreadable)
  answerWhileNotServing(server, "request")
  answerWhileNotServing(server, "checkContinue")
  return server
}

/** How long requests in flight may take when the server closes. After that they are interrupted and connections are cut. */
const closeGrace = Duration.seconds(2)

/** Listens where `HttpConfig` says. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const { host, port, reusePort } = yield* HttpConfig
    const server = makeServer()
    // Runs after the requests have ended and before the server's own close, which would wait for every open connection.
    const cutConnections = Layer.effectDiscard(
      Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    )
    return cutConnections.pipe(
      Layer.provideMerge(
        NodeHttpServer.layer(() => server, {
          host,
          port,
          reusePort: reusePort === "on",
          gracefulShutdownTimeout: closeGrace
        })
      )
    )
  })
)
