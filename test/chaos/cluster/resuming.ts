// How long tenants waited until their documents went on elsewhere, after a runner was lost.
import type { Finding } from "../findings.ts"
import type { TroubleTime } from "./evidence.ts"
import type { Change, Recorded } from "./record.ts"

/** The documents that the runner had at that moment, each with its tenant and attempt. */
const heldBy = (changes: ReadonlyArray<Change>, runner: string, at: number) => {
  const last = new Map<string, Change>()
  for (const change of changes) if (change.at <= at) last.set(change.document, change)
  return [...last.values()].filter(({ process, status }) => status === "running" && process === runner)
}

/** For each tenant, the milliseconds from the trouble until the first of its documents was taken again. */
export const resumeMillis = ({ changes }: Recorded, { at, runner }: TroubleTime): ReadonlyArray<number> => {
  if (runner === undefined) return []
  const held = heldBy(changes, runner, at)
  const ids = new Map(held.map(({ attempt, document }) => [document, attempt]))
  const taken = changes.filter(
    (change) =>
      change.at > at &&
      change.status === "running" &&
      change.attempt > (ids.get(change.document) ?? Number.POSITIVE_INFINITY)
  )
  return [...new Set(held.map(({ tenant }) => tenant))].flatMap((tenant) => {
    const first = taken.find((change) => change.tenant === tenant)
    return first === undefined ? [] : [Math.round(first.at - at)]
  })
}

const median = (sorted: ReadonlyArray<number>) => sorted[Math.floor((sorted.length - 1) / 2)] ?? 0

/** `mostMillis` bounds the median. Only troubles that happened alone count: another one explains any wait. */
const rows = (
  { recorded, troubles }: Waits,
  name: TroubleTime["name"],
  what: string,
  mostMillis?: number
): ReadonlyArray<Finding> => {
  const waits = troubles
    .filter((trouble) => trouble.name === name && trouble.alone)
    .flatMap((trouble) => resumeMillis(recorded, trouble))
    .toSorted((a, b) => a - b)
  const bound = mostMillis === undefined ? {} : { allowed: mostMillis }
  return [
    { what: `tenants with a document on a runner that ${what}`, found: waits.length },
    { what: `ms until they went on, runner ${what}, median`, found: median(waits), ...bound },
    { what: `ms until they went on, runner ${what}, most`, found: waits.at(-1) ?? 0 }
  ]
}

interface Waits {
  readonly recorded: Recorded
  readonly troubles: ReadonlyArray<TroubleTime>
}

/** With bounds if the runners know of each other. */
export const auditResuming = (waits: Waits, isBounded: boolean): ReadonlyArray<Finding> => [
  ...rows(waits, "kill", "was killed", isBounded ? 6_000 : undefined),
  ...rows(waits, "term", "was told to stop", isBounded ? 1_500 : undefined),
  ...rows(waits, "stop", "was frozen")
]
