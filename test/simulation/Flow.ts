import { Duration } from "effect"
import type { TenantId } from "../../src/domain/Ids.ts"
import type { Scenario } from "./Scenario.ts"
import type { Running, World } from "./World.ts"

/** A slot whose store failed it rests for two seconds, a dead actor for five; nothing else makes work wait. */
const longestRestMillis = 8_000
/** After the last fault calls may still be tried again, and old runs have yet to learn that they lost their lease. */
const calmingMillis = 40_000

/** Nothing waits for what nobody has: checked at every step of the clock, for the one process that works. */
export class Flow {
  readonly #scenario: Scenario
  readonly #world: World
  readonly #fineAt = new Map<TenantId, number>()
  #steadyFrom = 0

  constructor(scenario: Scenario, world: World) {
    this.#scenario = scenario
    this.#world = world
  }

  check(now: number, { process }: Running, disturbedUntil: number): void {
    const { crashedAt, trouble } = this.#world
    const calmFrom = trouble.calmFrom === 0 ? 0 : trouble.calmFrom + calmingMillis
    if (now < Math.max(disturbedUntil, calmFrom, crashedAt() === 0 ? 0 : crashedAt() + longestRestMillis)) {
      this.#steadyFrom = now
      return
    }
    this.#checkPermits(now, process.runner)
    this.#checkAges(now)
  }

  #checkPermits(now: number, runner: string | undefined): void {
    const { history, ledger, limits, log } = this.#world
    const all = ledger.running(runner)
    for (const { id: tenant } of this.#scenario.tenants) {
      const own = all.filter((entry) => entry.tenant === tenant).length
      const most = log.now(tenant).documents
      const full = ledger.occupied(tenant) >= most || all.length >= limits.globalDocuments
      if (full || ledger.isPaused(tenant) || ledger.queued(tenant) === 0) this.#fineAt.set(tenant, now)
      const since = Math.max(
        this.#steadyFrom,
        this.#fineAt.get(tenant) ?? 0,
        ledger.busyAt.get(tenant) ?? 0,
        ledger.busyAt.get("all") ?? 0
      )
      if (now - since <= longestRestMillis) continue
      const detail = `${tenant} runs ${own} of ${most} documents, all run ${all.length}, and ${ledger.queued(tenant)} wait`
      history.violate("no document waits beside a free permit", `${detail} for ${now - since} ms`)
    }
  }

  #checkAges(now: number): void {
    const { queueTtl } = this.#scenario.limits
    if (queueTtl === undefined) return
    const { history, ledger } = this.#world
    for (const entry of ledger.open) {
      const since = Math.max(this.#steadyFrom, (entry.queuedSince ?? now) + Duration.toMillis(queueTtl))
      if (entry.status !== "queued" || now - since <= longestRestMillis) continue
      history.violate("what has waited too long expires", `${entry.label}, ${now - since} ms ago`)
    }
  }
}

/**
 * How often documents may change places. A document gives way to one that begins or to one that gave way before.
 *
 * One that begins may set off two changes: its own, and that of whoever made room for it at the cost of a third. Those that
 * gave way before are at least 250 ms of worker time behind, each time: the tenant in whose favour it was has to use as much, over
 * the weights, before it is asked to give way in turn. Then all of a tenant's documents may change at once. A change of a weight
 * may bring that about at any time.
 */
export const mostSwitches = (scenario: Scenario, { ledger, limits, log, readings }: World): number => {
  const tenants = scenario.tenants.map(({ id }) => id)
  const weights = log.ever("weight", tenants)
  const atOnce = Math.min(limits.globalDocuments, log.ever("documents", tenants).most)
  const workedMillis = [...readings.usedMillis.values()].reduce((sum, millis) => sum + millis, 0)
  const periods = (workedMillis / aheadOfBusyMillis) * (weights.most / weights.least)
  return 2 * ledger.freshRuns + atOnce * (1 + log.weightChanges + periods)
}
const aheadOfBusyMillis = 250
