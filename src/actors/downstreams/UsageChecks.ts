import { Clock, Effect, Semaphore } from "effect"
import { dayAt, nextMonth } from "../../domain/downstream/Usage.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { UsageRecorder } from "../usage/UsageRecorder.ts"
import type { Dispatcher } from "./Dispatcher.ts"

const dayMillis = 86_400_000

/** What has to be known of usage before a call may wait: the tenant's month, and budgets that began before this process. */
export const makeUsageChecks = Effect.fnUntraced(function* (
  name: string,
  dispatcher: Dispatcher,
  usage: UsageRecorder["Service"]
) {
  const { settings } = dispatcher
  const reading = yield* Semaphore.make(1)

  const needsRead = (what: "tokens" | "cost") =>
    settings[what]?.isRead === false && (settings.now[what]?.per ?? 0) >= dayMillis

  /** A budget of days or longer counts what was used before this process began. */
  const readBudget = (what: "tokens" | "cost") => {
    const read = Effect.gen(function* () {
      const budget = settings[what]
      if (budget === undefined || budget.isRead) return
      const beganAt = budget.beganAt(yield* Clock.currentTimeMillis)
      const used = yield* usage.since(dayAt(beganAt), name)
      budget.read(used[what], beganAt, yield* Clock.currentTimeMillis)
    })
    return Effect.suspend(() => (needsRead(what) ? reading.withPermit(read) : Effect.void))
  }

  /** Fails if the tenant has used what it may in this month. */
  const checkMonth = Effect.fnUntraced(function* (tenant: TenantId) {
    const { monthly } = settings.capsOf(tenant)
    if (monthly === undefined) return
    const used = yield* usage.month(tenant, name)
    for (const what of ["calls", "tokens", "cost"] as const) {
      const cap = monthly[what]
      if (cap === undefined || used[what] < cap) continue
      const now = yield* Clock.currentTimeMillis
      return yield* dispatcher.monthUsed(`${cap} ${what}`, nextMonth(now) - now)
    }
  })

  return (tenant: TenantId) =>
    Effect.all([checkMonth(tenant), readBudget("tokens"), readBudget("cost")], { discard: true }).pipe(
      Effect.catchTag("StoreUnavailable", () => Effect.fail(dispatcher.usageUnknown()))
    )
})
