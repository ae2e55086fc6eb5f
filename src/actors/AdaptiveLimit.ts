/** Slower than usual by less than this is no reason to do less: pages differ. */
const tolerance = 1.5
/** What a fall of the limit never goes below in one step, and the rise of one: turns more than the gradient leaves. */
const leastGradient = 0.5
const allowance = 0.5
/** Of a new limit, what is taken over at once. */
const smoothing = 0.2
/** Turns that the averages reach back. */
const shortTerm = 10
const longTerm = 600

/** An exponential average, and the plain one of as many values until there are so many. */
class Average {
  readonly #reach: number
  #count = 0
  #value = 0

  constructor(reach: number) {
    this.#reach = reach
  }

  get value(): number {
    return this.#value
  }

  add(value: number): void {
    this.#count = Math.min(this.#count + 1, this.#reach)
    this.#value += (value - this.#value) / this.#count
  }

  scale(factor: number): void {
    this.#value *= factor
  }
}

/**
 * How much to do at once, found by how long it takes: more while work takes as long as ever, less when it begins to take
 * longer (the gradient of the long-term over the short-term average, as in Netflix's concurrency-limits). It begins with all.
 *
 * It follows changes. What has been slow for hundreds of turns is usual.
 */
export class AdaptiveLimit {
  readonly #least: number
  readonly #most: number
  readonly #short = new Average(shortTerm)
  readonly #long = new Average(longTerm)
  #limit: number

  constructor(bounds: { readonly least: number; readonly most: number }) {
    this.#least = bounds.least
    this.#most = bounds.most
    this.#limit = bounds.most
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** Something has ended: the time it took over the time it usually takes, and how many were under way, itself included. */
  observe(slowness: number, underWay: number): void {
    if (!(slowness > 0 && slowness < Number.POSITIVE_INFINITY)) return
    this.#short.add(slowness)
    this.#long.add(slowness)
    // After a long time of slowness the long-term average would take as long to come down, and let everything through.
    if (this.#long.value > 2 * this.#short.value) this.#long.scale(0.95)
    if (underWay < this.limit) return
    const gradient = Math.max(leastGradient, Math.min(1, (tolerance * this.#long.value) / this.#short.value))
    const next = this.#limit * gradient + allowance
    this.#limit += smoothing * (next - this.#limit)
    this.#limit = Math.max(this.#least, Math.min(this.#most, this.#limit))
  }
}
