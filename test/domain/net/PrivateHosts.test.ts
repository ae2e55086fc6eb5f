import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { allowsAddress, allowsUrl, noPrivateHosts, parsePrivateHosts } from "../../../src/domain/net/PrivateHosts.ts"

const listOf = (text: string) => Result.getOrThrow(parsePrivateHosts(text))

/** Whether the list lets the name at this port lead to the address. */
const allows = (list: string, address: string, host = address, port = 443) =>
  allowsAddress(listOf(list), host, port, address)

describe("A list of private hosts", () => {
  it("lets through the networks and addresses that it names, and no others", () => {
    for (const [list, inside, outside] of [
      ["10.1.0.0/16", ["10.1.0.0", "10.1.255.255"], ["10.0.255.255", "10.2.0.0", "127.0.0.1"]],
      ["10.1.2.3", ["10.1.2.3"], ["10.1.2.2", "10.1.2.4"]],
      ["fd12:3456::/32", ["fd12:3456::1"], ["fd12:3457::1", "::1", "fe80::1"]],
      ["::1", ["::1"], ["::", "::2", "127.0.0.1"]],
      ["0.0.0.0/0, ::/0", ["10.0.0.1", "127.0.0.1", "192.168.1.1", "fd00::1", "::1"], ["fe80::1%eth0", "10.1", ""]],
      ["127.1", ["127.0.0.1"], ["127.0.0.2"]]
    ] as const) {
      for (const address of inside) assert.isTrue(allows(list, address), `${list}: ${address}`)
      for (const address of outside) assert.isFalse(allows(list, address), `${list}: ${address}`)
    }
  })

  it("lets through what is public in any case, and nothing else when it is empty", () => {
    for (const list of ["", " , ", "10.0.0.0/8"]) {
      assert.isTrue(allows(list, "8.8.8.8"))
      assert.isTrue(allows(list, "2606:4700:4700::1111"))
      assert.isFalse(allows(list, "192.168.0.1"))
    }
  })

  it("lets a name that it has lead anywhere, in any spelling, and no other name", () => {
    const list = "minio.internal, *.svc.cluster.local, Bücher.example"
    for (const host of [
      "minio.internal",
      "MINIO.internal.",
      "a.svc.cluster.local",
      "a.b.SVC.cluster.local",
      "xn--bcher-kva.example"
    ]) {
      assert.isTrue(allows(list, "10.0.0.1", host), host)
    }
    for (const host of [
      "xminio.internal",
      "a.minio.internal",
      "minio.internal.example.com",
      "svc.cluster.local",
      "asvc.cluster.local",
      "10.0.0.1"
    ]) {
      assert.isFalse(allows(list, "10.0.0.1", host), host)
    }
  })

  it("holds for the port that an entry names, or for all of them", () => {
    const list = "10.0.0.0/8:9000, [fd00::/8]:9000, 192.168.0.1:80, [::1]:8080, minio:9000, *.lan:443, 172.16.0.0/12"
    for (const [address, host, port] of [
      ["10.1.1.1", "10.1.1.1", 9000],
      ["fd00::1", "fd00::1", 9000],
      ["192.168.0.1", "192.168.0.1", 80],
      ["::1", "::1", 8080],
      ["127.0.0.1", "minio", 9000],
      ["192.168.7.7", "nas.lan", 443]
    ] as const) {
      assert.isTrue(allows(list, address, host, port), `${host}:${port}`)
      assert.isFalse(allows(list, address, host, port + 1), `${host}:${port + 1}`)
    }
    assert.isTrue(allows(list, "172.16.0.1", "172.16.0.1", 1))
  })

  it("includes an address with a cloud's credentials only as that address itself", () => {
    for (const address of ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"]) {
      for (const list of ["", "0.0.0.0/0, ::/0", "169.254.0.0/16, fd00::/8", "169.254.169.254/31", "meta.internal"]) {
        assert.isFalse(allows(list, address, "meta.internal"), `${list}: ${address}`)
      }
      assert.isTrue(allows(address, address), address)
      assert.isTrue(allows(`10.0.0.0/8,${address}`, address, "meta.internal"), address)
    }
    assert.isTrue(allows("169.254.169.254/32", "169.254.169.254"))
    assert.isFalse(allows("169.254.169.254:80", "169.254.169.254", "169.254.169.254", 81))
  })

  it("takes an IPv6 form that carries an IPv4 address for itself, and asks for what it carries, too", () => {
    const forms = ["::ffff:a00:1", "::ffff:0:a00:1", "::a00:1", "64:ff9b::a00:1", "2002:a00:1::1", "64:ff9b:1::a00:1"]
    for (const form of forms) {
      assert.isFalse(allows("10.0.0.0/8", form), form)
      assert.isFalse(allows("::/0", form), form)
      assert.isFalse(allows(form, form), form)
      assert.isTrue(allows("10.0.0.0/8, ::/0", form), form)
      assert.isTrue(allows("only.internal", form, "only.internal"), form)
    }
    for (const form of ["::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::a9fe:a9fe"]) {
      for (const list of ["0.0.0.0/0, ::/0", "169.254.169.254, ::/0", "meta.internal"]) {
        assert.isFalse(allows(list, form, "meta.internal"), `${list}: ${form}`)
      }
    }
    assert.isTrue(allows("64:ff9b::/96", "64:ff9b::808:808"))
    assert.isFalse(allows("64:ff9b::/96", "64:ff9b::7f00:1"))
  })

  it("judges a URL by its text: literal addresses and names of the machine itself", () => {
    for (const [list, url, expected] of [
      ["", "http://10.0.0.1/", false],
      ["", "http://localhost:9000/", false],
      ["", "http://anything.example/", true],
      ["10.0.0.0/8", "http://10.0.0.1/", true],
      ["10.0.0.0/8", "http://0xa000001/", true],
      ["10.0.0.0/8", "http://[::ffff:10.0.0.1]/", false],
      ["localhost", "http://localhost:9000/", true],
      ["localhost:9000", "https://localhost/", false],
      ["localhost:443", "https://LocalHost./", true],
      ["127.0.0.1", "http://localhost/", true],
      ["::1", "http://a.localhost/", true],
      ["*.localhost", "http://a.localhost/", true],
      ["localhost", "http://127.0.0.1/", false]
    ] as const) {
      assert.strictEqual(allowsUrl(listOf(list), new URL(url)), expected, `${list}: ${url}`)
    }
    assert.isFalse(allowsUrl(noPrivateHosts, new URL("http://[::1]/")))
  })

  it("is refused with an entry that is none", () => {
    for (const entry of [
      "10.0.0.1/8",
      "10.0.0.0/33",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "http://minio:9000",
      "minio/path",
      "user@minio",
      "minio:0",
      "minio:70000",
      "*",
      "*.",
      "a.*.b",
      "*.10.0.0.1",
      "a b",
      "256.1.1.1",
      "fe80::1%eth0",
      "[::1"
    ]) {
      const parsed = parsePrivateHosts(`10.0.0.1, ${entry}`)
      assert.isTrue(Result.isFailure(parsed), entry)
      if (Result.isFailure(parsed)) assert.include(parsed.failure, entry)
    }
  })
})
