import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe } from "vitest"
import { layer, type SecretsOptions } from "../../src/layers/SecretKeyFile.ts"
import { Secrets } from "../../src/services/secrets/Secrets.ts"
import { layerMemory } from "../../src/services/secrets/SecretsMemory.ts"

const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-secrets-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
const inTemporaryDirectory = Layer.unwrap(Effect.map(temporaryDirectory, (directory) => layer({ directory })))
const secret = Redacted.make("pässwörd \u{1f511}")

it.effect("opens what an earlier version sealed, and makes the same fingerprints", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    writeFileSync(
      join(directory, "secret.key"),
      Uint8Array.from({ length: 32 }, (_, index) => index),
      { mode: 0o600 }
    )
    yield* Effect.gen(function* () {
      const secrets = yield* Secrets
      const opened = yield* secrets.open("v1.v8Jt6kpCu20xYjI52pzpOeuU2FCRfI7kbWt5UcAq6_nWGgN3q5K1SyiWiA")
      assert.strictEqual(Redacted.value(opened), Redacted.value(secret))
      assert.strictEqual(
        yield* secrets.fingerprint(secret, "password of acme"),
        "cQHfljKvOKmEL4lJyhnHFtj_P3MMpw6qLBU05myMcC4"
      )
    }).pipe(Effect.provide(layer({ directory })))
  })
)

for (const [name, make] of [
  ["secrets in memory", () => Layer.fresh(layerMemory)],
  ["secrets under a key file", () => Layer.fresh(inTemporaryDirectory)]
] as const) {
  describe(name, () => {
    it.effect("opens what it sealed", () =>
      Effect.gen(function* () {
        const secrets = yield* Secrets
        for (const text of [Redacted.value(secret), "", "x".repeat(10_000)]) {
          const sealed = yield* secrets.seal(Redacted.make(text))
          assert.match(sealed, /^v1\.[A-Za-z0-9_-]+$/)
          assert.strictEqual(Redacted.value(yield* secrets.open(sealed)), text)
        }
      }).pipe(Effect.provide(make()))
    )

    it.effect("tells secrets apart by fingerprints that show nothing of them and depend on the context", () =>
      Effect.gen(function* () {
        const secrets = yield* Secrets
        const own = yield* secrets.fingerprint(secret, "a")
        assert.match(own, /^[A-Za-z0-9_-]{43}$/)
        assert.strictEqual(yield* secrets.fingerprint(secret, "a"), own)
        assert.notStrictEqual(yield* secrets.fingerprint(secret, "b"), own)
        assert.notStrictEqual(yield* secrets.fingerprint(Redacted.make("other"), "a"), own)
        const elsewhere = yield* Effect.provide(Secrets, make())
        assert.notStrictEqual(yield* elsewhere.fingerprint(secret, "a"), own)
      }).pipe(Effect.provide(make()))
    )

    it.effect("never seals alike, and shows nothing of the secret", () =>
      Effect.gen(function* () {
        const secrets = yield* Secrets
        const sealed = yield* Effect.all(Array.from({ length: 100 }, () => secrets.seal(Redacted.make("password"))))
        assert.strictEqual(new Set(sealed).size, 100)
        for (const text of sealed) {
          assert.notInclude(Buffer.from(text.slice(3), "base64url").toString("latin1"), "password")
        }
      }).pipe(Effect.provide(make()))
    )

    it.effect("refuses every changed, cut or foreign text", () =>
      Effect.gen(function* () {
        const secrets = yield* Secrets
        const sealed = yield* secrets.seal(secret)
        const changed = Array.from(
          sealed,
          (char, at) => sealed.slice(0, at) + (char === "A" ? "B" : "A") + sealed.slice(at + 1)
        )
        const cut = Array.from(sealed, (_, at) => sealed.slice(0, at))
        const foreign = [
          `${sealed}=`,
          `${sealed}.`,
          `${sealed}A`,
          ` ${sealed}`,
          "v1.",
          "v2." + sealed.slice(3),
          "secret"
        ]
        for (const text of [...changed, ...cut, ...foreign]) {
          assert.strictEqual((yield* Effect.flip(secrets.open(text)))._tag, "SealBroken", text)
        }
      }).pipe(Effect.provide(make()))
    )

    it.effect("refuses what was sealed under another key", () =>
      Effect.gen(function* () {
        const sealed = yield* Effect.provide(
          Secrets.use((secrets) => secrets.seal(secret)),
          make()
        )
        const error = yield* Effect.flip(
          Effect.provide(
            Secrets.use((secrets) => secrets.open(sealed)),
            make()
          )
        )
        assert.strictEqual(error._tag, "SealBroken")
      })
    )
  })
}

it.effect("the key outlives the layer, for its owner only", () =>
  Effect.gen(function* () {
    const directory = join(yield* temporaryDirectory, "new")
    const sealed = yield* Effect.provide(
      Secrets.use((secrets) => secrets.seal(secret)),
      layer({ directory })
    )
    const opened = yield* Effect.provide(
      Secrets.use((secrets) => secrets.open(sealed)),
      layer({ directory })
    )
    assert.strictEqual(Redacted.value(opened), Redacted.value(secret))
    assert.deepStrictEqual(readdirSync(directory), ["secret.key"])
    assert.strictEqual(statSync(join(directory, "secret.key")).mode & 0o777, 0o600)
  })
)

it.effect("processes that start at once agree on one key", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const starts = Array.from({ length: 10 }, () =>
      Effect.provide(
        Secrets.use((secrets) => secrets.seal(secret)),
        layer({ directory })
      )
    )
    const sealed = yield* Effect.all(starts, { concurrency: "unbounded" })
    yield* Effect.gen(function* () {
      const secrets = yield* Secrets
      for (const text of sealed) assert.strictEqual(Redacted.value(yield* secrets.open(text)), Redacted.value(secret))
    }).pipe(Effect.provide(layer({ directory })))
  })
)

it.effect("a key file of the wrong size or mode stops the start and is left alone", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const path = join(directory, "secret.key")
    writeFileSync(path, "short", { mode: 0o600 })
    const size = yield* Effect.flip(Layer.build(layer({ directory })))
    assert.strictEqual(size.message, `the secret key ${path} cannot be used: it holds 5 bytes instead of 32`)
    assert.strictEqual(readFileSync(path, "utf8"), "short")
    writeFileSync(path, "k".repeat(32))
    chmodSync(path, 0o644)
    const mode = yield* Effect.flip(Layer.build(layer({ directory })))
    assert.strictEqual(
      mode.message,
      `the secret key ${path} cannot be used: others may read it (mode 644); use chmod 600`
    )
  })
)

it.effect.skipIf(process.platform === "win32")("a pipe in the key's place is refused at once", () =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const path = join(directory, "secret.key")
    execFileSync("mkfifo", [path])
    const { message } = yield* Effect.flip(Layer.build(layer({ directory })))
    assert.strictEqual(message, `the secret key ${path} cannot be used: it is not a file`)
  })
)

it.effect(
  "a given key is used instead of the folder's, and the first key that comes is the one that others have to be",
  () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      let entered: string | undefined
      const record = {
        known: Effect.sync(() => entered),
        enter: (check: string) => Effect.sync(() => (entered ??= check)),
        sample: Effect.succeed(undefined)
      }
      const given = (fill: number) => ({ key: Redacted.make(new Uint8Array(32).fill(fill)), place: "SECRET_KEY" })
      const start = (options: Partial<SecretsOptions>) =>
        Effect.provide(
          Secrets.use((secrets) => secrets.seal(secret)),
          layer({ directory, record, ...options })
        )
      yield* start({ given: given(1) })
      assert.deepStrictEqual(readdirSync(directory), [])
      yield* start({ given: given(1) })
      assert.include((yield* Effect.flip(start({ given: given(2) }))).message, "sealed with another key")
      assert.include((yield* Effect.flip(start({}))).message, "it is missing, and the database was sealed with it")
      assert.deepStrictEqual(readdirSync(directory), [])
      writeFileSync(join(directory, "secret.key"), new Uint8Array(32).fill(1), { mode: 0o600 })
      yield* start({})
    })
)
