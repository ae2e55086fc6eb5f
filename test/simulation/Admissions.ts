import type { TenantId } from "../../src/domain/Ids.ts"
import type { History } from "./History.ts"
import type { LimitsLog } from "./LimitsLog.ts"
import type { Process } from "./SimulatedStore.ts"

interface Admitted {
  readonly process: Process
  readonly tenant: TenantId
  readonly at: number
  readonly order: number
}

/** Sums of fractions may fall short of the whole by less than this. */
const rounding = 1e-6

/** Who was let in and when. Each process has buckets of its own, which its end empties. */
export class Admissions {
  readonly #all: Array<Admitted> = []

  /** `at`: when the submission began. */
  add(process: Process, tenant: TenantId, at: number): void {
    this.#all.push({ process, tenant, at, order: this.#all.length })
  }

  /** No bucket that was as generous as the limits of the time allowed can have let in more. */
  check(history: History, log: LimitsLog): void {
    const buckets = new Map<string, { tokens: number; at: number }>()
    for (const { at, process, tenant } of this.#all.toSorted((a, b) => a.at - b.at || a.order - b.order)) {
      const key = `${process.name} ${tenant}`
      const bucket = buckets.get(key) ?? { tokens: Number.POSITIVE_INFINITY, at }
      const limits = log.during(tenant, bucket.at, at)
      const rates = limits.map(({ rate }) => rate ?? Number.POSITIVE_INFINITY)
      const bursts = limits.map(({ burst }) => burst)
      const gained = ((at - bucket.at) * Math.max(...rates)) / 1000
      const tokens = bucket.tokens + (Number.isNaN(gained) ? Number.POSITIVE_INFINITY : gained)
      // A bucket that was full may have been forgotten, and is full again under any burst.
      const held = tokens >= Math.min(...bursts) ? Math.max(...bursts) : tokens
      const unlimited = rates.includes(Number.POSITIVE_INFINITY)
      if (!unlimited && held < 1 - rounding) {
        const detail = `${tenant} at ${at} ms with ${held.toFixed(3)} of a token left`
        history.violate("nobody is let in faster than its rate", detail)
      }
      buckets.set(key, { tokens: unlimited ? Number.POSITIVE_INFINITY : held - 1, at })
    }
  }
}
