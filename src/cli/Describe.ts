import { DateTime } from "effect"
import type { DocumentView } from "../http/api/views/DocumentView.ts"
import type { RunnersView } from "../http/api/Workers.ts"
import type { QueueStatusView } from "../http/api/Queue.ts"
import type { TenantState } from "../domain/tenant/TenantState.ts"
import { textPipeline } from "../domain/pipeline/Pipeline.ts"
import type { StageProgress } from "../domain/pipeline/StageProgress.ts"
import type { Waiting } from "../domain/document/Waiting.ts"
import { sizeOf } from "./doctor/Size.ts"
import { bar, moment, plural, table } from "./Text.ts"

/** Human-readable descriptions of documents, queues and tenants. */

const gates: Readonly<Record<string, string>> = {
  tenant: "its tenant has as many documents open as it may",
  global: "the engine has as many documents open as it may",
  page: "being read",
  schedule: "until the time it was scheduled for",
  retry: "something that failed for the moment is tried again",
  paused: "its tenant is paused"
}

const whyOf = ({ gate }: Waiting): string => gates[gate] ?? "its stages wait until it takes their calls"

/** `ocr 1: 28 done, 1 failed` */
const stageOf = ({ done, failed, skipped, stage, version }: StageProgress): string => {
  const counts = Object.entries({ done, failed, skipped }).flatMap(([word, count]) =>
    count === 0 ? [] : [`${count} ${word}`]
  )
  return `${stage} ${version}: ${counts.join(", ")}`
}

/** In UTC; the date is left out if it is the given day. */
export const etaOf = ({ eta }: Waiting, day?: DateTime.Utc): string | undefined => {
  if (eta === undefined) return undefined
  const low = moment(eta.low, day)
  if (low === moment(eta.high, day)) return low
  const high = moment(eta.high, day ?? eta.low)
  return `${low} to ${high}`
}

/** `tenant, number 3, 240 pages ahead` */
export const shortWaiting = (waiting: Waiting): string =>
  [
    waiting.gate,
    waiting.position === undefined ? undefined : `number ${waiting.position}`,
    waiting.pagesAhead === undefined ? undefined : `${plural(waiting.pagesAhead, "page")} ahead`
  ]
    .filter((part) => part !== undefined)
    .join(", ")

export const progressOf = ({ done, failed, pages, warned = 0 }: (typeof DocumentView.Type)["progress"]): string => {
  const failures = failed === 0 ? "" : `, ${failed} failed`
  const warnings = warned === 0 ? "" : `, ${warned} with warnings`
  return pages === undefined
    ? plural(done, "page")
    : `${bar(done, pages)} ${done} of ${plural(pages, "page")}${failures}${warnings}`
}

export const documentLines = (document: typeof DocumentView.Type): ReadonlyArray<string> => {
  const {
    error,
    metadata,
    name,
    pipeline,
    progress,
    stages = [],
    status,
    tenantId,
    timings,
    waiting,
    warnings = []
  } = document
  const eta = waiting && etaOf(waiting)
  return table([
    ["id", document.id],
    ["name", name],
    ["tenant", tenantId],
    ["status", status],
    ["error", error && `${error.code}: ${error.message}`],
    ["advice", error?.advice],
    ["pages", progressOf(progress)],
    ["pipeline", pipeline === textPipeline ? undefined : pipeline],
    ...stages.map((stage) => ["stage", stageOf(stage)] as const),
    ...warnings.map(({ code, message }) => ["warning", `${code}: ${message}`] as const),
    ["waits", waiting && `${shortWaiting(waiting)} (${whyOf(waiting)})`],
    ["ends", eta && `about ${eta} UTC`],
    ["title", metadata?.title],
    ["accepted", DateTime.formatIso(timings.acceptedAt)],
    ["started", timings.startedAt && DateTime.formatIso(timings.startedAt)],
    ["read again", timings.retriedAt && DateTime.formatIso(timings.retriedAt)],
    ["finished", timings.finishedAt && DateTime.formatIso(timings.finishedAt)]
  ])
}

export const queueLines = (queue: typeof QueueStatusView.Type): ReadonlyArray<string> =>
  table([
    ["waiting", `${queue.queue_size} (highest ${queue.max_queue_size})`],
    ["running", `${queue.processing} of ${queue.max_concurrent} (highest ${queue.max_processing})`],
    ["ended", `${queue.total_processed}, of which ${queue.total_failed} failed`],
    [
      "next start",
      queue.estimated_wait_time === null ? "when it is resumed" : `in about ${seconds(queue.estimated_wait_time)}`
    ],
    ["paused", queue.paused ? "yes" : undefined]
  ])

/** One line for each process. */
export const runnersLines = ({ runners }: typeof RunnersView.Type): ReadonlyArray<string> =>
  table(
    runners.map(({ capacity, documents, name, permits, role, shards, tenants, version, workers }) => [
      name,
      [
        role,
        shards === undefined ? undefined : plural(shards, "shard"),
        plural(tenants, "tenant"),
        `${documents} of ${permits} documents`,
        role === "api" ? undefined : `${capacity} pages at once by ${plural(workers, "worker")}`,
        version === "" ? undefined : `Sluice ${version}`
      ]
        .filter((part) => part !== undefined)
        .join(", ")
    ])
  )

export const seconds = (count: number): string => {
  if (count < 100) return `${Math.round(count * 10) / 10} s`
  return count < 6000 ? `${Math.round(count / 60)} min` : `${Math.round(count / 3600)} h`
}

/** A share of 0.4 % is not shown as none. */
const percent = (share: number): string => (share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(share * 100)} %`)

/**
 * What a tenant received of what it is entitled to. It is entitled to nothing while it has no work when that is looked at, once a
 * second: work that is done in between has no share to be compared with.
 */
export const receivedOf = ({ entitled, received1m }: TenantState["share"]): string =>
  entitled === 0 ? percent(received1m) : `${percent(received1m)} of ${percent(entitled)}`

const rateOf = ({ burst, rate }: TenantState["limits"]): string => {
  if (rate === undefined) return "no limit"
  return `${rate} documents a second${burst === undefined ? "" : `, ${burst} at once`}`
}

const storedOf = (bytes: number, { maxStoredBytes }: TenantState["limits"]): string =>
  maxStoredBytes === undefined ? sizeOf(bytes) : `${sizeOf(bytes)} of ${sizeOf(maxStoredBytes)}`

export const tenantLines = ({
  backlog,
  limits,
  noisy,
  oldestSeconds,
  paused,
  running,
  share,
  storedBytes,
  tenantId
}: TenantState) =>
  table([
    ["tenant", tenantId],
    ["paused", paused ? "yes" : undefined],
    ["running", `${running} of ${limits.documents}`],
    ["waiting", `${backlog} of ${limits.backlog}`],
    ["oldest", oldestSeconds === undefined ? undefined : seconds(oldestSeconds)],
    ["weight", String(limits.weight)],
    ["pages at once", `${limits.pages} of a document`],
    ["rate", rateOf(limits)],
    ["stored", storedOf(storedBytes, limits)],
    ["share", `${receivedOf(share)} (1 min), ${percent(share.received15m)} (15 min)`],
    ["noisy", noisy ? "yes: much of its work waits while others have work, too" : undefined]
  ])
