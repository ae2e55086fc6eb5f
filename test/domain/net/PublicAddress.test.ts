import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { BlockList } from "node:net"
import { parseHttpUrl } from "../../../src/domain/net/HttpUrl.ts"
import { allowsUrl, noPrivateHosts } from "../../../src/domain/net/PrivateHosts.ts"
import { isPublicAddress } from "../../../src/domain/net/PublicAddress.ts"
import { AddressPolicy } from "../../../src/layers/net/AddressPolicy.ts"

const refused = [
  ["0.0.0.0", "0.255.255.255", "this network"],
  ["10.0.0.0", "10.255.255.255", "private"],
  ["100.64.0.0", "100.127.255.255", "carrier-grade NAT"],
  ["127.0.0.0", "127.255.255.255", "loopback"],
  ["168.63.129.16", "168.63.129.16", "the host of Azure's machines"],
  ["169.254.0.0", "169.254.255.255", "link-local, with the clouds' metadata"],
  ["172.16.0.0", "172.31.255.255", "private"],
  ["192.0.0.0", "192.0.0.255", "protocol assignments"],
  ["192.0.2.0", "192.0.2.255", "documentation"],
  ["192.88.99.0", "192.88.99.255", "6to4 relays"],
  ["192.168.0.0", "192.168.255.255", "private"],
  ["198.18.0.0", "198.19.255.255", "benchmarking"],
  ["198.51.100.0", "198.51.100.255", "documentation"],
  ["203.0.113.0", "203.0.113.255", "documentation"],
  ["224.0.0.0", "239.255.255.255", "multicast"],
  ["240.0.0.0", "255.255.255.255", "reserved and broadcast"],
  ["::", "::", "unspecified"],
  ["::1", "::1", "loopback"],
  ["::2", "::ffff", "IPv4-compatible"],
  ["::127.0.0.1", "::8.8.8.8", "IPv4-compatible"],
  ["::ffff:0:0", "::ffff:ffff:ffff", "IPv4-mapped"],
  ["::ffff:127.0.0.1", "::ffff:8.8.8.8", "IPv4-mapped"],
  ["::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "IPv4-translated"],
  ["64:ff9b::", "64:ff9b::ffff:ffff", "NAT64"],
  ["64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "local NAT64"],
  ["100::", "100::ffff:ffff:ffff:ffff", "discard"],
  ["2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "Teredo"],
  ["2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "benchmarking"],
  ["2001:10::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", "ORCHID"],
  ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"],
  ["2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "6to4"],
  ["2002:7f00:1::", "2002:a9fe:a9fe::", "6to4 of private addresses"],
  ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"],
  ["4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "not allocated"],
  ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unique local"],
  ["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local"],
  ["fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "site-local"],
  ["ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"]
] as const

const allowed = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "191.255.255.255",
  "192.0.1.0",
  "192.0.3.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "203.0.112.255",
  "203.0.114.0",
  "223.255.255.255",
  "2001:200::",
  "2001:4860:4860::8888",
  "2606:4700:4700::1111",
  "2a00:1450:4001:830::200e",
  "3ffd:ffff::"
]

describe("a public address", () => {
  for (const [first, last, what] of refused) {
    it(`is not ${first} to ${last} (${what})`, () => {
      assert.isFalse(isPublicAddress(first))
      assert.isFalse(isPublicAddress(last))
    })
  }

  it("is one of the rest", () => {
    for (const address of allowed) assert.isTrue(isPublicAddress(address), address)
  })

  it("is a whole literal address: no shorthand, zone, bracket, port or name", () => {
    const texts = [
      "",
      " 8.8.8.8",
      "8.8.8.8 ",
      "8.8.8",
      "134744072",
      "0x8080808",
      "010.8.8.8",
      "8.8.8.8.",
      "8.8.8.8:80",
      "[2a00::1]",
      "2a00::1%eth0",
      "fe80::1%1",
      "localhost",
      "example.com",
      "8.8.8.8\n",
      "2a00:::1",
      "\u0668.8.8.8"
    ]
    for (const text of texts) assert.isFalse(isPublicAddress(text), JSON.stringify(text))
  })

  const Octet = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
  it.prop("is never an IPv6 form that carries an IPv4 address", [Octet, Octet, Octet, Octet], ([a, b, c, d]) => {
    const hex = (high: number, low: number) => ((high << 8) | low).toString(16)
    const pair = `${hex(a, b)}:${hex(c, d)}`
    const dotted = `${a}.${b}.${c}.${d}`
    for (const form of [
      `::${pair}`,
      `::ffff:${pair}`,
      `::ffff:${dotted}`,
      `64:ff9b::${pair}`,
      `64:ff9b::${dotted}`,
      `2002:${pair}::1`,
      `2001:0:${pair}::1`
    ]) {
      assert.isFalse(isPublicAddress(form), form)
    }
  })

  it.prop(
    "is every IPv4 address outside the listed ranges, and none inside",
    [Octet, Octet, Octet, Octet],
    (octets) => {
      const address = octets.join(".")
      const ranges = new BlockList()
      for (const [first, last] of refused) if (!first.includes(":")) ranges.addRange(first, last, "ipv4")
      assert.strictEqual(isPublicAddress(address), !ranges.check(address, "ipv4"))
    }
  )

  it.effect("is what the policy asks for when nobody says otherwise", () =>
    Effect.gen(function* () {
      const policy = yield* AddressPolicy
      assert.isFalse(policy.allows("127.0.0.1", 80))
      assert.isTrue(policy.allows("8.8.8.8", 80))
    })
  )
})

describe("a URL", () => {
  it("is read with every spelling of an IPv4 address undone", () => {
    const spellings = [
      "http://127.0.0.1/",
      "HTTP://127.0.0.1/",
      "http://127.1/",
      "http://2130706433/",
      "http://0x7f000001/",
      "http://0x7f.0.0.1/",
      "http://0177.0.0.1/",
      "http://017700000001/",
      "http://127.0.0.1./",
      "http://127.0.0.1:80/",
      "http:127.0.0.1/",
      "http:\\\\127.0.0.1\\",
      "http://\uff11\uff12\uff17.0.0.1/",
      "http://127\u30020\u30020\u30021/",
      "  http://127.0.0.1/  "
    ]
    for (const text of spellings) {
      assert.strictEqual(Result.getOrThrow(parseHttpUrl(text)).hostname, "127.0.0.1", text)
    }
  })

  it("is refused with another scheme, with credentials, or when it is none", () => {
    const texts = [
      "file:///etc/passwd",
      "ftp://example.com/a",
      "data:application/pdf,x",
      "gopher://example.com",
      "javascript:1",
      "blob:http://a/b",
      "http://user@example.com/",
      "http://user:secret@example.com/",
      "https://:secret@example.com/",
      "http://",
      "http://[::1",
      "http://exa mple.com",
      "http://256.256.256.256/",
      "http://example.com:99999/",
      "http://example.com:0/",
      "ws://example.com",
      "//example.com"
    ]
    for (const text of texts) {
      const result = parseHttpUrl(text)
      assert.isTrue(Result.isFailure(result), text)
      if (Result.isFailure(result)) assert.notInclude(result.failure, "secret")
    }
  })

  it("is known not to be public by a literal address and by the name localhost, and by nothing else", () => {
    for (const host of [
      "127.1",
      "10.0.0.1",
      "169.254.169.254",
      "[::1]",
      "[::ffff:8.8.8.8]",
      "localhost",
      "a.LocalHost."
    ]) {
      assert.isFalse(allowsUrl(noPrivateHosts, new URL(`http://${host}/`)), host)
    }
    for (const host of ["8.8.8.8", "[2606:4700::1111]:80", "example.com", "localhost.example.com", "mylocalhost"]) {
      assert.isTrue(allowsUrl(noPrivateHosts, new URL(`http://${host}/`)), host)
    }
  })
})
