import type { PeriodBudget } from "../../services/downstreams/DownstreamSettings.ts"

/** A charge against the period in which it was made. */
export interface Charge {
  readonly period: number
  readonly amount: number
}

/**
 * What may be used in each period, counted from the epoch, so that periods of a day begin at midnight UTC. An estimate is
 * charged when a call begins, and corrected to what it used.
 */
export class Budget {
  readonly limit: number
  readonly #per: number
  #period = Number.NaN
  #used = 0
  #isRead = false

  constructor({ limit, per }: PeriodBudget) {
    this.limit = limit
    this.#per = per
  }

  /** Whether it knows what was used before this process began. */
  get isRead(): boolean {
    return this.#isRead
  }

  /** Adds what was used before in the period that began then. It does not count any more if another has begun meanwhile. */
  read(used: number, beganAt: number, now: number): void {
    this.#turn(now)
    if (this.beganAt(now) === beganAt) this.#used += used
    this.#isRead = true
  }

  /** The moment at which the period began. */
  beganAt(now: number): number {
    return Math.floor(now / this.#per) * this.#per
  }

  resetsAt(now: number): number {
    return this.beganAt(now) + this.#per
  }

  left(now: number): number {
    this.#turn(now)
    return Math.max(0, this.limit - this.#used)
  }

  /** A call that needs more than the whole budget may begin when nothing of it is used yet, or it would never. */
  fits(amount: number, now: number): boolean {
    this.#turn(now)
    return this.#used === 0 || (this.#used < this.limit && this.#used + amount <= this.limit)
  }

  charge(amount: number, now: number): Charge {
    this.#turn(now)
    this.#used += amount
    return { period: this.#period, amount }
  }

  /** What a period before has charged no longer counts. */
  settle({ amount, period }: Charge, used: number): void {
    if (period === this.#period) this.#used = Math.max(0, this.#used + used - amount)
  }

  #turn(now: number): void {
    const period = Math.floor(now / this.#per)
    if (period === this.#period) return
    this.#period = period
    this.#used = 0
  }
}
