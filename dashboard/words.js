// What the numbers and codes of the interface mean, for people.

const units = ["bytes", "KB", "MB", "GB", "TB"]

/** @type {(count: number | undefined) => string} */
export const bytes = (count) => {
  if (count === undefined) return "unknown size"
  let value = count
  let unit = 0
  // What would be rounded to 1000 is one of the next unit.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** In two units at most. It is rounded before it is split, so that no part reaches what the next unit stands for. @type {(millis: number) => string} */
export const duration = (millis) => {
  if (millis < 0) return "0 s"
  if (Math.round(millis) < 1_000) return `${Math.round(millis)} ms`
  const tenths = Math.round(millis / 100)
  if (tenths < 100) return `${(tenths / 10).toFixed(1)} s`
  const seconds = Math.round(millis / 1_000)
  if (seconds < 100) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(millis / 60_000)
  if (minutes < 2_880) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  const hours = Math.round(millis / 3_600_000)
  return `${Math.floor(hours / 24)} days ${hours % 24} h`
}

const today = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" })
const otherDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" })

/** @type {(iso: string) => string} */
export const moment = (iso) => {
  const at = new Date(iso)
  return (at.toDateString() === new Date().toDateString() ? today : otherDay).format(at)
}

/** With its date, wherever it stands. @type {(iso: string) => string} */
export const fullMoment = (iso) => otherDay.format(new Date(iso))

/** Texts of the server end with a full stop or without one; here each of them is one sentence. @type {(...texts: ReadonlyArray<string | undefined>) => string} */
export const sentences = (...texts) =>
  texts
    .flatMap((text) => (text === undefined || text.trim() === "" ? [] : [text.trim()]))
    .map((text) => (/[.!?…][)"'”’\u00bb]*$/.test(text) ? text : `${text.replace(/[,;:]$/, "")}.`))
    .join(" ")

/** @type {(iso: string) => number} */
export const millisOf = (iso) => Date.parse(iso)

/** @type {(count: number, one: string, many?: string) => string} */
export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`

/** @type {(share: number) => string} */
export const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0)}\u00a0%`

/**
 * Since when its end is waited for: it was accepted, its time came, or its failed pages were asked for again.
 *
 * @type {(timings: import("./types.d.ts").Document["timings"]) => number}
 */
export const dueAt = ({ acceptedAt, notBefore, retriedAt }) =>
  Math.max(...[acceptedAt, notBefore, retriedAt].flatMap((moment) => (moment === undefined ? [] : [millisOf(moment)])))

export const ended = new Set(["completed", "partial", "failed", "cancelled"])

export const statuses = /** @type {const} */ ([
  "scheduled",
  "queued",
  "running",
  "completed",
  "partial",
  "failed",
  "cancelled"
])

const gates = {
  tenant: "The tenant has as many documents open as it may. This one starts when one of them ends.",
  global: "The engine's documents are all taken, or it is about to take this one.",
  page: "It is being read.",
  schedule: "It is not to start before its time.",
  retry: "Something failed for the moment; it is tried again.",
  paused: "The tenant is paused. It starts once the tenant is resumed."
}

const downstreamGate = "downstream:"

/** @param {import("./types.d.ts").Waiting["gate"]} gate */
const explainGate = (gate) =>
  gate in gates
    ? gates[/** @type {keyof typeof gates} */ (gate)]
    : `Its stages wait until ${gate.slice(downstreamGate.length)} takes their calls.`

/** Why a document has not ended, and until when. @param {import("./types.d.ts").Waiting} waiting @param {number} now */
export const explainWaiting = ({ eta, gate, pagesAhead, position }, now) => {
  const parts = [explainGate(gate)]
  if (position !== undefined) {
    const pages = pagesAhead === undefined ? "" : `, with ${plural(pagesAhead, "page")} before it`
    parts.push(`Place ${position.toLocaleString("en")} in the tenant's queue${pages}.`)
  }
  if (eta === undefined) return parts
  const low = millisOf(eta.low) - now
  const high = millisOf(eta.high) - now
  if (high < 1000) parts.push("It should end any moment.")
  else if (high - low < 1500) parts.push(`It should end in about ${duration(Math.max(low, 1000))}.`)
  else
    parts.push(
      `It should end in ${low < 1000 ? "a moment" : duration(low)} to ${duration(high)}, at ${moment(eta.high)} at the latest.`
    )
  return parts
}

/** @type {(progress: import("./types.d.ts").Document["progress"]) => string} */
export const explainProgress = ({ done, failed, pages, warned = 0 }) => {
  if (pages === undefined) return "not opened"
  const read = done === pages ? plural(pages, "page") : `${done.toLocaleString("en")} of ${plural(pages, "page")}`
  const failures = failed > 0 ? `, ${failed.toLocaleString("en")} failed` : ""
  return warned > 0 ? `${read}${failures}, ${warned.toLocaleString("en")} with warnings` : `${read}${failures}`
}
