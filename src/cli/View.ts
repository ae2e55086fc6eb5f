import type { DateTime } from "effect"
import type { TenantState } from "../domain/tenant/TenantState.ts"
import type { DocumentView } from "../http/api/views/DocumentView.ts"
import type { QueueStatusView } from "../http/api/Queue.ts"
import { etaOf, progressOf, receivedOf, seconds, shortWaiting } from "./Describe.ts"
import { bar, clock, column, printable } from "./Text.ts"

/** The state that `watch` shows, at one moment. */
export interface View {
  readonly at: DateTime.Utc
  readonly queue: typeof QueueStatusView.Type
  readonly tenants: ReadonlyArray<TenantState>
  readonly documents: ReadonlyArray<typeof DocumentView.Type>
}

const startOf = ({ estimated_wait_time: wait }: View["queue"]) =>
  wait === null ? "" : `  next start in ${seconds(wait)}`

const engineLines = (queue: View["queue"]): ReadonlyArray<string> => [
  `documents ${bar(queue.processing, queue.max_concurrent, 16)} ${queue.processing} of ${queue.max_concurrent} open` +
    `  ${queue.queue_size} waiting${startOf(queue)}`,
  `          ${queue.total_processed} ended, ${queue.total_failed} failed; highest: ${queue.max_processing} open, ${queue.max_queue_size} waiting`
]

const tenantLine = ({ backlog, limits, noisy, oldestSeconds, paused, running, share, tenantId }: TenantState) =>
  `${column(tenantId, 20)} ${bar(running, limits.documents, 8)} ${column(`${running} of ${limits.documents}`, 9)}` +
  ` ${column(`${backlog} waiting`, 14)}` +
  ` ${column(receivedOf(share), 15)} weight ${limits.weight}` +
  (oldestSeconds === undefined ? "" : `  oldest ${seconds(oldestSeconds)}`) +
  (paused ? "  paused" : "") +
  (noisy ? "  noisy" : "")

const documentLine = (at: DateTime.Utc, { name, progress, status, waiting }: typeof DocumentView.Type) => {
  const eta = waiting && etaOf(waiting, at)
  const held = waiting === undefined ? "" : `  ${shortWaiting(waiting)}${eta === undefined ? "" : `; ends ${eta}`}`
  return `${column(status, 8)} ${column(printable(name), 28)} ${progressOf(progress)}${held}`
}

/** The state as lines for a screen. */
export const viewLines = (url: string, { at, documents, queue, tenants }: View): ReadonlyArray<string> => [
  `Sluice at ${printable(url)}  ${clock(at)} UTC  (Ctrl-C ends this)`,
  "",
  ...engineLines(queue),
  "",
  "tenants              open               backlog        share of time",
  ...tenants.map(tenantLine),
  "",
  ...(documents.length === 0
    ? ["no documents of the tenant run or wait"]
    : documents.map((document) => documentLine(at, document)))
]

/** The state as one line for a log. */
export const viewLine = ({ at, queue, tenants }: View): string =>
  [
    `${clock(at)} running ${queue.processing}/${queue.max_concurrent} waiting ${queue.queue_size}`,
    `ended ${queue.total_processed} failed ${queue.total_failed}`,
    ...tenants.map(
      ({ backlog, limits, running, tenantId }) => `${tenantId} ${running}/${limits.documents} waiting ${backlog}`
    )
  ].join(" | ")
