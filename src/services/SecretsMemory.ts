import { createCipheriv, createDecipheriv, createHmac } from "node:crypto"
import { Effect, Layer, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { SealBroken, Secrets } from "./Secrets.ts"

// Sealed form: "v1." and, in base64url, nonce, ciphertext and tag of AES-256-GCM. The version is authenticated too.

export const keyBytes = 32

const version = "v1"
const algorithm = "aes-256-gcm"
const nonceBytes = 12
const tagBytes = 16
const aad = Buffer.from(version)

/** Secrets under the given key. */
export const makeWithKey = (key: Redacted.Redacted<Uint8Array>) =>
  Effect.map(SecureRandom.SecureRandom, (random) =>
    Secrets.of({
      seal: Effect.fn("Secrets.seal")(function* (secret) {
        const nonce = yield* random.randomBytes(nonceBytes)
        const cipher = createCipheriv(algorithm, Redacted.value(key), nonce, { authTagLength: tagBytes }).setAAD(aad)
        const sealed = [nonce, cipher.update(Redacted.value(secret), "utf8"), cipher.final(), cipher.getAuthTag()]
        return `${version}.${Buffer.concat(sealed).toString("base64url")}`
      }),
      fingerprint: Effect.fn("Secrets.fingerprint")((secret, context) =>
        Effect.sync(() => {
          // A separate key, because the given one seals.
          const own = createHmac("sha256", Redacted.value(key)).update("fingerprint").digest()
          const place = createHmac("sha256", own).update(context).digest()
          return createHmac("sha256", place).update(Redacted.value(secret)).digest("base64url")
        })
      ),
      open: Effect.fn("Secrets.open")(function* (sealed) {
        const [prefix, encoded = ""] = sealed.split(".", 2)
        const bytes = Buffer.from(encoded, "base64url")
        // Node skips what is not base64url; comparing with the canonical form refuses it.
        const canonical = sealed === `${version}.${bytes.toString("base64url")}`
        if (prefix !== version || !canonical || bytes.length < nonceBytes + tagBytes) return yield* new SealBroken()
        return yield* Effect.try({ try: () => decrypt(Redacted.value(key), bytes), catch: () => new SealBroken() })
      })
    })
  )

const decrypt = (key: Uint8Array, bytes: Buffer) => {
  const nonce = bytes.subarray(0, nonceBytes)
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
    .setAAD(aad)
    .setAuthTag(bytes.subarray(-tagBytes))
  const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
  return Redacted.make(text.toString("utf8"))
}

/** Under a random key, which is lost with the layer. */
export const layerMemory: Layer.Layer<Secrets> = Layer.effect(
  Secrets,
  Effect.gen(function* () {
    const random = yield* SecureRandom.SecureRandom
    return yield* makeWithKey(Redacted.make(yield* random.randomBytes(keyBytes)))
  })
).pipe(Layer.provide(SecureRandom.layerWebCrypto))
