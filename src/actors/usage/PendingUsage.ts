import { nothingUsed, plus, type Day, type UsageRow, type UsedAmounts } from "../../domain/downstream/Usage.ts"
import type { TenantId } from "../../domain/Ids.ts"

/** What was used and is not in the store yet: a row for each tenant, day and resource. */
export class PendingUsage {
  readonly #rows = new Map<string, UsageRow>()
  /** Being written. */
  #taken: ReadonlyArray<UsageRow> = []

  add(tenantId: TenantId, day: Day, resource: string, used: Partial<UsedAmounts>): void {
    const key = `${day} ${tenantId} ${resource}`
    const before = this.#rows.get(key) ?? { ...nothingUsed, tenantId, day, resource }
    this.#rows.set(key, { ...before, ...plus(before, used) })
  }

  /** The rows to write, unless others are being written. `written` has to follow. */
  take(): ReadonlyArray<UsageRow> {
    if (this.#taken.length > 0) return []
    this.#taken = Array.from(this.#rows.values())
    this.#rows.clear()
    return this.#taken
  }

  /** The rows taken are in the store; or they are not, and are pending again. */
  written(isWritten: boolean): void {
    const rows = this.#taken
    this.#taken = []
    if (isWritten) return
    for (const { day, resource, tenantId, ...used } of rows) this.add(tenantId, day, resource, used)
  }

  /** The sum of the rows that match, those that are being written included. */
  sum(matches: (row: UsageRow) => boolean): UsedAmounts {
    let sum = nothingUsed
    for (const rows of [this.#taken, this.#rows.values()]) {
      for (const row of rows) if (matches(row)) sum = plus(sum, row)
    }
    return sum
  }
}
