import { Context, type Duration, type Effect, type Option } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import type { StoreUnavailable } from "./StoreErrors.ts"

/** The answer to a request that carried an idempotency key. */
export interface KeptAnswer {
  /** Of the request: another request with the same key has another fingerprint. */
  readonly fingerprint: string
  /** File bytes of the request: a request with more bytes is another one. */
  readonly bytes: number
  readonly body: string
  /** Milliseconds since the epoch. */
  readonly keptAt: number
}

/** The right to use a key of a tenant, until it is released or runs out. */
export interface KeyLease {
  readonly id: string
  readonly tenant: TenantId
  readonly key: string
}

export type KeyReservation =
  | { readonly _tag: "InUse" }
  | { readonly _tag: "Reserved"; readonly lease: KeyLease; readonly answer: Option.Option<KeptAnswer> }

/**
 * Idempotency keys: which are in use, and the answers that were kept under them. Both are rows, so two processes never work on
 * the same key at once. The fingerprint of a request is known only after the request was read, so it is not asked for when a
 * key is reserved: the caller compares it with that of the kept answer.
 */
export class IdempotencyStore extends Context.Service<
  IdempotencyStore,
  {
    /**
     * Reserves a key for that long, by the store's clock, unless another request has it. A process that dies frees its keys by
     * that.
     */
    readonly reserve: (
      tenant: TenantId,
      key: string,
      lease: Duration.Input
    ) => Effect.Effect<KeyReservation, StoreUnavailable>
    /** Prolongs those that have not been lost: the lease ends that long from now. */
    readonly renew: (leases: ReadonlyArray<KeyLease>, lease: Duration.Input) => Effect.Effect<void, StoreUnavailable>
    /**
     * Keeps the answer under the key, in place of the one before, and releases the key. False, and nothing is kept, if another
     * request has taken the key because the lease had run out: that request will keep its own answer.
     */
    readonly keep: (lease: KeyLease, answer: KeptAnswer) => Effect.Effect<boolean, StoreUnavailable>
    /** Nothing happens if another request has taken the key. */
    readonly release: (lease: KeyLease) => Effect.Effect<void, StoreUnavailable>
    readonly find: (tenant: TenantId, key: string) => Effect.Effect<Option.Option<KeptAnswer>, StoreUnavailable>
    /**
     * Forgets at most `limit` answers kept before `keptBefore` (milliseconds since the epoch), and all leases that have run
     * out; answers with the number of forgotten answers.
     */
    readonly forget: (keptBefore: number, limit: number) => Effect.Effect<number, StoreUnavailable>
  }
>()("sluice/services/store/IdempotencyStore") {}
