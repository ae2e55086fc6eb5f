import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Duration, Effect, Layer, Metric } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { IncomingMessage, Server, ServerResponse } from "node:http"
import * as Telemetry from "../../observability/Telemetry.ts"
import { answerUnreadable } from "../rules/UnreadableRequests.ts"
import { LoadShedding, type KnownRefusal } from "./LoadShedding.ts"
import { HttpConfig } from "./HttpConfig.ts"
import { answerHeaders, makeRequestIds } from "./RequestId.ts"
import { countRefusal } from "./RequestMetrics.ts"

const seconds = 1000

/** Answers a request before routing and returns true; returns false if the request should be routed as usual. */
type EarlyHandler = (request: IncomingMessage, response: ServerResponse) => boolean

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

/** A server with a deadline for every phase of a connection, so that no client can occupy one for ever. */
class GuardedServer extends Server {
  readonly #early: EarlyHandler

  constructor(early: EarlyHandler) {
    super({
      headersTimeout: 20 * seconds,
      // For the whole request, so it bounds the slowest upload; silence within an upload is noticed much earlier.
      requestTimeout: 3600 * seconds,
      keepAliveTimeout: 65 * seconds,
      connectionsCheckingInterval: 10 * seconds,
      maxHeaderSize: 16 * 1024
    })
    this.#early = early
    // Without any traffic in either direction: this also ends a client that does not read its answer.
    this.timeout = 120 * seconds
    this.maxConnections = 4096
    this.on("clientError", answerUnreadable)
  }

  /** A request that the early handler answers reaches no listener. */
  override emit(event: string, ...args: Array<unknown>): boolean {
    const [request, response] = args
    // A client that sends `Expect: 100-continue` is refused before it sends its body.
    const isRequest = event === "request" || event === "checkContinue"
    if (!isRequest || !(request instanceof IncomingMessage) || !(response instanceof ServerResponse)) {
      return super.emit(event, ...args)
    }
    if (this.listenerCount(event) > 0) return this.#early(request, response) || super.emit(event, ...args)
    // The port opens shortly before the routes exist, and node never answers a request that has no listener.
    response.writeHead(503, notServing.headers).end(notServing.body)
    return true
  }
}

/** Refuses the requests of a flood by their heads, without routes and middleware, and before reading any of their bodies. */
const makeEarlyHandler = Effect.gen(function* () {
  const shedding = yield* LoadShedding
  const requestIdOf = yield* makeRequestIds
  const known = new WeakMap<object, KnownRefusal>()

  const refuse = Effect.gen(function* () {
    const { headers, method, source } = yield* HttpServerRequest.HttpServerRequest
    const refusal = known.get(source)
    if (refusal === undefined) return HttpServerResponse.empty({ status: 500 })
    yield* shedding.pause
    yield* Metric.update(Telemetry.documentsRefused.of(refusal.limit), 1)
    yield* countRefusal(method, refusal.route)
    return HttpServerResponse.setHeaders(refusal.response, answerHeaders(requestIdOf(headers["x-request-id"])))
  })
  const handle = yield* NodeHttpServer.makeHandler(refuse, { scope: yield* Effect.scope })

  const early: EarlyHandler = (request, response) => {
    const refusal = shedding.known(request)
    if (refusal === undefined) return false
    known.set(request, refusal)
    handle(request, response)
    return true
  }
  return early
})

/** How long requests in flight may take when the server closes. After that they are interrupted and connections are cut. */
const closeGrace = Duration.seconds(2)

/** Listens where `HttpConfig` says. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const { host, port } = yield* HttpConfig
    const server = new GuardedServer(yield* makeEarlyHandler)
    // Runs after the requests have ended and before the server's own close, which would wait for every open connection.
    const cutConnections = Layer.effectDiscard(
      Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    )
    return cutConnections.pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => server, { host, port, gracefulShutdownTimeout: closeGrace }))
    )
  })
).pipe(Layer.provide(LoadShedding.layer))
