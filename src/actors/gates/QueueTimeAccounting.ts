import { DateTime, Duration, Effect, Metric } from "effect"
import type { DocumentId } from "../../domain/Ids.ts"
import type { Claim } from "../../services/store/DocumentStore.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import type { GlobalPermit } from "./Preemption.ts"

interface Period {
  readonly from: number
  readonly to: number
}

/**
 * Where the time of one tenant's documents went before they were claimed. Permits are asked for by slots, and a slot knows only
 * in the end which document it has taken them for; so this keeps what held the tenant up, and a document is told the part
 * of it in which it was there to be claimed:
 *
 * - At the tenant's gate it waited while that was full: every permit was in the hands of a slot.
 * - At the global gate it waited from then on until the permit was given. Slots ask one after the other, so those behind
 *   wait there with the first of them.
 *
 * A pause, or the time in which nobody ran the tenant, is neither. All moments are milliseconds since the epoch.
 */
export class QueueTimeAccounting {
  readonly #start: number
  /** Slots with a permit. One that gives it back only to take it again at once keeps its place. */
  readonly #seats = new Set<object>()
  #limit: number
  /** The last time in which the tenant's gate was full; it is still if that has no end. */
  #full: Period | undefined
  /** Since when there has been a slot at the global gate, or one about to ask, without a look that found nothing. */
  #asking: number | undefined
  readonly #returned = new Map<DocumentId, number>()

  constructor(limit: number, start: number) {
    this.#limit = limit
    this.#start = start
  }

  seated(seat: object, now: number): void {
    this.#seats.add(seat)
    this.#weigh(now)
  }

  left(seat: object, now: number): void {
    this.#seats.delete(seat)
    this.#weigh(now)
  }

  limited(limit: number, now: number): void {
    this.#limit = limit
    this.#weigh(now)
  }

  /** Slots have all the permits. */
  get isFull(): boolean {
    return this.#seats.size >= this.#limit
  }

  #weigh(now: number): void {
    const wasFull = this.#full?.to === Number.POSITIVE_INFINITY
    const isFull = this.isFull
    if (isFull && !wasFull) this.#full = { from: now, to: Number.POSITIVE_INFINITY }
    if (!isFull && wasFull && this.#full !== undefined) this.#full = { ...this.#full, to: now }
  }

  /** A look at the queue brought nothing to claim: nobody is held up. */
  foundNothing(): void {
    this.#asking = undefined
    this.#returned.clear()
  }

  /** The document gave way to another tenant's and waits again. */
  preempted(id: DocumentId, now: number): void {
    this.#returned.set(id, now)
  }

  /** Tells metrics and the document's trace what it waited for, under a tenant's permit that was `taken` at that moment. */
  claimed({ document, fence }: Claim, { askedAt, givenAt }: GlobalPermit, taken: number): Effect.Effect<void> {
    this.#asking = Math.min(this.#asking ?? askedAt, askedAt)
    const ready = this.#readyAt(document, fence.attempt)
    // An attempt that another one made necessary, such as that of a lost runner: when it came back is not known here.
    if (ready === undefined) return Effect.void
    const tenant = { from: Math.max(ready, this.#full?.from ?? taken), to: Math.min(taken, this.#full?.to ?? taken) }
    const waited = Math.max(0, tenant.to - tenant.from)
    const global = { from: Math.max(ready, waited > 0 ? tenant.to : 0, this.#asking), to: givenAt }
    const told = Metric.update(Telemetry.gateWait.of("tenant"), Duration.millis(waited))
    if (document.trace === undefined) return told
    return Effect.andThen(told, TraceContext.past("Gate.tenant", tenant.from, tenant.to)).pipe(
      Effect.andThen(TraceContext.past("Gate.global", global.from, global.to)),
      TraceContext.continuing(document.trace)
    )
  }

  #readyAt({ id, timings: { acceptedAt, notBefore = acceptedAt } }: Claim["document"], attempt: number) {
    const returned = this.#returned.get(id)
    this.#returned.delete(id)
    if (attempt > 1) return returned
    return Math.max(this.#start, DateTime.toEpochMillis(acceptedAt), DateTime.toEpochMillis(notBefore))
  }
}
