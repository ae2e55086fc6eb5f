import { Context, type Effect, type Option, type Redacted, Schema } from "effect"
import { type ApiKey, ApiKeyId } from "../../domain/tenant/ApiKey.ts"
import { TenantId } from "../../domain/Ids.ts"
import type { StoreUnavailable } from "../store/DocumentStore.ts"

/** No such key, or it is another tenant's: the caller cannot tell which. */
export class ApiKeyNotFound extends Schema.TaggedError<ApiKeyNotFound>()("ApiKeyNotFound", { keyId: ApiKeyId }) {
  override get message() {
    return `there is no key ${this.keyId}`
  }
}

/** Keys are revoked, not collected. */
export class TooManyApiKeys extends Schema.TaggedError<TooManyApiKeys>()("TooManyApiKeys", {
  tenantId: TenantId,
  allowed: Schema.Natural
}) {
  override get message() {
    return `the tenant has its limit of ${this.allowed} keys`
  }
}

/** Keys of one tenant at once: plenty for its machines and for a rotation, and a bound of what a list holds. */
export const mostKeys = 100

/** A key as its owner gets it, once. */
export interface IssuedKey {
  readonly key: ApiKey
  readonly text: Redacted.Redacted
}

/** Whose key it is. */
export interface KeyHolder {
  readonly id: ApiKeyId
  readonly tenantId: TenantId
  /** Completes once the key is revoked, for what goes on after it was verified. */
  readonly revoked: Effect.Effect<void>
}

export interface KnownTenant {
  readonly tenantId: TenantId
  readonly keys: number
}

/** Makes keys, and tells whose a key is. Only a hash of a key is kept. */
export class ApiKeys extends Context.Service<
  ApiKeys,
  {
    /** Once it succeeds the key works, also after a restart where keys are kept. */
    readonly create: (tenant: TenantId, name: string) => Effect.Effect<IssuedKey, TooManyApiKeys | StoreUnavailable>
    /** Oldest first. */
    readonly list: (tenant: TenantId) => Effect.Effect<ReadonlyArray<ApiKey>, StoreUnavailable>
    /** The key works no more from the moment this succeeds, and nothing is kept of it. */
    readonly revoke: (tenant: TenantId, id: ApiKeyId) => Effect.Effect<void, ApiKeyNotFound | StoreUnavailable>
    /**
     * None for whatever is no key that works, without telling why not. Asked by every request, so it has no span, and the use of
     * a key is written down later and at most once a minute.
     */
    readonly verify: (presented: Redacted.Redacted) => Effect.Effect<Option.Option<KeyHolder>, StoreUnavailable>
    /**
     * In the order of their ids, from behind `after`: tenants with a key, and, where keys are kept in the database of the
     * documents, all that have or had a document or limits of their own in it.
     */
    readonly tenants: (options: {
      readonly after?: TenantId | undefined
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<KnownTenant>, StoreUnavailable>
  }
>()("sluice/services/apiKeys/ApiKeys") {}
