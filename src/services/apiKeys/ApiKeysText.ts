/**
 * The text of a key, `sluice_<id>_<secret>`: the id shows which key it is, and the fixed form lets scanners find keys that
 * ended up where they do not belong. What is kept of it is a hash.
 */
import { hash, timingSafeEqual } from "node:crypto"
import { Effect, Option, Redacted } from "effect"
import type { SecureRandom } from "effect/crypto"
import { ApiKeyId } from "../../domain/tenant/ApiKey.ts"

const idBytes = 8
const secretBytes = 32

const form = /^sluice_([0-9a-f]{16})_[0-9a-f]{64}$/

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

export const generate = (random: SecureRandom.SecureRandom["Service"]) =>
  Effect.map(Effect.all([random.randomBytes(idBytes), random.randomBytes(secretBytes)]), ([id, secret]) => ({
    id: ApiKeyId.make(hex(id)),
    text: Redacted.make(`sluice_${hex(id)}_${hex(secret)}`, { label: "api key" })
  }))

/** The id that a text names, if it has the form of a key. */
export const idIn = (text: Redacted.Redacted): Option.Option<ApiKeyId> =>
  Option.map(Option.fromNullishOr(form.exec(Redacted.value(text))?.[1]), (id) => ApiKeyId.make(id))

/**
 * SHA-256, without salt and without iterations: the secret is 256 random bits, which nobody guesses, however fast the hash is.
 * Slow hashes are for what people think up; here they would only make every request cost as much as a login.
 */
export const digest = (text: Redacted.Redacted): Uint8Array => hash("sha256", Redacted.value(text), "buffer")

/** Compared with when there is no such key, so that this takes as long. */
export const noDigest = new Uint8Array(32)

/** In constant time, which does not reveal where two digests begin to differ. */
export const sameDigest = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)
