import { BlockList, isIP } from "node:net"

// What is public follows IANA's special-purpose address registries. IPv6 goes by what is allowed, not by what is
// forbidden: only global unicast (2000::/3), and of that nothing that carries or stands for another address. So
// IPv4-mapped, IPv4-compatible, NAT64, 6to4 and Teredo forms are refused whatever they carry.

const subnets = (family: "ipv4" | "ipv6", ranges: ReadonlyArray<readonly [address: string, prefix: number]>) => {
  const list = new BlockList()
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, family)
  return list
}

const special4 = subnets("ipv4", [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4]
])

const global6 = subnets("ipv6", [["2000::", 3]])

const special6 = subnets("ipv6", [
  // Teredo, benchmarking, ORCHID and other protocol assignments.
  ["2001::", 23],
  ["2001:db8::", 32],
  // 6to4.
  ["2002::", 16],
  // The former 6bone.
  ["3ffe::", 16],
  ["3fff::", 20]
])

/** Whether the text is a literal IP address (no zone, no shorthand) that belongs to the public internet. */
export const isPublicAddress = (address: string): boolean => {
  if (address.includes("%")) return false
  switch (isIP(address)) {
    case 4:
      return !special4.check(address, "ipv4")
    case 6:
      return global6.check(address, "ipv6") && !special6.check(address, "ipv6")
    default:
      return false
  }
}

/** Such a name never leaves the machine (RFC 6761), whatever a name server says. */
export const isLocalhost = (name: string): boolean => /(^|\.)localhost\.?$/i.test(name)
