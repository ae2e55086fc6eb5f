import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Fiber, Layer, Option, Redacted, Stream } from "effect"
import { Headers, HttpClient, HttpClientRequest } from "effect/http"
import { TestClock } from "effect/testing"
import { hash } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AuthConfig } from "../../src/http/auth/AuthConfig.ts"
import { clientAddress, TrustedProxies } from "../../src/http/edge/ClientAddress.ts"
import { makeFailedAttempts, networkOf } from "../../src/http/auth/FailedAttempts.ts"
import { HttpConfig } from "../../src/http/edge/HttpConfig.ts"
import { assertProblem, get, postJson, postPdf, remove, send, testServer } from "./client.ts"

const adminKey = "only-for-these-tests"
const provider = (env: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
const guarded = testServer.pipe(Layer.provide(provider({ ADMIN_KEY: adminKey })))
const bearer = (key: unknown) => ({ authorization: `Bearer ${String(key)}` })
const admin = bearer(adminKey)
const keysOf = "/v1/tenants/acme/keys"

describe("API keys", () => {
  it.effect("are told once, listed without themselves, and work until they are revoked", () =>
    Effect.gen(function* () {
      const made = yield* postJson(keysOf, { name: "nightly import" }, admin)
      assert.strictEqual(made.status, 201, made.text)
      assert.strictEqual(made.headers["cache-control"], "no-store")
      const { id, key } = made.json
      assert.match(String(key), /^sluice_[0-9a-f]{16}_[0-9a-f]{64}$/)
      assert.deepInclude(made.json, { tenantId: "acme", name: "nightly import" })
      const listed = yield* get(keysOf, admin)
      assert.deepStrictEqual(listed.json, {
        keys: [{ id, tenantId: "acme", name: "nightly import", createdAt: made.json.createdAt }]
      })
      assert.deepInclude((yield* get("/v1/tenant", bearer(key))).json, { tenantId: "acme" })
      assert.include((yield* get(keysOf, admin)).text, "lastUsedAt")
      assert.deepStrictEqual((yield* get("/v1/tenants", admin)).json, { tenants: [{ tenantId: "acme", keys: 1 }] })
      assert.strictEqual((yield* remove(`${keysOf}/${String(id)}`, admin)).status, 204)
      assertProblem(yield* get("/v1/tenant", bearer(key)), 401, "KEY_UNKNOWN")
      assertProblem(yield* remove(`${keysOf}/${String(id)}`, admin), 404, "KEY_NOT_FOUND")
      assert.deepStrictEqual((yield* get(keysOf, admin)).json, { keys: [] })
    }).pipe(Effect.provide(guarded))
  )

  it.effect("end the streams of events that were opened with them when they are revoked", () =>
    Effect.gen(function* () {
      const { id, key } = (yield* postJson(keysOf, { name: "a" }, admin)).json
      const other = (yield* postJson(keysOf, { name: "b" }, admin)).json
      const open = Effect.fnUntraced(function* (key: unknown) {
        const response = yield* HttpClient.execute(HttpClientRequest.get("/v1/events", { headers: bearer(key) }))
        const begun = yield* Deferred.make<void>()
        const reading = yield* response.stream.pipe(
          Stream.runForEach(() => Deferred.succeed(begun, undefined)),
          Effect.forkScoped
        )
        yield* Deferred.await(begun)
        return reading
      })
      const ended = yield* open(key)
      const kept = yield* open(other.key)
      yield* remove(`${keysOf}/${String(id)}`, admin)
      yield* Fiber.join(ended)
      assert.isUndefined(kept.pollUnsafe())
    }).pipe(Effect.provide(guarded))
  )

  it.effect("are rotated without a gap: the new one works before the old one is revoked", () =>
    Effect.gen(function* () {
      const old = (yield* postJson(keysOf, { name: "old" }, admin)).json
      const next = (yield* postJson(keysOf, { name: "new" }, admin)).json
      for (const { key } of [old, next]) assert.strictEqual((yield* get("/v1/tenant", bearer(key))).status, 200)
      yield* remove(`${keysOf}/${String(old.id)}`, admin)
      assert.strictEqual((yield* get("/v1/tenant", bearer(next.key))).status, 200)
    }).pipe(Effect.provide(guarded))
  )

  it.effect("are the administrator's to manage, also those of the tenant that asks", () =>
    Effect.gen(function* () {
      const { id, key } = (yield* postJson(keysOf, { name: "a" }, admin)).json
      assertProblem(yield* get(keysOf, bearer(key)), 403, "FORBIDDEN")
      assertProblem(yield* postJson(keysOf, { name: "b" }, bearer(key)), 403, "FORBIDDEN")
      assertProblem(yield* remove(`${keysOf}/${String(id)}`, bearer(key)), 403, "FORBIDDEN")
      assert.strictEqual((yield* get("/v1/tenant", bearer(key))).status, 200)
    }).pipe(Effect.provide(guarded))
  )

  it.effect("have a name, and of no other tenant's is anything told", () =>
    Effect.gen(function* () {
      for (const body of [
        {},
        { name: "" },
        { name: "a\nb" },
        { name: "x".repeat(101) },
        { name: "a", id: "b" },
        null
      ]) {
        assertProblem(yield* postJson(keysOf, body, admin), 400, "INVALID_REQUEST")
      }
      const { id } = (yield* postJson(keysOf, { name: "Schlüssel für ☂" }, admin)).json
      assertProblem(yield* remove(`/v1/tenants/globex/keys/${String(id)}`, admin), 404, "KEY_NOT_FOUND")
      assertProblem(yield* remove(`${keysOf}/x`, admin), 400, "INVALID_REQUEST")
    }).pipe(Effect.provide(guarded))
  )

  it.effect("are bounded in number", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 100; n++) yield* postJson(keysOf, { name: `key ${n}` }, admin)
      const refused = yield* postJson(keysOf, { name: "one more" }, admin)
      assertProblem(refused, 409, "TOO_MANY_KEYS")
      assert.strictEqual(refused.json.limit, 100)
    }).pipe(Effect.provide(guarded))
  )

  it.effect("can be made before the server asks for them", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* postJson(keysOf, { name: "a" })).status, 201)
      assertProblem(yield* postJson(keysOf, { name: "a" }, { "sec-fetch-site": "cross-site" }), 403, "CROSS_SITE")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("are described with the interface", () =>
    Effect.gen(function* () {
      const { json } = yield* get("/openapi.json")
      const { bearer, apiKey } = Object(json.components).securitySchemes
      assert.deepInclude(bearer, { type: "http", scheme: "Bearer" })
      assert.deepInclude(apiKey, { type: "apiKey", in: "header", name: "x-api-key" })
      const paths = Object.entries<Record<string, { security: unknown; responses: object }>>(Object(json.paths))
      for (const [path, operations] of paths) {
        for (const { responses, security } of Object.values(operations)) {
          // What is not about tenants describes its own ways in.
          const isOpen = path.startsWith("/health/") || path === "/metrics"
          assert.deepStrictEqual(security, isOpen ? [] : [{ bearer: [] }, { apiKey: [] }], path)
          if (!isOpen) assert.includeMembers(Object.keys(responses), ["401", "403", "429"], path)
        }
      }
    }).pipe(Effect.provide(testServer))
  )
})

describe("An address that presents keys that are none", () => {
  it.effect("has to wait after ten of them, but not with a key that is right, whoever's it is", () =>
    Effect.gen(function* () {
      const { key } = (yield* postJson(keysOf, { name: "a" }, admin)).json
      for (let n = 0; n < 10; n++) assertProblem(yield* get("/v1/tenant", bearer(`guess-${n}`)), 401, "KEY_UNKNOWN")
      const refused = yield* get("/v1/tenant", bearer("guess"))
      assertProblem(refused, 429, "TOO_MANY_ATTEMPTS")
      assert.strictEqual(refused.headers["retry-after"], "6")
      assert.strictEqual((yield* get("/v1/tenant", bearer(key))).status, 200)
      assertProblem(yield* get("/v1/tenant"), 401, "AUTH_REQUIRED")
      assert.strictEqual((yield* get("/health/live", bearer("guess"))).status, 200)
      // Everybody behind a proxy may have this address: wrong keys lock nobody out who has a right one, and right ones are not counted.
      assert.strictEqual((yield* get("/v1/tenant", admin)).status, 200)
      assert.strictEqual((yield* get("/v1/tenant", { "x-api-key": adminKey })).status, 200)
      assertProblem(yield* get("/v1/tenant", bearer("guess")), 429, "TOO_MANY_ATTEMPTS")
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* get("/v1/tenant", admin)).status, 200)
      assertProblem(yield* get("/v1/tenant", bearer("guess")), 401, "KEY_UNKNOWN")
      assertProblem(yield* get("/v1/tenant", bearer("guess")), 429, "TOO_MANY_ATTEMPTS")
    }).pipe(Effect.provide(guarded))
  )

  it.effect("has to wait for wrong keys only, also with the token of a scraper", () =>
    Effect.gen(function* () {
      const token = "only-for-scrapers-of-this-test"
      yield* Effect.gen(function* () {
        for (let n = 0; n < 20; n++) yield* get("/metrics", bearer(`guess-${n}`))
        assertProblem(yield* get("/metrics", bearer("guess")), 429, "TOO_MANY_ATTEMPTS")
        for (const right of [token, adminKey]) {
          assert.strictEqual((yield* get("/metrics", bearer(right))).status, 200)
        }
        assertProblem(yield* get("/v1/tenant", bearer(token)), 429, "TOO_MANY_ATTEMPTS")
      }).pipe(Effect.provide(testServer.pipe(Layer.provide(provider({ ADMIN_KEY: adminKey, METRICS_TOKEN: token })))))
    })
  )

  it("is known by what one client has: an IPv4 address, or a network of IPv6", () => {
    for (const [address, network] of [
      ["192.0.2.1", "192.0.2.1"],
      ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
      ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
      ["2001:db8::1", "2001:db8:0:0::/64"],
      ["::1", "0:0:0:0::/64"],
      ["unknown", "unknown"]
    ] as const) {
      assert.strictEqual(networkOf(address), network)
    }
  })

  it.effect("is the one that a trusted proxy names, and nobody else", () =>
    Effect.gen(function* () {
      const of = (env: Record<string, string>) =>
        Effect.map(
          TrustedProxies.pipe(Effect.provide(provider(env))),
          (proxies) => (peer: string, forwarded?: string) =>
            clientAddress(
              {
                headers: Headers.fromInput(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }),
                remoteAddress: Option.some(peer)
              },
              proxies
            )
        )
      const untrusting = yield* of({})
      assert.strictEqual(untrusting("127.0.0.1", "192.0.2.1"), "127.0.0.1")
      const trusting = yield* of({ TRUSTED_PROXIES: "127.0.0.1, ::1, 10.0.0.0/8" })
      for (const [peer, forwarded, address] of [
        ["127.0.0.1", "192.0.2.1", "192.0.2.1"],
        ["::ffff:127.0.0.1", "192.0.2.1", "192.0.2.1"],
        ["::1", "2001:db8::1", "2001:db8::1"],
        ["10.1.2.3", "198.51.100.7, 192.0.2.1, 10.9.9.9", "192.0.2.1"],
        ["192.0.2.9", "192.0.2.1", "192.0.2.9"],
        ["127.0.0.1", undefined, "127.0.0.1"],
        ["127.0.0.1", "192.0.2.1, whoever", "127.0.0.1"],
        ["127.0.0.1", "10.0.0.1", "127.0.0.1"],
        ["192.0.2.9%eth0", undefined, "192.0.2.9"]
      ] as const) {
        assert.strictEqual(trusting(peer, forwarded), address, `${peer} ${forwarded}`)
      }
      const within = yield* of({ TRUSTED_PROXIES: "172.17.0.1/16,::ffff:192.0.2.4" })
      assert.strictEqual(within("172.17.200.3", "192.0.2.1"), "192.0.2.1")
      assert.strictEqual(within("192.0.2.4", "192.0.2.1"), "192.0.2.1")
      for (const text of ["proxy.example", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "127.0.0.1,"]) {
        assert.include((yield* Effect.flip(of({ TRUSTED_PROXIES: text }))).message, "TRUSTED_PROXIES", text)
      }
    })
  )

  it("is forgotten when too many others failed since", () => {
    const attempts = makeFailedAttempts()
    for (let n = 0; n < 10; n++) attempts.count("192.0.2.1", 0)
    assert.strictEqual(attempts.wait("192.0.2.1", 0), 6)
    assert.strictEqual(attempts.wait("192.0.2.1", 5999), 1)
    assert.strictEqual(attempts.wait("192.0.2.1", 6000), 0)
    assert.strictEqual(attempts.wait("192.0.2.2", 0), 0)
    for (let n = 0; n < 10_000; n++) attempts.count(`10.0.${n >> 8}.${n & 255}`, 0)
    assert.strictEqual(attempts.wait("192.0.2.1", 0), 0)
  })
})

describe("The configuration", () => {
  const auth = (env: Record<string, string>) => AuthConfig.pipe(Effect.provide(provider(env)))
  const http = (env: Record<string, string>) => HttpConfig.pipe(Effect.provide(provider(env)))

  it.effect("asks for keys when there is an administrator's, unless it says otherwise", () =>
    Effect.gen(function* () {
      const modes = Effect.forEach(
        [{}, { ADMIN_KEY: adminKey }, { ADMIN_KEY: adminKey, AUTH: "off" }, { AUTH: "keys" }],
        (env) => Effect.map(auth(env), ({ mode }) => mode)
      )
      assert.deepStrictEqual(yield* modes, ["off", "keys", "off", "keys"])
      assert.include((yield* Effect.flip(auth({ AUTH: "on" }))).message, "AUTH")
    })
  )

  it.effect("takes no administrator's key that is short or cannot be sent, and does not repeat it", () =>
    Effect.gen(function* () {
      for (const key of ["hunter2-hunter2", "hunter2 hunter2 hunter2", "hunter2-hunter2-hünter2"]) {
        const { message } = yield* Effect.flip(auth({ ADMIN_KEY: key }))
        assert.include(message, "ADMIN_KEY")
        assert.include(message, "at least 16")
        assert.notInclude(message, "hunter2")
      }
      const { adminKey: kept } = yield* auth({ ADMIN_KEY: adminKey })
      assert.notInclude(JSON.stringify(kept) + String(kept), adminKey)
    })
  )

  it.effect("takes the administrator's key from a file, or its digest, so that it need not be in the environment", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-key-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const path = join(folder, "admin.key")
      writeFileSync(path, `${adminKey}\n`)
      const digest = hash("sha256", adminKey)
      const ways = [{ ADMIN_KEY: adminKey }, { ADMIN_KEY_FILE: path }, { ADMIN_KEY_SHA256: digest.toUpperCase() }]
      for (const env of ways) {
        const { adminKey: kept, mode } = yield* auth(env)
        assert.strictEqual(mode, "keys")
        assert.strictEqual(kept && Buffer.from(Redacted.value(kept)).toString("hex"), digest)
      }
      const nowhere = join(folder, "nowhere")
      writeFileSync(join(folder, "short"), "hunter2")
      for (const [env, ...texts] of [
        [{ ADMIN_KEY_FILE: nowhere }, "ADMIN_KEY_FILE", "ENOENT"],
        [{ ADMIN_KEY_FILE: join(folder, "short") }, "ADMIN_KEY_FILE", "at least 16"],
        [{ ADMIN_KEY_FILE: "/dev/null" }, "ADMIN_KEY_FILE", "at least 16"],
        [{ ADMIN_KEY_SHA256: adminKey }, "ADMIN_KEY_SHA256", "64 hexadecimal digits"],
        [{ ADMIN_KEY_FILE: path, ADMIN_KEY_SHA256: digest }, "ADMIN_KEY_SHA256", "only one of"],
        [{ ADMIN_KEY: adminKey, ADMIN_KEY_FILE: path }, "ADMIN_KEY_FILE", "only one of"]
      ] as const) {
        const { message } = yield* Effect.flip(auth(env))
        for (const text of texts) assert.include(message, text)
        for (const kept of ["hunter2", adminKey, digest]) assert.notInclude(message, kept)
      }
    })
  )

  it.effect("lets other machines reach the server only when it asks for keys", () =>
    Effect.gen(function* () {
      for (const env of [{}, { AUTH: "off" }, { AUTH: "off", ADMIN_KEY: adminKey }]) {
        const { message } = yield* Effect.flip(http({ HOST: "0.0.0.0", ...env }))
        for (const text of ["HOST", "ADMIN_KEY", "HOST=127.0.0.1"]) assert.include(message, text)
      }
      assert.strictEqual((yield* http({ HOST: "0.0.0.0", ADMIN_KEY: adminKey })).host, "0.0.0.0")
      assert.strictEqual((yield* http({ HOST: "::1" })).host, "::1")
    })
  )
})

describe("A server that asks for keys", () => {
  it.effect("answers under any name, or under those that were configured", () =>
    Effect.gen(function* () {
      const named = send(HttpClientRequest.get("/health/live", { headers: { host: "pdf.example" } }))
      assert.strictEqual((yield* named.pipe(Effect.provide(guarded))).status, 200)
    })
  )

  it.effect("takes no upload from anybody unknown", () =>
    Effect.gen(function* () {
      assertProblem(yield* postPdf(), 401, "AUTH_REQUIRED")
      assertProblem(yield* postPdf("/v1/documents", bearer("guess")), 401, "KEY_UNKNOWN")
    }).pipe(Effect.provide(guarded))
  )
})

describe("An answer", () => {
  it.effect("is for no cache, no frame and no other site", () =>
    Effect.gen(function* () {
      const data = yield* get("/v1/documents")
      assert.deepInclude(data.headers, {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin"
      })
      assert.include((yield* get("/docs")).headers["content-security-policy"] ?? "", "frame-ancestors 'none'")
    }).pipe(Effect.provide(testServer))
  )
})
