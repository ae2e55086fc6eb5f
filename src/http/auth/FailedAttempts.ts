import { isIP } from "node:net"

/** How often an address may present an invalid key: ten times at once, then ten times a minute. */
const mostAtOnce = 10
const millisPerAttempt = 6000

/** Beyond this number, the address that failed least recently is forgotten. */
const mostAddresses = 10_000

interface Bucket {
  readonly attempts: number
  readonly at: number
}

/** The unit that counts as one client: an IPv4 address, or an IPv6 network, because one client controls all its addresses. */
export const networkOf = (address: string): string => {
  if (isIP(address) !== 6) return address
  const [head = "", tail] = address.toLowerCase().split("::", 2)
  const left = head === "" ? [] : head.split(":")
  const right = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`
}

/** Token buckets by address. Times are milliseconds. */
export const makeFailedAttempts = () => {
  const buckets = new Map<string, Bucket>()

  const left = (address: string, now: number): number => {
    const bucket = buckets.get(address)
    return bucket === undefined
      ? mostAtOnce
      : Math.min(mostAtOnce, bucket.attempts + (now - bucket.at) / millisPerAttempt)
  }

  return {
    /** Seconds until the address may fail again, at least 1; 0 when it may now. */
    wait: (address: string, now: number): number => {
      const missing = 1 - left(networkOf(address), now)
      return missing <= 0 ? 0 : Math.max(1, Math.ceil((missing * millisPerAttempt) / 1000))
    },
    count: (address: string, now: number): void => {
      const network = networkOf(address)
      const attempts = left(network, now) - 1
      buckets.delete(network)
      const oldest = buckets.size >= mostAddresses ? buckets.keys().next().value : undefined
      if (oldest !== undefined) buckets.delete(oldest)
      buckets.set(network, { attempts, at: now })
    }
  }
}
