/** `ApiKeys` in memory, lost with the process. Layers over the same keys are like processes over one database. */
import { Clock, DateTime, Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import { ApiKey, type ApiKeyId } from "../../domain/tenant/ApiKey.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { ApiKeyNotFound, ApiKeys, mostKeys, TooManyApiKeys } from "./ApiKeys.ts"
import { makeRevocations } from "./ApiKeysRevocations.ts"
import { digest, generate, idIn, noDigest, sameDigest } from "./ApiKeysText.ts"

/** How often work that goes on under a key checks that it is still valid. */
const checkEvery = "10 seconds"

interface Kept {
  readonly key: ApiKey
  readonly digest: Uint8Array
  lastUsed: number | undefined
}

/** Keys in the order of their creation. */
export type KeptKeys = Map<ApiKeyId, Kept>

export const makeKeptKeys = (): KeptKeys => new Map()

const make = Effect.fnUntraced(function* (keys: KeptKeys) {
  const random = yield* SecureRandom.SecureRandom
  const revocations = makeRevocations(checkEvery)

  const of = (tenant: TenantId) => [...keys.values()].filter(({ key }) => key.tenantId === tenant)

  return ApiKeys.of({
    create: Effect.fn("ApiKeys.create")(function* (tenantId, name) {
      const { id, text } = yield* generate(random)
      const createdAt = yield* DateTime.now
      if (of(tenantId).length >= mostKeys) return yield* new TooManyApiKeys({ tenantId, allowed: mostKeys })
      const key = new ApiKey({ id, tenantId, name, createdAt })
      keys.set(id, { key, digest: digest(text), lastUsed: undefined })
      return { key, text }
    }),
    list: Effect.fn("ApiKeys.list")((tenant) =>
      Effect.sync(() =>
        of(tenant).map(({ key, lastUsed }) =>
          lastUsed === undefined ? key : new ApiKey({ ...key, lastUsedAt: DateTime.makeUnsafe(lastUsed) })
        )
      )
    ),
    revoke: Effect.fn("ApiKeys.revoke")(function* (tenant, id) {
      if (keys.get(id)?.key.tenantId !== tenant) return yield* new ApiKeyNotFound({ keyId: id })
      keys.delete(id)
      revocations.announce(id)
    }),
    verify: (presented) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const kept = Option.getOrUndefined(Option.flatMap(idIn(presented), (id) => Option.fromNullishOr(keys.get(id))))
        if (!sameDigest(digest(presented), kept?.digest ?? noDigest) || kept === undefined) return Option.none()
        kept.lastUsed = now
        const { id, tenantId } = kept.key
        return Option.some({
          id,
          tenantId,
          revoked: revocations.wait(
            id,
            Effect.sync(() => keys.has(id))
          )
        })
      }),
    tenants: Effect.fn("ApiKeys.tenants")(({ after, limit }) =>
      Effect.sync(() =>
        [...new Set([...keys.values()].map(({ key }) => key.tenantId))]
          .filter((tenant) => after === undefined || tenant > after)
          .toSorted()
          .slice(0, limit)
          .map((tenantId) => ({ tenantId, keys: of(tenantId).length }))
      )
    )
  })
})

export const layerOver = (keys: KeptKeys): Layer.Layer<ApiKeys> =>
  Layer.effect(ApiKeys, make(keys)).pipe(Layer.provide(SecureRandom.layerWebCrypto))

export const layerMemory: Layer.Layer<ApiKeys> = Layer.unwrap(Effect.sync(() => layerOver(makeKeptKeys())))
