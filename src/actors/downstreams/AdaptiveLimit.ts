import type { Concurrency } from "../../services/downstreams/DownstreamSettings.ts"

/** Calls that must succeed at a known ceiling before one more is tried, for the first time and at most. */
const firstPatience = 100
const mostPatience = 1_600
/** What is left of the limit when the far side refuses what it took before. */
const decrease = 0.7

/**
 * How many calls may be under way at once, following the far side's refusals: additive increase, multiplicative decrease, and
 * two things that keep refusals rare.
 *
 * It begins low and doubles with each round of successes up to `initial`, so a high `initial` does not begin with a burst.
 *
 * A call that was refused as the n-th under way, when so many had never succeeded, says that there is room for n - 1: the limit
 * becomes that, a ceiling. One more is tried only after many successes there, and after twice as many each time it is refused.
 * A refusal of what succeeded before says that the room has become smaller, and the limit falls by a factor, once per round trip.
 */
export class AdaptiveLimit {
  readonly #min: number
  readonly #max: number
  readonly #initial: number
  #limit: number
  /** The most calls under way of which one succeeded, since the limit last fell by the factor. */
  #proven = 0
  #ceiling = Number.POSITIVE_INFINITY
  #patience = firstPatience
  #atCeiling = 0
  #isRamp = true
  #fellAt = Number.NEGATIVE_INFINITY

  constructor(concurrency: Concurrency) {
    const { initial, max, min } =
      typeof concurrency === "number" ? { initial: concurrency, max: concurrency, min: concurrency } : concurrency
    this.#min = min
    this.#max = max
    this.#initial = initial
    this.#limit = min
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  get bounds(): { readonly min: number; readonly max: number } {
    return { min: this.#min, max: this.#max }
  }

  /** A call succeeded. `place`: how many were under way when it was sent, itself included; `inUse`: how many are now. */
  succeeded(place: number, inUse: number): void {
    this.#proven = Math.max(this.#proven, place)
    // It rises only while it is used.
    if (inUse < this.limit || this.#limit >= this.#max) return
    if (this.#isRamp && this.#limit < this.#initial) return this.#rise(1)
    if (this.#limit + 1 <= this.#ceiling) return this.#rise(1 / this.#limit)
    this.#atCeiling++
    if (this.#atCeiling < this.#patience) return
    this.#atCeiling = 0
    this.#ceiling = this.limit + 1
    this.#limit = Math.min(this.#max, this.#ceiling)
  }

  /**
   * A call was refused. Answers whether that is because too many were under way at once; otherwise other calls would be refused,
   * too. `sentAt` and `now` in milliseconds.
   */
  refused(place: number, sentAt: number, now: number): "too many" | "all" {
    this.#isRamp = false
    this.#atCeiling = 0
    if (place > this.#proven && place > 1) {
      const room = place - 1
      if (room < this.#limit) {
        // The second time in a row that the same ceiling is found, it is believed for longer.
        this.#patience =
          this.#ceiling >= room && this.#ceiling <= room + 1
            ? Math.min(mostPatience, this.#patience * 2)
            : firstPatience
        this.#limit = Math.max(this.#min, room)
        this.#ceiling = this.#limit
      }
      return "too many"
    }
    if (sentAt >= this.#fellAt) {
      this.#fellAt = now
      this.#limit = Math.max(this.#min, this.#limit * decrease)
      this.#proven = Math.min(this.#proven, this.limit)
      this.#ceiling = Number.POSITIVE_INFINITY
    }
    return "all"
  }

  #rise(by: number): void {
    this.#limit = Math.min(this.#max, this.#limit + by)
  }
}
