import type { Work } from "./CostModel.ts"

/**
 * Estimates when a document will have ended, in a fluid model: tenants with work share the workers by weight, and the open
 * documents of one tenant share what it gets.
 *
 * All amounts are worker milliseconds. `low` supposes that no further work comes, `high` that every tenant with work keeps
 * having work. The uncertainty of the measured costs widens both.
 */

/** Another tenant with work. */
export interface Competitor extends Work {
  readonly weight: number
  /** Virtual time by which it lags behind the document's tenant: it is served first until it has caught up. */
  readonly behind: number
}

export interface Line {
  /** Documents the tenant may have open. */
  readonly slots: number
  /** The remaining work of each of its open documents, except for the document in question. */
  readonly open: ReadonlyArray<number>
  /** What is queued before the document in question. */
  readonly ahead: { readonly documents: number; readonly millis: number }
  /** The remaining work of the document in question. */
  readonly own: number
}

/** Documents before the one in question that are modelled one by one. Those before them count as one amount. */
const maxModelled = 64

/**
 * The work that the tenant has done when the document ends, if its open documents get equal parts: `low` if nothing waits behind
 * the document, `high` if always enough waits behind it to fill the slots.
 */
export const amountUntilEnd = ({ ahead, open, own, slots }: Line): { readonly low: number; readonly high: number } => {
  const each = ahead.documents === 0 ? 0 : ahead.millis / ahead.documents
  const skipped = Math.max(0, ahead.documents - maxModelled)
  const waiting = Array.from({ length: ahead.documents - skipped }, () => each)
  const running = [...open]
  let done = skipped * each
  const fill = () => {
    while (running.length < slots) {
      const next = waiting.shift()
      if (next === undefined) return
      running.push(next)
    }
  }
  fill()
  while (waiting.length > 0 || running.length >= slots) {
    const least = Math.min(...running)
    done += least * running.length
    const left = running.map((millis) => millis - least).filter((millis) => millis > 0)
    running.splice(0, running.length, ...left)
    fill()
  }
  return {
    low: done + running.reduce((sum, millis) => sum + Math.min(millis, own), own),
    high: done + Math.max(slots, running.length + 1) * own
  }
}

export interface EndInput {
  /** Worker milliseconds per millisecond. */
  readonly capacity: number
  readonly weight: number
  /** The work that the tenant will have done when the document ends, and its relative uncertainty. */
  readonly amount: { readonly low: number; readonly high: number; readonly error: number }
  /** Workers that the tenant's documents can use at once. */
  readonly lanes: number
  /** The remaining work of the document, and the workers it can use at once. */
  readonly own: Work & { readonly lanes: number }
  readonly competitors: ReadonlyArray<Competitor>
  /** How much faster the workers may get later. */
  readonly warming: number
}

/** Time for turns and commits, which the model leaves out. */
const granularityMillis = 500
/** The relative uncertainty of the model itself. */
const modelError = 0.15
const deviations = 2

/** The bounds are symmetrical as factors: half and twice the amount are equally far away. */
const atLeast = (millis: number, error: number) => millis / (1 + deviations * error)
const atMost = (millis: number, error: number) => millis * (1 + deviations * error)

/** Milliseconds until the document has ended. */
export const timeUntilEnd = ({ amount, capacity, competitors, lanes, own, warming, weight }: EndInput) => {
  const workers = (lanes: number) => Math.max(1, Math.min(capacity, lanes))
  const least = atLeast(amount.low, amount.error)
  const most = atMost(amount.high, amount.error)
  let [low, high] = [least, most]
  for (const { behind, weight: share, ...work } of competitors) {
    // A tenant with work gets its share, independent of the costs of its work.
    low += Math.min(atLeast(work.millis, work.error), Math.max(0, least / weight + behind) * share)
    high += (most / weight + Math.max(0, behind)) * share
  }
  const lowest = Math.max(low / capacity, least / workers(lanes), atLeast(own.millis, own.error) / workers(own.lanes))
  const highest = Math.max(high / capacity, most / workers(lanes), atMost(own.millis, own.error) / workers(own.lanes))
  return { low: lowest / (1 + modelError + warming), high: highest * (1 + modelError) + granularityMillis }
}

export const sumOfMillis = (amounts: ReadonlyArray<{ readonly millis: number }>): number =>
  amounts.reduce((sum, { millis }) => sum + millis, 0)

/** Milliseconds until a tenant has had `millis` of work done, if no further work comes. */
export const timeUntilStart = ({
  capacity,
  competitors,
  millis,
  weight
}: Pick<EndInput, "capacity" | "competitors" | "weight"> & { readonly millis: number }): number => {
  const time = millis / weight
  const others = competitors.map((other) => ({
    millis: Math.min(other.millis, Math.max(0, time + other.behind) * other.weight)
  }))
  return (millis + sumOfMillis(others)) / capacity
}
