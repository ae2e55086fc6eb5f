import { DateTime, Duration, Effect, Metric } from "effect"
import type { DocumentId } from "../../domain/Ids.ts"
import type { Claim } from "../../services/store/Claim.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import * as TraceContext from "../../observability/TraceContext.ts"
import type { GlobalPermit } from "./Preemption.ts"

interface Period {
  readonly from: number
  readonly to: number
}

/**
 * Attributes the time that one tenant's documents waited before their claim to gates. Slots request permits, and a slot learns
 * only at the end which document it took them for. So this records when each gate held the tenant's work back, and counts for a
 * document the part of these times in which it could have been claimed:
 *
 * - At the tenant's gate it waited while that gate was full: slots had all its permits.
 * - At the global gate it waited from then on until the permit was given. Slots request one after another, so the later slots
 *   wait there together with the first.
 *
 * A pause, or a time without a runner for the tenant, counts for neither gate. All moments are milliseconds since the epoch.
 */
export class QueueTimeAccounting {
  readonly #start: number
  /** Slots with a permit. A slot that gives its permit back and takes it again at once stays in the set. */
  readonly #seats = new Set<object>()
  #limit: number
  /** The last period in which the tenant's gate was full. While the gate is full, the period has no end. */
  #full: Period | undefined
  /** Since when a slot waits at the global gate, or is about to. A query that finds nothing to claim resets it. */
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

  /** All permits of the tenant's gate are in use. */
  get isFull(): boolean {
    return this.#seats.size >= this.#limit
  }

  #weigh(now: number): void {
    const wasFull = this.#full?.to === Number.POSITIVE_INFINITY
    const isFull = this.isFull
    if (isFull && !wasFull) this.#full = { from: now, to: Number.POSITIVE_INFINITY }
    if (!isFull && wasFull && this.#full !== undefined) this.#full = { ...this.#full, to: now }
  }

  /** A query found nothing to claim: no document waits at a gate. */
  foundNothing(): void {
    this.#asking = undefined
    this.#returned.clear()
  }

  /** The document was preempted and waits again. */
  preempted(id: DocumentId, now: number): void {
    this.#returned.set(id, now)
  }

  /** Records the waits of a claimed document in metrics and in its trace. `taken`: when the tenant's permit was taken. */
  claimed({ document, fence }: Claim, { askedAt, givenAt }: GlobalPermit, taken: number): Effect.Effect<void> {
    this.#asking = Math.min(this.#asking ?? askedAt, askedAt)
    const ready = this.#readyAt(document, fence.attempt)
    // A further attempt, for example after a lost runner: it is not known here when the document was queued again.
    if (ready === undefined) return Effect.void
    const tenant = { from: Math.max(ready, this.#full?.from ?? taken), to: Math.min(taken, this.#full?.to ?? taken) }
    const waited = Math.max(0, tenant.to - tenant.from)
    const global = { from: Math.max(ready, waited > 0 ? tenant.to : 0, this.#asking), to: givenAt }
    const recorded = Metric.update(Telemetry.gateWait.of("tenant"), Duration.millis(waited))
    if (document.trace === undefined) return recorded
    return Effect.andThen(recorded, TraceContext.past("Gate.tenant", tenant.from, tenant.to)).pipe(
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
