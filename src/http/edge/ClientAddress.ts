import { Config, Option, Result, Schema } from "effect"
import type { HttpServerRequest } from "effect/http"
import { IpInterface, IpNetwork, NetAddress } from "effect/net"

// Not `HttpMiddleware.xForwardedHeaders`: it also takes the Host from X-Forwarded-Host, which many proxies pass on as the client
// sent it, and `HostPolicy` and the check of origins rely on the Host.

/** A network may be written as an address within it: `172.17.0.1/16`. */
const parse = (text: string) =>
  Result.all(text.split(",").map((entry) => Result.map(IpInterface.fromString(entry.trim()), IpNetwork.fromInterface)))

/** `TRUSTED_PROXIES`: the proxies whose X-Forwarded-For is believed. None unless it is set. */
export const TrustedProxies = Config.schema(
  Schema.String.check(
    Schema.makeFilter(
      (text: string) =>
        Result.isSuccess(parse(text)) || "IP addresses or networks such as 10.0.0.0/8, separated by commas"
    )
  ),
  "TRUSTED_PROXIES"
).pipe(
  Config.map((text) => Result.getOrElse(parse(text), () => [])),
  Config.withDefault<ReadonlyArray<IpNetwork.IpNetwork>>([])
)

/** The address without its zone; an IPv4-mapped IPv6 address is the IPv4 address. */
const addressOf = (text: string) =>
  Option.map(Result.getSuccess(NetAddress.ipFromString(text.split("%", 1)[0] ?? "")), (address) =>
    NetAddress.toCanonical(address)
  )

const isWithin = (networks: ReadonlyArray<IpNetwork.IpNetwork>) => (address: NetAddress.IpAddress) => {
  const forms = NetAddress.isIpv4Address(address) ? [address, NetAddress.toIpv4Mapped(address)] : [address]
  return networks.some((network) => forms.some((form) => IpNetwork.contains(network, form)))
}

/**
 * The client's address: the peer of the connection, or, if the peer is a trusted proxy, the last address in X-Forwarded-For
 * that is not a trusted proxy. Addresses further to the left are not verified by any trusted proxy.
 */
export const clientAddress = (
  { headers, remoteAddress }: Pick<HttpServerRequest.HttpServerRequest, "headers" | "remoteAddress">,
  proxies: ReadonlyArray<IpNetwork.IpNetwork>
): string => {
  const isTrusted = isWithin(proxies)
  const peer = Option.flatMap(remoteAddress, addressOf)
  if (Option.isNone(peer)) return "unknown"
  if (!isTrusted(peer.value)) return NetAddress.formatIp(peer.value)
  const hops = (headers["x-forwarded-for"] ?? "").split(",").map((hop) => addressOf(hop.trim()))
  const last = hops.findLast((hop) => Option.isNone(hop) || !isTrusted(hop.value))
  return NetAddress.formatIp(Option.getOrElse(last ?? peer, () => peer.value))
}
