import { Clock, Context, Effect, Layer, Result, Semaphore } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import {
  type Day,
  dayAt,
  monthAt,
  nothingUsed,
  plus,
  type UsedAmounts,
  workerResource
} from "../../domain/downstream/Usage.ts"
import { Events } from "../../services/Events.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { UsageStore } from "../../services/downstreams/UsageStore.ts"
import { untraced } from "../../observability/Untraced.ts"
import { FairShares } from "../scheduling/FairShares.ts"
import { backgroundLoop } from "../upkeep/BackgroundLoop.ts"
import { PendingUsage } from "./PendingUsage.ts"

const flushInterval = "5 seconds"
/** What other processes used is seen after this time. */
const refreshMillis = 60_000
const mostKnown = 10_000
/** Rows are kept for this many days, and looked through for older ones this often. */
const keptDays = 800
const dayMillis = 86_400_000

interface Known {
  readonly month: Day
  readonly readAt: number
  sum: UsedAmounts
}

/**
 * What tenants use, as rows of the store. It is noted in memory, and written together with what others used a few seconds later,
 * off the way of pages and calls. A process that is killed loses what it has not written; one that stops writes it.
 */
export class UsageRecorder extends Context.Service<
  UsageRecorder,
  {
    /** Notes what was used; returns at once. */
    readonly add: (tenant: TenantId, resource: string, used: Partial<UsedAmounts>) => void
    /** What the tenant used of the resource in this month; what other processes used of late may be missing. */
    readonly month: (tenant: TenantId, resource: string) => Effect.Effect<UsedAmounts, StoreUnavailable>
    /** What all tenants used of the resource from the day on. */
    readonly since: (day: Day, resource: string) => Effect.Effect<UsedAmounts, StoreUnavailable>
    /** Writes what was noted. */
    readonly flush: Effect.Effect<void, StoreUnavailable>
  }
>()("sluice/actors/usage/UsageRecorder") {
  static readonly layer = Layer.effect(
    UsageRecorder,
    Effect.gen(function* () {
      const store = yield* UsageStore
      const clock = yield* Clock.Clock
      const pending = new PendingUsage()
      const known = new Map<string, Known>()
      let forgottenAt = Number.NEGATIVE_INFINITY
      // What is written while the store is read would be in neither of the two sums, or in both.
      const exchange = yield* Semaphore.make(1)

      const add = (tenant: TenantId, resource: string, used: Partial<UsedAmounts>) => {
        const now = clock.currentTimeMillisUnsafe()
        pending.add(tenant, dayAt(now), resource, used)
        const of = known.get(`${tenant} ${resource}`)
        if (of?.month === monthAt(now)) of.sum = plus(of.sum, used)
      }

      const sumOf = Effect.fnUntraced(function* (from: Day, resource: string, tenant?: TenantId) {
        const to = dayAt(yield* Clock.currentTimeMillis)
        const rows = yield* untraced(
          store.sum({ from, to, by: "downstream", resource, ...(tenant === undefined ? {} : { tenant }), limit: 1 })
        )
        const stored = rows.reduce((sum, row) => plus(sum, row), nothingUsed)
        return plus(
          stored,
          pending.sum(
            (row) => row.resource === resource && row.day >= from && (tenant === undefined || row.tenantId === tenant)
          )
        )
      }, exchange.withPermit)

      const month = Effect.fnUntraced(function* (tenant: TenantId, resource: string) {
        const now = yield* Clock.currentTimeMillis
        const key = `${tenant} ${resource}`
        const first = monthAt(now)
        const before = known.get(key)
        if (before?.month === first && now - before.readAt < refreshMillis) return before.sum
        const read = yield* Effect.result(sumOf(first, resource, tenant))
        if (Result.isSuccess(read)) {
          if (known.size >= mostKnown) known.clear()
          known.set(key, { month: first, readAt: now, sum: read.success })
          return read.success
        }
        // What is known is better than no answer, and no less than what this process used.
        return before?.month === first ? before.sum : yield* read.failure
      })

      const forget = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (now - forgottenAt < dayMillis) return
        yield* untraced(store.forget(dayAt(now - keptDays * dayMillis)))
        forgottenAt = now
      })

      const flush = Effect.suspend(() => {
        const rows = pending.take()
        if (rows.length === 0) return Effect.void
        return untraced(store.add(rows)).pipe(
          Effect.onExit((exit) => Effect.sync(() => pending.written(exit._tag === "Success"))),
          Effect.uninterruptible
        )
      }).pipe(exchange.withPermit)

      const shares = yield* FairShares
      shares.onUse((tenant, millis) => add(tenant, workerResource, { workerMillis: millis }))
      const events = yield* Events
      yield* events.listen((event) => {
        if (event._tag === "PageDone") add(event.tenantId, workerResource, { pages: 1 })
      })
      yield* Effect.addFinalizer(() =>
        flush.pipe(
          Effect.timeout("5 seconds"),
          Effect.catch((cause) => Effect.logWarning("some usage was not recorded", cause))
        )
      )
      yield* backgroundLoop({
        name: "the record of usage",
        pass: Effect.andThen(flush, forget),
        rest: Effect.sleep(flushInterval),
        begins: "after a rest"
      })
      return UsageRecorder.of({ add, month, since: (day, resource) => sumOf(day, resource), flush })
    })
  )
}
