import type { TenantId } from "../../src/domain/Ids.ts"
import { jain, percentile } from "../statistics.ts"
import type { Ledger } from "./Ledger.ts"

/** Milliseconds; absent when there was nothing to measure. */
export interface Wait {
  readonly p50: number | undefined
  readonly p95: number | undefined
}

export interface TenantOutcome {
  readonly tenant: TenantId
  readonly weight: number
  /** That ended, that a limit refused, and that had not ended when nothing went on any more. */
  readonly documents: number
  readonly refused: number
  readonly unfinished: number
  readonly pages: number
  readonly workerSeconds: number
  /** Of the worker time used while at least two tenants had work: what it got, and what its weight entitled it to. */
  readonly share: number | undefined
  readonly entitled: number | undefined
  /** From its acceptance to the first page, and to the end of the document. */
  readonly firstPage: Wait
  readonly end: Wait
}

export interface Outcome {
  readonly tenants: ReadonlyArray<TenantOutcome>
  /** From the first acceptance to the last end. */
  readonly makespanSeconds: number
  readonly workerSeconds: number
  readonly contendedSeconds: number
  /** Of received over entitled: 1 if all got the same part of what they were entitled to. */
  readonly jain: number
  readonly refused: number
  readonly unfinished: number
}

const waitOf = (values: ReadonlyArray<number>): Wait => ({
  p50: values.length === 0 ? undefined : percentile(values, 0.5),
  p95: values.length === 0 ? undefined : percentile(values, 0.95)
})

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

export const outcomeOf = (ledger: Ledger, outstanding: Iterable<TenantId>): Outcome => {
  const left = new Map<TenantId, number>()
  for (const tenant of outstanding) left.set(tenant, (left.get(tenant) ?? 0) + 1)
  const contended = ledger.contendedMillis
  const tenants = [...ledger.accounts]
    .map(([tenant, account]): TenantOutcome => ({
      tenant,
      weight: account.weight,
      documents: account.documents,
      refused: account.refused,
      unfinished: left.get(tenant) ?? 0,
      pages: account.pages,
      workerSeconds: account.workerMillis / 1000,
      share: account.entitled > 0 ? account.received / contended : undefined,
      entitled: account.entitled > 0 ? account.entitled / contended : undefined,
      firstPage: waitOf(account.firstPage),
      end: waitOf(account.end)
    }))
    .filter(({ documents, refused, unfinished }) => documents + refused + unfinished > 0)
    .toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1))
  const ratios = [...ledger.accounts.values()].flatMap(({ entitled, received }) =>
    entitled > 0 ? [received / entitled] : []
  )
  return {
    tenants,
    makespanSeconds: ledger.makespan / 1000,
    workerSeconds: sum(tenants.map(({ workerSeconds }) => workerSeconds)),
    contendedSeconds: contended / 1000,
    jain: ratios.length === 0 ? 1 : jain(ratios),
    refused: sum(tenants.map(({ refused }) => refused)),
    unfinished: sum(tenants.map(({ unfinished }) => unfinished))
  }
}
