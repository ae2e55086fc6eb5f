import { Context, type Effect, type Option, type Redacted, Schema } from "effect"
import { type ApiKey, ApiKeyId } from "../../domain/tenant/ApiKey.ts"
import { TenantId } from "../../domain/Ids.ts"
import type { StoreUnavailable } from "../store/StoreErrors.ts"

/** No such key, or it is another tenant's: the caller cannot tell which. */
export class ApiKeyNotFound extends Schema.TaggedError<ApiKeyNotFound>()("ApiKeyNotFound", { keyId: ApiKeyId }) {
  override get message() {
    return `there is no key ${this.keyId}`
  }
}

/** The tenant has as many keys as it may have. Keys that are not used any more have to be revoked. */
export class TooManyApiKeys extends Schema.TaggedError<TooManyApiKeys>()("TooManyApiKeys", {
  tenantId: TenantId,
  allowed: Schema.Natural
}) {
  override get message() {
    return `the tenant has its limit of ${this.allowed} keys`
  }
}

/** Most keys of one tenant: plenty for its machines and for a rotation, and a bound for the length of a list. */
export const mostKeys = 100

/** A new key with its text, which is returned only this once. */
export interface IssuedKey {
  readonly key: ApiKey
  readonly text: Redacted.Redacted
}

/** The owner of a verified key. */
export interface KeyHolder {
  readonly id: ApiKeyId
  readonly tenantId: TenantId
  /**
   * Completes once the key is revoked, for work that goes on after the verification; a while later if another process revoked
   * it.
   */
  readonly revoked: Effect.Effect<void>
}

export interface KnownTenant {
  readonly tenantId: TenantId
  readonly keys: number
}

/** Creates and verifies API keys. Only a hash of a key is kept. */
export class ApiKeys extends Context.Service<
  ApiKeys,
  {
    /** Once it succeeds the key works, also after a restart where keys are kept. */
    readonly create: (tenant: TenantId, name: string) => Effect.Effect<IssuedKey, TooManyApiKeys | StoreUnavailable>
    /** Oldest first. */
    readonly list: (tenant: TenantId) => Effect.Effect<ReadonlyArray<ApiKey>, StoreUnavailable>
    /**
     * Once this succeeds the key is invalid in this process, and nothing of it is kept. Other processes over the same keys may
     * hold it in memory for a bounded time.
     */
    readonly revoke: (tenant: TenantId, id: ApiKeyId) => Effect.Effect<void, ApiKeyNotFound | StoreUnavailable>
    /**
     * None for anything but a valid key, without the reason. Every request calls it, so it has no span, and the use of a key is
     * recorded later and at most once a minute.
     */
    readonly verify: (presented: Redacted.Redacted) => Effect.Effect<Option.Option<KeyHolder>, StoreUnavailable>
    /**
     * Tenants by id, after `after`: those with a key, and, if the documents' database keeps the keys, all that have or had a
     * document or limits of their own in it.
     */
    readonly tenants: (options: {
      readonly after?: TenantId | undefined
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<KnownTenant>, StoreUnavailable>
  }
>()("sluice/services/apiKeys/ApiKeys") {}
