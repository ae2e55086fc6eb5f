import { Context, type Effect } from "effect"
import type { Day, UsageBy, UsageRow, UsageSum } from "../../domain/downstream/Usage.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { StoreUnavailable } from "../store/StoreErrors.ts"

/** Which rows are summed, and by what. */
export interface UsageQuery {
  /** The first and the last day. */
  readonly from: Day
  readonly to: Day
  readonly by: UsageBy
  /** Only rows of this tenant, or of this resource. */
  readonly tenant?: TenantId
  readonly resource?: string
  /** Only keys after this one. */
  readonly after?: string
  readonly limit: number
}

/** What tenants used, by tenant, day and resource. Rows outlive the documents, whose pages they count. */
export class UsageStore extends Context.Service<
  UsageStore,
  {
    /** Adds all of it to the rows of the same tenant, day and resource, or none. Several processes may add to one row. */
    readonly add: (rows: ReadonlyArray<UsageRow>) => Effect.Effect<void, StoreUnavailable>
    /** Sums in the order of their keys. */
    readonly sum: (query: UsageQuery) => Effect.Effect<ReadonlyArray<UsageSum>, StoreUnavailable>
    /** Removes rows of days before this one. */
    readonly forget: (before: Day) => Effect.Effect<void, StoreUnavailable>
  }
>()("sluice/services/downstreams/UsageStore") {}
