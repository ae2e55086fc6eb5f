import type { Work } from "./CostModel.ts"

/**
 * When a document will have ended, in a fluid model: tenants with work share the workers by weight, and the documents that
 * one tenant has open share what it gets.
 *
 * All amounts are worker milliseconds. `low` supposes that nobody else comes, `high` that all who have work keep having it;
 * both are widened by what the measured costs of documents leave open.
 */

export interface Rival extends Work {
  readonly weight: number
  /** Virtual time by which it lags behind the document's tenant: it is served first until it has caught up. */
  readonly behind: number
}

export interface Line {
  /** Documents the tenant may have open. */
  readonly slots: number
  /** What is left of each document it has open, without the one asked about. */
  readonly open: ReadonlyArray<number>
  /** Queued before the one asked about. */
  readonly ahead: { readonly documents: number; readonly millis: number }
  /** What is left of the one asked about. */
  readonly own: number
}

/** Documents looked at one by one before the one asked about. What comes before them counts as one amount. */
const lookedAt = 64

/**
 * What the tenant has done when the document ends, if the documents it has open get equal parts: `low` with nothing behind the
 * document, `high` with always enough behind it to fill the slots.
 */
export const amountUntilEnd = ({ ahead, open, own, slots }: Line): { readonly low: number; readonly high: number } => {
  const each = ahead.documents === 0 ? 0 : ahead.millis / ahead.documents
  const skipped = Math.max(0, ahead.documents - lookedAt)
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

export interface Question {
  /** Worker milliseconds per millisecond. */
  readonly capacity: number
  readonly weight: number
  /** What the tenant will have done when the document ends, and by which part of it that may be off. */
  readonly amount: { readonly low: number; readonly high: number; readonly error: number }
  /** Workers that the tenant's documents can use at once. */
  readonly lanes: number
  /** What is left of the document, and the workers it can use at once. */
  readonly own: Work & { readonly lanes: number }
  readonly rivals: ReadonlyArray<Rival>
  /** By how much faster the workers may yet get. */
  readonly warming: number
}

/** Turns and commits that the model does not see. */
const granularityMillis = 500
/** What the model itself is worth. */
const doubt = 0.15
const deviations = 2

/** Of what may be half as much or twice as much, both are equally far away. */
const atLeast = (millis: number, error: number) => millis / (1 + deviations * error)
const atMost = (millis: number, error: number) => millis * (1 + deviations * error)

/** Milliseconds until the document has ended. */
export const finish = ({ amount, capacity, lanes, own, rivals, warming, weight }: Question) => {
  const workers = (lanes: number) => Math.max(1, Math.min(capacity, lanes))
  const least = atLeast(amount.low, amount.error)
  const most = atMost(amount.high, amount.error)
  let [low, high] = [least, most]
  for (const { behind, weight: share, ...work } of rivals) {
    // As long as it has work it gets its share, whatever its work costs.
    low += Math.min(atLeast(work.millis, work.error), Math.max(0, least / weight + behind) * share)
    high += (most / weight + Math.max(0, behind)) * share
  }
  const lowest = Math.max(low / capacity, least / workers(lanes), atLeast(own.millis, own.error) / workers(own.lanes))
  const highest = Math.max(high / capacity, most / workers(lanes), atMost(own.millis, own.error) / workers(own.lanes))
  return { low: lowest / (1 + doubt + warming), high: highest * (1 + doubt) + granularityMillis }
}
