import type { TenantLimitsPatch } from "../../src/domain/tenant/TenantLimits.ts"
import { Dice } from "./Dice.ts"
import type { Step, TenantPlan } from "./Scenario.ts"

/** One of the things a tenant may have, to more, to less, or back to what it was. */
export const planPatch = (dice: Dice, mayRefuse: boolean, even = false): TenantLimitsPatch => {
  const makers: readonly [() => TenantLimitsPatch, ...ReadonlyArray<() => TenantLimitsPatch>] = [
    () => ({ documents: dice.skewed(1, 12) }),
    () => ({ documents: dice.skewed(1, 12) }),
    () => ({ documents: null }),
    () => ({ pages: dice.skewed(1, 24) }),
    () => ({ pages: dice.skewed(1, 24) }),
    () => (even ? { documents: null } : { weight: dice.pick([0.5, 1, 2, 4, null]) }),
    () => (mayRefuse ? { backlog: dice.skewed(2, 50) } : { documents: 1 }),
    () => (mayRefuse ? { rate: dice.skewed(1, 100) / 10, burst: dice.skewed(1, 10) } : { pages: 1 }),
    () => ({ rate: null, burst: null, backlog: null, pages: null })
  ]
  return dice.pick(makers)()
}

/** Limits that change while documents run, and submissions that are taken back. */
export const planChanges = (seed: string, tenants: ReadonlyArray<TenantPlan>, documents: number, span: number) => {
  const dice = new Dice(`changes ${seed}`)
  const changes: Array<Step> = []
  for (let left = dice.chance(0.5) ? dice.skewed(1, 16) : 0; left > 0; left--) {
    const tenant = tenants[dice.chance(0.5) ? 0 : dice.int(0, tenants.length - 1)]?.id
    if (tenant === undefined) continue
    changes.push({ at: dice.int(1, span), action: { _tag: "Limits", tenant, patch: planPatch(dice, true) } })
  }
  for (let left = dice.chance(0.3) ? dice.skewed(1, 6) : 0; left > 0; left--) {
    changes.push({ at: dice.int(1, span), action: { _tag: "Withdraw", document: dice.int(0, documents - 1) } })
  }
  return changes
}
