import { Result } from "effect"
import { IpNetwork, NetAddress } from "effect/net"

// Public addresses are defined by IANA's special-purpose address registries. IPv6 uses an allow list, not a deny list: only
// global unicast (2000::/3), without addresses that embed or represent another address. So IPv4-mapped, IPv4-compatible,
// NAT64, 6to4 and Teredo addresses are refused, whatever address they embed.

const networks = (...texts: ReadonlyArray<string>) => texts.map(IpNetwork.fromStringUnsafe)

const special4 = networks(
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  // Azure's machines reach their host at this address.
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4"
)

const global6 = networks("2000::/3")

const special6 = networks(
  // Teredo, benchmarking, ORCHID and other protocol assignments.
  "2001::/23",
  "2001:db8::/32",
  // 6to4.
  "2002::/16",
  // The former 6bone.
  "3ffe::/16",
  "3fff::/20"
)

const isWithin = (ranges: ReadonlyArray<IpNetwork.IpNetwork>, address: NetAddress.IpAddress): boolean =>
  ranges.some((range) => IpNetwork.contains(range, address))

/** Whether the text is a literal IP address (no zone, no shorthand) that belongs to the public internet. */
export const isPublicAddress = (text: string): boolean =>
  Result.match(NetAddress.ipFromString(text), {
    onFailure: () => false,
    onSuccess: (address) =>
      NetAddress.isIpv4Address(address)
        ? !isWithin(special4, address)
        : isWithin(global6, address) && !isWithin(special6, address)
  })

/** Such a name always means this machine (RFC 6761), whatever DNS says. */
export const isLocalhost = (name: string): boolean => /(^|\.)localhost\.?$/i.test(name)
