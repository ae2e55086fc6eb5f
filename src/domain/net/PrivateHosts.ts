import { Option, Result } from "effect"
import { IpNetwork, NetAddress } from "effect/net"
import { hostOf, parseHttpUrl, portOf } from "./HttpUrl.ts"
import { isLocalhost, isPublicAddress } from "./PublicAddress.ts"

// Hosts outside the public internet that an operator lets tenants name, as a list such as
// `10.1.0.0/16, minio.internal:9000, *.svc.cluster.local`. An entry without a port stands for every port.

interface NetworkEntry {
  readonly network: IpNetwork.IpNetwork
  readonly port: number | undefined
}
interface NameEntry {
  /** In lower case; for `*.example.com` the part after the star, with its dot. */
  readonly name: string
  readonly isSuffix: boolean
  readonly port: number | undefined
}

export interface PrivateHosts {
  readonly networks: ReadonlyArray<NetworkEntry>
  readonly names: ReadonlyArray<NameEntry>
}

export const noPrivateHosts: PrivateHosts = { networks: [], names: [] }

/**
 * Addresses at which clouds hand out credentials to every process of a machine. An entry for a network or a name never includes
 * them: only an entry for the exact address does.
 */
const metadata: ReadonlySet<string> = new Set([
  "169.254.169.254",
  // Containers and pods of AWS.
  "169.254.170.2",
  "169.254.170.23",
  "fd00:ec2::254",
  "fd00:ec2::23",
  "fd20:ce::254",
  // Azure; this one is in the public range.
  "168.63.129.16",
  "100.100.100.200",
  "192.0.0.192"
])

const isMetadata = (address: NetAddress.IpAddress) => metadata.has(NetAddress.formatIp(address))

/** The prefixes, in 16-bit words, of IPv4-mapped, IPv4-translated, IPv4-compatible and NAT64 addresses. */
const prefixes = [
  [0, 0, 0, 0, 0, 0xffff],
  [0, 0, 0, 0, 0xffff, 0],
  [0, 0, 0, 0, 0, 0],
  [0x64, 0xff9b, 0, 0, 0, 0]
]

/** The IPv4 address embedded in an IPv6 one: IPv4-mapped, -translated and -compatible, NAT64, and 6to4. */
const carriedBy = (address: NetAddress.Ipv6Address): NetAddress.Ipv4Address | undefined => {
  const words: ReadonlyArray<number> = NetAddress.ipv6ToSegments(address)
  const pair = (at: number) => {
    const [high = 0, low = 0] = words.slice(at, at + 2)
    return Option.getOrUndefined(
      Result.getSuccess(NetAddress.ipv4FromOctets([high >> 8, high & 0xff, low >> 8, low & 0xff]))
    )
  }
  if (words[0] === 0x2002) return pair(1)
  // The prefix of local NAT64 may have several lengths; this handles the one that puts IPv4 in the last four bytes.
  if (words[0] === 0x64 && words[1] === 0xff9b && words[2] === 1) return pair(6)
  // "::" and "::1" do not embed an IPv4 address.
  if (words.slice(0, 7).every((word) => word === 0)) return undefined
  return prefixes.some((start) => start.every((word, index) => words[index] === word)) ? pair(6) : undefined
}

const matchesPort = (entry: { readonly port: number | undefined }, port: number) =>
  entry.port === undefined || entry.port === port

const isOneAddress = ({ network }: NetworkEntry) =>
  network.prefixLength === (NetAddress.isIpv4Address(network.address) ? 32 : 128)

const plainName = (host: string) => host.toLowerCase().replace(/\.$/, "")

/** Whether an entry matches the host's name as written in the URL. */
export const listsName = ({ names }: PrivateHosts, host: string, port: number): boolean => {
  const plain = plainName(host)
  return names.some(
    (entry) => matchesPort(entry, port) && (entry.isSuffix ? plain.endsWith(entry.name) : plain === entry.name)
  )
}

/**
 * Whether a connection to this address and port is allowed for a URL that names this host. Public addresses are always allowed;
 * an address that embeds an IPv4 address only if that one is allowed, too.
 */
export const allowsAddress = (list: PrivateHosts, host: string, port: number, text: string): boolean => {
  const parsed = NetAddress.ipFromString(text)
  if (Result.isFailure(parsed)) return false
  const address = parsed.success
  const carried = NetAddress.isIpv6Address(address) ? carriedBy(address) : undefined
  const entries = list.networks.filter(
    (entry) => matchesPort(entry, port) && IpNetwork.contains(entry.network, address)
  )
  if (isMetadata(address) || (carried !== undefined && isMetadata(carried))) return entries.some(isOneAddress)
  if (isPublicAddress(text)) return true
  if (entries.length === 0 && !listsName(list, host, port)) return false
  return carried === undefined || allowsAddress(list, host, port, NetAddress.formatIp(carried))
}

/**
 * Whether the URL's host is allowed as far as its text shows: a literal address or a name of this machine is decided here, any
 * other name after DNS resolution.
 */
export const allowsUrl = (list: PrivateHosts, url: URL): boolean => {
  const host = hostOf(url)
  const port = portOf(url)
  if (isLocalhost(host)) return ["127.0.0.1", "::1"].some((address) => allowsAddress(list, host, port, address))
  return Result.isFailure(NetAddress.ipFromString(host)) || allowsAddress(list, host, port, host)
}

const parsePort = (text: string | undefined) => (text === undefined ? undefined : Number(text))

const parseNetwork = (text: string): Result.Result<NetworkEntry, string> => {
  const [, bare, bracketed, port] =
    /^(?:([^[\]:]+\/\d+|[^[\]]+:[^[\]]*\/\d+)|\[(.*\/\d+)\])(?::(\d+))?$/.exec(text) ?? []
  const cidr = bare ?? bracketed ?? text
  return Result.match(IpNetwork.fromString(cidr), {
    onFailure: ({ message }) => Result.fail(`${text} is no network: ${message}`),
    onSuccess: (network) => Result.succeed({ network, port: parsePort(port) })
  })
}

/** Parses an entry for one host with the URL parser, which knows all spellings of addresses and names. */
const parseHost = (text: string): Result.Result<NetworkEntry | NameEntry, string> => {
  const isSuffix = text.startsWith("*.")
  const rest = isSuffix ? text.slice(2) : text
  const wrong = Result.fail(`${text} is no address, network or host name`)
  const url = /^[^/?#@\\*\s]+$/.test(rest) ? parseHttpUrl(`http://${rest}`) : wrong
  if (Result.isFailure(url)) return wrong
  const host = hostOf(url.success)
  const port = /:\d+$/.test(rest) ? portOf(url.success) : undefined
  const address = NetAddress.ipFromString(host)
  if (Result.isFailure(address)) {
    const name = plainName(host)
    return Result.succeed({ name: isSuffix ? `.${name}` : name, isSuffix, port })
  }
  return isSuffix ? wrong : Result.succeed({ network: only(address.success), port })
}

const only = (address: NetAddress.IpAddress) => IpNetwork.makeUnsafe(address, NetAddress.width(address))

const parseEntry = (text: string): Result.Result<NetworkEntry | NameEntry, string> => {
  const bare = NetAddress.ipFromString(text)
  if (Result.isSuccess(bare)) return Result.succeed({ network: only(bare.success), port: undefined })
  return /^[^/]+\/[^/]+$/.test(text) ? parseNetwork(text) : parseHost(text)
}

/** The list, or the error in its first invalid entry. */
export const parsePrivateHosts = (text: string): Result.Result<PrivateHosts, string> => {
  const networks: Array<NetworkEntry> = []
  const names: Array<NameEntry> = []
  for (const entry of text.split(",").map((each) => each.trim())) {
    if (entry === "") continue
    const parsed = parseEntry(entry)
    if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
    if ("network" in parsed.success) networks.push(parsed.success)
    else names.push(parsed.success)
  }
  return Result.succeed({ networks, names })
}
