/** `QueueStats` in SQLite. */
import { Effect, Option } from "effect"
import type { TenantId } from "../../../domain/Ids.ts"
import { QueueStats } from "../../../services/store/QueueStats.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import type { Read } from "../database/Read.ts"
import type { CachedCounters, Learn } from "./CachedCounters.ts"
import * as queueQueries from "./queueQueries.ts"
import * as records from "./records.ts"

export const queueStats = (read: Read, counters: CachedCounters) => {
  const count = TraceContext.traced("QueueStats.stats", (tenant: TenantId | "*", learn: Learn) =>
    read("count documents", (db) => learn(records.stats(db, tenant)))
  )
  return QueueStats.of({
    stats: (tenant?: TenantId) => counters.get(tenant ?? "*", count),
    ahead: Effect.fn("QueueStats.ahead")((tenant, id) =>
      read("count what is ahead of a document", (db) => queueQueries.ahead(db, tenant, id))
    ),
    backlogs: read("find backlogs", queueQueries.backlogs),
    underWay: read("find documents under way", queueQueries.underWay),
    oldestQueued: Effect.fn("QueueStats.oldestQueued")((tenant) =>
      Effect.map(
        read("find the oldest queued document", (db) => queueQueries.oldestQueued(db, tenant)),
        Option.fromUndefinedOr
      )
    )
  })
}
