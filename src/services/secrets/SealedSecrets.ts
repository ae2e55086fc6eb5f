import { Effect, Redacted, Result } from "effect"
import { Aead, Mac, SecureRandom } from "effect/crypto"
import { Base64Url } from "effect/encoding"
import { SealBroken, Secrets } from "./Secrets.ts"

// Sealed form: "v1." and, in base64url, nonce, ciphertext and tag of AES-256-GCM. The version is authenticated too. Stored
// passwords and webhook secrets have this form, so it may get a successor, but has to stay readable.

export const keyBytes = Aead.aes256Gcm.keyLength

const version = "v1"
const { nonceLength } = Aead.aes256Gcm
const tagLength = 16
const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const aad = encoder.encode(version)

/**
 * Secrets under the given key of `keyBytes`. The effects that cannot fail (`orDie`) would fail only for arguments of a wrong
 * length, or on a runtime without AES-GCM.
 */
export const makeWithKey = Effect.fnUntraced(function* (key: Redacted.Redacted<Uint8Array>) {
  const random = yield* SecureRandom.SecureRandom
  const aead = yield* Aead.Aead
  const mac = yield* Mac.Mac
  const sealing = yield* Effect.orDie(Aead.key(Aead.aes256Gcm, Redacted.value(key)))
  const hmacKey = (bytes: Uint8Array) => Effect.orDie(Mac.key(Mac.hmacSha256, bytes))
  const hmac = (own: Mac.Key, text: string) => Effect.orDie(mac.sign(own, encoder.encode(text)))
  // A separate key, because the given one seals.
  const fingerprinting = yield* hmacKey(yield* hmac(yield* hmacKey(Redacted.value(key)), "fingerprint"))

  return Secrets.of({
    seal: Effect.fn("Secrets.seal")(function* (secret) {
      const nonce = yield* random.randomBytes(nonceLength)
      const text = encoder.encode(Redacted.value(secret))
      const sealed = yield* Effect.orDie(aead.encrypt(sealing, text, { nonce, aad }))
      return `${version}.${Base64Url.encode(Buffer.concat([nonce, sealed]))}`
    }),
    fingerprint: Effect.fn("Secrets.fingerprint")(function* (secret, context) {
      const ofContext = yield* hmacKey(yield* hmac(fingerprinting, context))
      return Base64Url.encode(yield* hmac(ofContext, Redacted.value(secret)))
    }),
    open: Effect.fn("Secrets.open")(function* (sealed) {
      const bytes = bytesOf(sealed)
      if (bytes === undefined) return yield* new SealBroken()
      const nonce = bytes.subarray(0, nonceLength)
      const text = yield* aead
        .decrypt(sealing, bytes.subarray(nonceLength), { nonce, aad })
        .pipe(Effect.mapError(() => new SealBroken()))
      return Redacted.make(decoder.decode(text))
    })
  })
})

/** Nonce, ciphertext and tag; undefined if the text has not the sealed form. */
const bytesOf = (sealed: string): Uint8Array | undefined => {
  const bytes = Result.getOrUndefined(Base64Url.decode(sealed.slice(version.length + 1)))
  if (bytes === undefined || bytes.length < nonceLength + tagLength) return undefined
  // A decoder may accept several texts for the same bytes; comparing with the canonical form refuses the others.
  return sealed === `${version}.${Base64Url.encode(bytes)}` ? bytes : undefined
}
