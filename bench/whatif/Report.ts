import type { Outcome, TenantOutcome } from "./Outcome.ts"
import type { Workload } from "./Workload.ts"

export interface Findings {
  readonly workload: Workload
  readonly recording: { readonly number: number; readonly of: number }
  readonly settings: ReadonlyArray<string>
  /** What it was while it was recorded; the others are replays. */
  readonly measured: Outcome
  readonly asRecorded: Outcome
  readonly changed: Outcome | undefined
}

interface Column {
  readonly title: string
  readonly value: (tenant: TenantOutcome) => number | undefined
  readonly show: (value: number) => string
}

const whole = (value: number) => value.toFixed(0)
const seconds = (value: number) => value.toFixed(2)
const percent = (value: number) => `${(100 * value).toFixed(1)} %`
const millis = (value: number) => `${(value / 1000).toFixed(2)}`

const columns: ReadonlyArray<Column> = [
  { title: "documents", value: ({ documents }) => documents, show: whole },
  { title: "refused", value: ({ refused }) => refused, show: whole },
  { title: "unfinished", value: ({ unfinished }) => unfinished, show: whole },
  { title: "pages", value: ({ pages }) => pages, show: whole },
  { title: "worker s", value: ({ workerSeconds }) => workerSeconds, show: seconds },
  { title: "share", value: ({ share }) => share, show: percent },
  { title: "entitled", value: ({ entitled }) => entitled, show: percent },
  { title: "1st page p50", value: ({ firstPage }) => firstPage.p50, show: millis },
  { title: "p95", value: ({ firstPage }) => firstPage.p95, show: millis },
  { title: "end p50", value: ({ end }) => end.p50, show: millis },
  { title: "p95", value: ({ end }) => end.p95, show: millis }
]

/** Differences smaller than what is shown are none. */
const signed = (show: Column["show"], value: number) => {
  const text = show(Math.abs(value))
  return /[1-9]/.test(text) ? `${value < 0 ? "−" : "+"}${text}` : "="
}

const shown = ({ show, value }: Column, tenant: TenantOutcome | undefined) => {
  const found = tenant && value(tenant)
  return found === undefined ? "–" : show(found)
}

const difference = ({ show, value }: Column, from: TenantOutcome | undefined, to: TenantOutcome | undefined) => {
  const [before, after] = [from && value(from), to && value(to)]
  return before === undefined || after === undefined ? "" : signed(show, after - before)
}

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd()
  )
}

const tenantRows = ({ asRecorded, changed, measured }: Findings) => {
  const find = (outcome: Outcome | undefined, name: string) => outcome?.tenants.find(({ tenant }) => tenant === name)
  const row = (label: string, outcome: Outcome, name: string) => [
    label,
    ...columns.map((column) => shown(column, find(outcome, name)))
  ]
  return asRecorded.tenants.flatMap(({ tenant: name }) => {
    const rows = [
      [name, ...row("measured", measured, name)],
      ["", ...row("replayed", asRecorded, name)]
    ]
    if (changed === undefined) return rows
    const [from, to] = [find(asRecorded, name), find(changed, name)]
    return [
      ...rows,
      ["", ...row("changed", changed, name)],
      ["", "difference", ...columns.map((column) => difference(column, from, to))]
    ]
  })
}

const overall = ({ asRecorded, changed, measured }: Findings) => {
  const row = (name: string, show: (value: number) => string, value: (outcome: Outcome) => number) => {
    const before = [name, "", show(value(measured)), show(value(asRecorded))]
    if (changed === undefined) return before
    return [...before, show(value(changed)), signed(show, value(changed) - value(asRecorded))]
  }
  return [
    ["overall", "", "measured", "replayed", ...(changed === undefined ? [] : ["changed", "difference"])],
    row("makespan, s", seconds, ({ makespanSeconds }) => makespanSeconds),
    row("worker time, s", seconds, ({ workerSeconds }) => workerSeconds),
    row("  of it contended, s", seconds, ({ contendedSeconds }) => contendedSeconds),
    row(
      "Jain's index",
      (value) => value.toFixed(4),
      ({ jain }) => jain
    ),
    row("refused", whole, ({ refused }) => refused),
    row("unfinished", whole, ({ unfinished }) => unfinished)
  ]
}

/** How far the replay is from what was measured: how much of the rest is to be believed. */
const fidelity = ({ asRecorded, measured }: Findings): string =>
  measured.unfinished > 0
    ? "The recording ended before its documents did, so its makespan is not that of the replay."
    : `The replay's makespan is ${signed(percent, asRecorded.makespanSeconds / measured.makespanSeconds - 1)} off the measured one.`

const notes = ({ recording, workload }: Findings): ReadonlyArray<string> => {
  const { carriedOver, documents, guessedPages, header, lostRecords, torn, withoutCosts } = workload
  const said: ReadonlyArray<readonly [number, string]> = [
    [withoutCosts, "documents have no costs, as they were not read before the recording ended, and are left out"],
    [carriedOver, "documents were there before the recording began, and count as accepted at its beginning"],
    [guessedPages, "pages were not read while it was recorded, and take the mean of their document"],
    [lostRecords, "records were lost when it was recorded"]
  ]
  const which = recording.of > 1 ? ` (recording ${recording.number} of ${recording.of})` : ""
  return [
    `${documents.length} documents, ${header.workers} workers${which}`,
    ...said.flatMap(([count, text]) => (count > 0 ? [`${count} ${text}`] : [])),
    ...(torn ? ["its last line is torn: the service was killed"] : [])
  ]
}

export const reportText = (findings: Findings): string =>
  [
    ...notes(findings),
    ...(findings.settings.length > 0 ? [`changed: ${findings.settings.join(", ")}`] : []),
    "",
    ...table([["tenant", "", ...columns.map(({ title }) => title)], ...tenantRows(findings)]),
    "",
    ...table(overall(findings)),
    "",
    fidelity(findings)
  ].join("\n")

export const reportJson = ({ asRecorded, changed, measured, recording, settings, workload }: Findings): string => {
  const { carriedOver, documents, guessedPages, header, lostRecords, torn, withoutCosts } = workload
  const trace = {
    startedAt: header.startedAt,
    workers: header.workers,
    limits: header.limits,
    recording,
    documents: documents.length,
    withoutCosts,
    carriedOver,
    guessedPages,
    lostRecords,
    torn
  }
  return JSON.stringify({ trace, settings, measured, replayed: asRecorded, changed }, undefined, 2)
}
