/**
 * When a document will have ended, in a fluid model: tenants with work share the workers by weight, and the documents that
 * one tenant has open share what it gets.
 *
 * All amounts are worker milliseconds. `low` supposes that nobody else comes, `high` that all who have work keep having it;
 * both are widened by what the measured costs of documents leave open.
 */

export interface Work {
  readonly millis: number
  readonly variance: number
}

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
  /** What the tenant will have done when the document ends. */
  readonly amount: { readonly low: number; readonly high: number; readonly variance: number }
  /** Workers that the tenant's documents can use at once. */
  readonly lanes: number
  /** What is left of the document, and the workers it can use at once. */
  readonly own: { readonly millis: number; readonly lanes: number }
  readonly rivals: ReadonlyArray<Rival>
}

/** Turns and commits that the model does not see. */
const granularityMillis = 500
/** What the model itself is worth. */
const doubt = 0.15
const deviations = 2

/** Milliseconds until the document has ended. */
export const finish = ({ amount, capacity, lanes, own, rivals, weight }: Question) => {
  const atLeast = (done: number) =>
    Math.max(own.millis / Math.max(1, Math.min(capacity, own.lanes)), done / Math.max(1, Math.min(capacity, lanes)))
  const lowTime = amount.low / weight
  const highTime = amount.high / weight
  let [low, high, variance] = [amount.low, amount.high, amount.variance]
  for (const rival of rivals) {
    const before = Math.min(rival.millis, Math.max(0, lowTime + rival.behind) * rival.weight)
    low += before
    if (rival.millis > 0) variance += rival.variance * (before / rival.millis)
    high += (highTime + Math.max(0, rival.behind)) * rival.weight
  }
  const uncertain = low === 0 ? doubt : doubt + (deviations * Math.sqrt(variance)) / low
  return {
    low: Math.max(low / capacity, atLeast(amount.low)) * (1 - Math.min(0.9, uncertain)),
    high: Math.max(high / capacity, atLeast(amount.high)) * (1 + Math.min(4, uncertain)) + granularityMillis
  }
}
