import type { Effect, Option } from "effect"
import { Context } from "effect"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { Ahead, QueueCounters, UnderWay } from "./QueueFigures.ts"
import type { StoreUnavailable } from "./StoreErrors.ts"

/** Milliseconds since the epoch. */
type Moment = number

/** How many documents wait and run, and what is ahead of one of them. */
export class QueueStats extends Context.Service<
  QueueStats,
  {
    /** Of one tenant, or of all when none is named. What another process has just written may be missing for a moment. */
    readonly stats: (tenant?: TenantId) => Effect.Effect<QueueCounters, StoreUnavailable>
    /**
     * The documents that are claimed before this one, if it is queued: counted to a depth of `queueScanLimit` and no further.
     * Nothing is ahead of a document that is not queued.
     */
    readonly ahead: (tenant: TenantId, id: DocumentId) => Effect.Effect<Ahead, StoreUnavailable>
    /** Tenants with queued documents, and the number of these. Without tenants that are paused. */
    readonly backlogs: Effect.Effect<
      ReadonlyArray<{ readonly tenant: TenantId; readonly queued: number }>,
      StoreUnavailable
    >
    /** Documents that run, and queued documents that were opened before; at most `queueScanLimit` of each. */
    readonly underWay: Effect.Effect<ReadonlyArray<UnderWay>, StoreUnavailable>
    /**
     * Since when the tenant's oldest queued document waits: the least over the first of each priority. When no tenant is named,
     * since when the oldest of all waiting documents that never ran waits.
     */
    readonly oldestQueued: (tenant?: TenantId) => Effect.Effect<Option.Option<Moment>, StoreUnavailable>
  }
>()("sluice/services/store/QueueStats") {}
