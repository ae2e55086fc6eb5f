import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http"
import { Agent as HttpsAgent, request as httpsRequest } from "node:https"
import { isIP } from "node:net"
import { Deferred, type Duration, Effect, Schema } from "effect"
import { hostOf, portOf } from "../../domain/net/HttpUrl.ts"
import { allowsAddress, listsName, type PrivateHosts } from "../../domain/net/PrivateHosts.ts"
import { isLocalhost } from "../../domain/net/PublicAddress.ts"
import { AddressPolicy, HostNames, isNoSuchName, lookUpOfSystem } from "./AddressPolicy.ts"

// One HTTP exchange with a host that a caller named. The name is resolved here, every address it has must be allowed, and
// the connection is made to the very address that was checked: there is no second lookup that could answer differently.
// Connections are never shared or kept, redirects are not followed, and no proxy is used.
//
// Not effect's HttpClient over an agent with a checking `lookup`: it does not tell when the connection was made. So it could
// neither limit the time to connect nor know that nothing was sent yet, which is when another address may be tried.

/**
 * The host has an address that may not be dialled, or its name has none. Callers do not learn which of the two: that would
 * reveal which names a private network knows. The log says it.
 */
export class AddressRefused extends Schema.TaggedError<AddressRefused>()("AddressRefused", {
  host: Schema.String,
  /** The host is a name, which may have another address the next time. */
  isName: Schema.Boolean
}) {
  override get message() {
    return `${this.host} is not a public host${this.isName ? ", or there is no such name" : ""}`
  }
}

/** No answer: no name server answered, the connection failed, or it took too long. */
export class ExchangeFailed extends Schema.TaggedError<ExchangeFailed>()("ExchangeFailed", {
  host: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.host}: ${this.detail}`
  }
}

export interface Exchange {
  /** Comes from `parseHttpUrl`. */
  readonly url: URL
  readonly method: "GET" | "POST"
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
  readonly connectTimeout: Duration.Input
}

const httpAgent = new HttpAgent({ keepAlive: false })
const httpsAgent = new HttpsAgent({ keepAlive: false })

/** The most addresses of one host that are tried. */
const maxAddresses = 3

export type GuardedHttp = Effect.Success<ReturnType<typeof makeGuardedHttp>>

/** Exchanges with public hosts, and with those of the list. */
export const makeGuardedHttp = Effect.fnUntraced(function* (allowed: PrivateHosts) {
  const policy = yield* AddressPolicy
  const names = yield* HostNames

  const lookUp = Effect.fnUntraced(function* (host: string, port: number) {
    return yield* names.resolve(host).pipe(
      Effect.catch((cause) =>
        listsName(allowed, host, port)
          ? Effect.catch(lookUpOfSystem(host), () => Effect.fail(cause))
          : Effect.fail(cause)
      ),
      Effect.catch((cause) =>
        isNoSuchName(cause)
          ? Effect.succeed([])
          : Effect.fail(new ExchangeFailed({ host, detail: `its name could not be looked up${codeOf(cause)}` }))
      )
    )
  })

  const allowedAddresses = Effect.fnUntraced(function* (url: URL) {
    const host = hostOf(url)
    const port = portOf(url)
    const isName = isIP(host) === 0
    const found = isName ? yield* lookUp(host, port) : [host]
    const may = (address: string) => allowsAddress(allowed, host, port, address) || policy.allows(address, port)
    // The two loopback addresses of the machine may be allowed one by one.
    const addresses = isLocalhost(host) && found.some(may) ? found.filter(may) : found
    const wrong = addresses.find((address) => !may(address))
    const [first, ...others] = addresses.slice(0, maxAddresses).map((address) => ({ address, port }))
    if (first === undefined || wrong !== undefined) {
      const why = wrong === undefined ? "its name has no address" : `it is at ${wrong}, which may not be dialled`
      yield* Effect.logInfo(`${host} was refused: ${why}`)
      return yield* new AddressRefused({ host, isName: isName && !isLocalhost(host) })
    }
    return [first, ...others] as const
  })

  /** The response's head, its body unread. The connection is closed with the scope, at any stage of the exchange. */
  const exchange = Effect.fnUntraced(function* (options: Exchange) {
    const [first, ...others] = yield* allowedAddresses(options.url)
    return yield* others
      .reduce(
        (attempt, address) => Effect.catchTag(attempt, "NotConnected", () => send(options, address)),
        send(options, first)
      )
      .pipe(Effect.catchTag("NotConnected", ({ host, detail }) => new ExchangeFailed({ host, detail })))
  })

  return { exchange }
})

/** The connection was not made, so nothing was sent yet. */
class NotConnected extends Schema.TaggedError<NotConnected>()("NotConnected", {
  host: Schema.String,
  detail: Schema.String
}) {}

const send = Effect.fnUntraced(function* (options: Exchange, to: { readonly address: string; readonly port: number }) {
  const host = hostOf(options.url)
  const connected = Deferred.makeUnsafe<void, NotConnected>()
  const answered = Deferred.makeUnsafe<IncomingMessage, ExchangeFailed>()

  const start = (): ClientRequest => {
    const request = openRequest(options, to)
    request.on("socket", (socket) => {
      socket.once(options.url.protocol === "https:" ? "secureConnect" : "connect", () =>
        Deferred.doneUnsafe(connected, Effect.void)
      )
    })
    request.on("response", (response) => {
      // The reader of the body gets its failure; as long as there is none, it must not become an uncaught error.
      response.on("error", () => {})
      Deferred.doneUnsafe(answered, Effect.succeed(response))
    })
    request.on("error", (cause) => {
      Deferred.doneUnsafe(connected, new NotConnected({ host, detail: `no connection${codeOf(cause)}` }))
      Deferred.doneUnsafe(answered, new ExchangeFailed({ host, detail: `the connection broke${codeOf(cause)}` }))
    })
    request.end(options.body)
    return request
  }

  const request = yield* Effect.acquireRelease(Effect.sync(start), (request) => Effect.sync(() => request.destroy()))
  yield* Deferred.await(connected).pipe(
    Effect.timeoutOrElse({
      duration: options.connectTimeout,
      orElse: () => Effect.fail(new NotConnected({ host, detail: "no connection in time" }))
    }),
    Effect.tapError(() => Effect.sync(() => request.destroy()))
  )
  return yield* Deferred.await(answered)
})

const openRequest = (options: Exchange, to: { readonly address: string; readonly port: number }): ClientRequest => {
  const { url } = options
  const common = {
    method: options.method,
    host: to.address,
    port: to.port,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, "user-agent": "sluice", connection: "close", ...options.headers },
    setHost: false
  }
  if (url.protocol === "http:") return httpRequest({ ...common, agent: httpAgent })
  const host = hostOf(url)
  // The certificate has to be the named host's; an address has no server name to send.
  return httpsRequest({ ...common, agent: httpsAgent, servername: isIP(host) === 0 ? host.replace(/\.$/, "") : "" })
}

const codeOf = (cause: unknown) =>
  typeof cause === "object" && cause !== null && "code" in cause ? ` (${String(cause.code)})` : ""
