import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Fiber, type Layer, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { TenantId } from "../../src/domain/Ids.ts"
import { ApiKeys, type IssuedKey, mostKeys } from "../../src/services/apiKeys/ApiKeys.ts"

export const acme = TenantId.make("acme")
export const globex = TenantId.make("globex")

export const create = (tenant: TenantId, name = "a key") => ApiKeys.use((keys) => keys.create(tenant, name))
export const list = (tenant: TenantId) => ApiKeys.use((keys) => keys.list(tenant))
export const revoke = ({ key }: IssuedKey, tenant = key.tenantId) => ApiKeys.use((keys) => keys.revoke(tenant, key.id))

/** Whose key the text is. */
export const holderOf = (text: Redacted.Redacted) =>
  ApiKeys.use((keys) => Effect.map(keys.verify(text), (found) => Option.getOrUndefined(found)?.tenantId))

/** What every implementation promises. `layer` gives one without keys each time it is built. */
export const apiKeysConformance = (name: string, layer: Layer.Layer<ApiKeys, unknown>) =>
  describe(name, () => {
    const test = (title: string, body: Effect.Effect<void, unknown, ApiKeys>) =>
      it.effect(title, () => Effect.provide(body, layer))

    test(
      "know the tenant of a key that they made",
      Effect.gen(function* () {
        const first = yield* create(acme)
        const second = yield* create(acme)
        const other = yield* create(globex)
        assert.strictEqual(yield* holderOf(first.text), acme)
        assert.strictEqual(yield* holderOf(second.text), acme)
        assert.strictEqual(yield* holderOf(other.text), globex)
        assert.strictEqual(new Set([first, second, other].map(({ text }) => Redacted.value(text))).size, 3)
      })
    )

    test(
      "make keys in a form that scanners can find, with the id in it",
      Effect.gen(function* () {
        const { key, text } = yield* create(acme, "nightly import")
        assert.match(Redacted.value(text), /^sluice_[0-9a-f]{16}_[0-9a-f]{64}$/)
        assert.include(Redacted.value(text), `_${key.id}_`)
        assert.strictEqual(key.name, "nightly import")
        assert.strictEqual(key.tenantId, acme)
      })
    )

    test(
      "know nothing but the whole key",
      Effect.gen(function* () {
        const { key, text } = yield* create(acme)
        const other = yield* create(globex)
        const whole = Redacted.value(text)
        const secret = whole.slice(-64)
        for (const wrong of [
          "",
          "x",
          key.id,
          secret,
          whole.slice(0, -1),
          `${whole}0`,
          ` ${whole}`,
          `${whole}\n`,
          whole.toUpperCase(),
          `${whole.slice(0, -1)}${whole.endsWith("0") ? "1" : "0"}`,
          `sluice_${other.key.id}_${secret}`,
          `sluice_${"0".repeat(16)}_${secret}`,
          `sluice_${key.id}_${"0".repeat(64)}`
        ]) {
          assert.isUndefined(yield* holderOf(Redacted.make(wrong)), wrong)
        }
        assert.strictEqual(yield* holderOf(text), acme)
      })
    )

    test(
      "list the keys of one tenant, oldest first, without the keys themselves",
      Effect.gen(function* () {
        const first = yield* create(acme, "first")
        yield* create(globex, "other")
        yield* TestClock.adjust("1 second")
        const second = yield* create(acme, "second")
        const found = yield* list(acme)
        assert.deepStrictEqual(
          found.map(({ id, name }) => [id, name]),
          [
            [first.key.id, "first"],
            [second.key.id, "second"]
          ]
        )
        assert.deepStrictEqual(
          found.map(({ createdAt }) => DateTime.toEpochMillis(createdAt)),
          [0, 1000]
        )
        for (const { text } of [first, second]) {
          assert.notInclude(JSON.stringify(found), Redacted.value(text).slice(-64))
        }
      })
    )

    test(
      "let a revoked key work no more, also one that was just used, and no other key less",
      Effect.gen(function* () {
        const first = yield* create(acme)
        const second = yield* create(acme)
        assert.strictEqual(yield* holderOf(first.text), acme)
        yield* revoke(first)
        assert.isUndefined(yield* holderOf(first.text))
        assert.strictEqual(yield* holderOf(second.text), acme)
        assert.deepStrictEqual(
          (yield* list(acme)).map(({ id }) => id),
          [second.key.id]
        )
        assert.strictEqual((yield* Effect.flip(revoke(first)))._tag, "ApiKeyNotFound")
      })
    )

    test(
      "tell what goes on under a key that it was revoked, also before it began to wait",
      Effect.gen(function* () {
        const keys = yield* ApiKeys
        const issued = yield* create(acme)
        const other = yield* create(acme)
        const holder = yield* Effect.flatMap(keys.verify(issued.text), Effect.fromOption)
        const waiting = yield* Effect.forkChild(Effect.all([holder.revoked, holder.revoked], { concurrency: 2 }))
        yield* Effect.yieldNow
        yield* revoke(other)
        assert.isUndefined(waiting.pollUnsafe())
        yield* revoke(issued)
        yield* Fiber.join(waiting)
        yield* holder.revoked
      })
    )

    test(
      "let no tenant revoke the key of another",
      Effect.gen(function* () {
        const issued = yield* create(acme)
        assert.strictEqual((yield* Effect.flip(revoke(issued, globex)))._tag, "ApiKeyNotFound")
        assert.strictEqual(yield* holderOf(issued.text), acme)
      })
    )

    test(
      "tell when a key was used last",
      Effect.gen(function* () {
        const used = yield* create(acme)
        yield* create(acme)
        yield* TestClock.adjust("90 seconds")
        yield* holderOf(used.text)
        yield* TestClock.adjust("1 second")
        yield* holderOf(Redacted.make(`sluice_${used.key.id}_${"0".repeat(64)}`))
        yield* TestClock.adjust("5 minutes")
        const [first, second] = yield* list(acme)
        assert.strictEqual(first?.lastUsedAt && DateTime.toEpochMillis(first.lastUsedAt), 90_000)
        assert.isUndefined(second?.lastUsedAt)
      })
    )

    test(
      "bound how many keys a tenant has at once",
      Effect.gen(function* () {
        const first = yield* create(acme)
        yield* Effect.forEach(Array.from({ length: mostKeys - 1 }), () => create(acme), { discard: true })
        const refused = yield* Effect.flip(create(acme))
        assert.deepInclude(refused, { _tag: "TooManyApiKeys", allowed: mostKeys })
        yield* create(globex)
        yield* revoke(first)
        yield* create(acme)
        assert.lengthOf(yield* list(acme), mostKeys)
      })
    )

    test(
      "name the tenants that have keys, part by part",
      Effect.gen(function* () {
        const keys = yield* ApiKeys
        const gone = yield* create(TenantId.make("b"))
        for (const tenant of ["c", "a", "d", "a", "b"]) yield* create(TenantId.make(tenant))
        yield* revoke(gone)
        const first = yield* keys.tenants({ limit: 3 })
        assert.deepStrictEqual(first, [
          { tenantId: TenantId.make("a"), keys: 2 },
          { tenantId: TenantId.make("b"), keys: 1 },
          { tenantId: TenantId.make("c"), keys: 1 }
        ])
        assert.deepStrictEqual(yield* keys.tenants({ after: TenantId.make("c"), limit: 3 }), [
          { tenantId: TenantId.make("d"), keys: 1 }
        ])
      })
    )
  })
