import type { Effect, Option } from "effect"
import { Context } from "effect"
import type { BlobHash, TenantId } from "../../domain/Ids.ts"
import type { StoreUnavailable } from "./StoreErrors.ts"

/** Moments are milliseconds since the epoch; the caller's clock is the only one. */
type Moment = number

/** The answer to a request that carried an idempotency key. */
export interface KeptAnswer {
  /** Of the request: another request with the same key has another fingerprint. */
  readonly fingerprint: string
  /** File bytes of the request: a request with more bytes is another one. */
  readonly bytes: number
  readonly body: string
  readonly keptAt: Moment
}

/** Webhooks and their deliveries, the answers to requests with idempotency keys, and which blobs are in use. */
export class DocumentStore extends Context.Service<
  DocumentStore,
  {
    /** Whether the tenant has a document with this blob; any tenant when none is named. */
    readonly refersTo: (hash: BlobHash, tenant?: TenantId) => Effect.Effect<boolean, StoreUnavailable>
    /** Replaces the answer kept under the key before. */
    readonly keepAnswer: (tenant: TenantId, key: string, answer: KeptAnswer) => Effect.Effect<void, StoreUnavailable>
    readonly findAnswer: (tenant: TenantId, key: string) => Effect.Effect<Option.Option<KeptAnswer>, StoreUnavailable>
    /** Forgets at most `limit` answers kept before `keptBefore`; answers with their number. */
    readonly forgetAnswers: (keptBefore: Moment, limit: number) => Effect.Effect<number, StoreUnavailable>
  }
>()("sluice/services/store/DocumentStore") {}
