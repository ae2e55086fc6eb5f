import { Effect } from "effect"
import { plus, nothingUsed, type UsageRow, type UsageSum } from "../../domain/downstream/Usage.ts"
import { UsageStore } from "./UsageStore.ts"

/** `UsageStore` in memory. */
export const usageMemory = (): UsageStore["Service"] => {
  const rows = new Map<string, UsageRow>()
  const keys = {
    tenant: ({ tenantId }: UsageRow) => tenantId,
    day: ({ day }: UsageRow) => day,
    downstream: ({ resource }: UsageRow) => resource
  }
  return UsageStore.of({
    add: Effect.fn("UsageStore.add")((added) =>
      Effect.sync(() => {
        for (const row of added) {
          const key = `${row.tenantId} ${row.day} ${row.resource}`
          rows.set(key, { ...row, ...plus(rows.get(key) ?? nothingUsed, row) })
        }
      })
    ),
    sum: Effect.fn("UsageStore.sum")(({ after, by, from, limit, resource, tenant, to }) =>
      Effect.sync(() => {
        const sums = new Map<string, UsageSum>()
        for (const row of rows.values()) {
          const key = keys[by](row)
          if (row.day < from || row.day > to || (tenant !== undefined && row.tenantId !== tenant)) continue
          if ((resource !== undefined && row.resource !== resource) || (after !== undefined && key <= after)) continue
          sums.set(key, { key, ...plus(sums.get(key) ?? nothingUsed, row) })
        }
        return [...sums.values()].toSorted((one, other) => (one.key < other.key ? -1 : 1)).slice(0, limit)
      })
    ),
    forget: Effect.fn("UsageStore.forget")((before) =>
      Effect.sync(() => {
        for (const [key, { day }] of rows) if (day < before) rows.delete(key)
      })
    )
  })
}
