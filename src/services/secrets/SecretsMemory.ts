import { Effect, Layer, Redacted } from "effect"
import { Aead, Mac, SecureRandom } from "effect/crypto"
import { keyBytes, makeWithKey } from "./SealedSecrets.ts"
import { Secrets } from "./Secrets.ts"

/** Under a random key, which is lost with the layer. */
export const layerMemory: Layer.Layer<Secrets> = Layer.effect(
  Secrets,
  Effect.gen(function* () {
    const random = yield* SecureRandom.SecureRandom
    return yield* makeWithKey(Redacted.make(yield* random.randomBytes(keyBytes)))
  })
).pipe(Layer.provide([Aead.layerWebCrypto, Mac.layerWebCrypto]), Layer.provide(SecureRandom.layerWebCrypto))
