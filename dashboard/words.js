// What the numbers and codes of the interface mean, for people.

const units = ["bytes", "KB", "MB", "GB", "TB"]

/** @type {(count: number | undefined) => string} */
export const bytes = (count) => {
  if (count === undefined) return "unknown size"
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** @type {(millis: number) => string} */
export const duration = (millis) => {
  const seconds = millis / 1000
  if (millis < 0) return "0 s"
  if (seconds < 1) return `${Math.round(millis)} ms`
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 100) return `${Math.round(seconds)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`
}

const today = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" })
const otherDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" })

/** @type {(iso: string) => string} */
export const moment = (iso) => {
  const at = new Date(iso)
  return (at.toDateString() === new Date().toDateString() ? today : otherDay).format(at)
}

/** @type {(iso: string) => number} */
export const millisOf = (iso) => Date.parse(iso)

/** @type {(count: number, one: string, many?: string) => string} */
export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`

/** @type {(share: number) => string} */
export const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)}\u00a0%`

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

/** Why a document has not ended, and until when. @param {import("./types.d.ts").Waiting} waiting @param {number} now */
export const explainWaiting = ({ eta, gate, pagesAhead, position }, now) => {
  const parts = [gates[gate]]
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
