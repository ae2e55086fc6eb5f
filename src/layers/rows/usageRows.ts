/** Turns rows of sums of usage into domain values. */
import type { UsageSum } from "../../domain/downstream/Usage.ts"
import { number, type Row, text } from "./documentRows.ts"

/** The column of what is summed for each. */
export const usageKeys = { tenant: "tenant_id", day: "day", downstream: "resource" } as const

export const toUsageSum = (row: Row): UsageSum => ({
  key: text(row, "key"),
  calls: number(row, "calls"),
  downstreamMillis: number(row, "downstream_millis"),
  tokens: number(row, "tokens"),
  cost: number(row, "cost"),
  pages: number(row, "pages"),
  workerMillis: number(row, "worker_millis")
})
