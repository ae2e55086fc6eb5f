import { BlockList, isIP } from "node:net"
import { Config, Option, Result, Schema } from "effect"
import type { HttpServerRequest } from "effect/http"

/** Writes an IPv4-mapped IPv6 address as the IPv4 address. */
const plain = (address: string): string =>
  /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address.split("%", 1)[0] ?? ""

const familyOf = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4")

/** Throws for an entry that is neither an address nor a network. */
const listOf = (text: string): BlockList => {
  const list = new BlockList()
  for (const entry of text.split(",").map((each) => each.trim())) {
    const [address = "", bits, ...more] = entry.split("/")
    if (isIP(address) === 0 || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)))
      throw new TypeError(entry)
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  }
  return list
}

const parse = (text: string) => Result.try(() => listOf(text))

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
  Config.map((text) => Result.getOrElse(parse(text), () => new BlockList())),
  Config.withDefault(new BlockList())
)

/**
 * The client's address: the peer of the connection, or, if the peer is a trusted proxy, the last address in X-Forwarded-For
 * that is not a trusted proxy. Addresses further to the left are not verified by any trusted proxy.
 */
export const clientAddress = (
  { headers, remoteAddress }: Pick<HttpServerRequest.HttpServerRequest, "headers" | "remoteAddress">,
  proxies: BlockList
): string => {
  const trusted = (address: string) => isIP(address) !== 0 && proxies.check(address, familyOf(address))
  const peer = plain(Option.getOrElse(remoteAddress, () => "unknown"))
  if (!trusted(peer)) return peer
  const hops = (headers["x-forwarded-for"] ?? "").split(",").map((hop) => plain(hop.trim()))
  const last = hops.findLast((hop) => !trusted(hop)) ?? ""
  return isIP(last) === 0 ? peer : last
}
