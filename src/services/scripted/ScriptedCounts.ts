/** Counts by a key. */
class Tally {
  readonly #counts = new Map<string, number>()

  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  /** Increments the count and returns the count before. */
  add(key: string): number {
    const before = this.of(key)
    this.#counts.set(key, before + 1)
    return before
  }
}

/** What a scripted engine has done, over all layers made from it. */
export class ScriptedCounts {
  readonly openings = new Tally()
  readonly #readings = new Tally()
  readonly closed = new Set<string>()
  #working = 0
  #peak = 0
  #deaths = 0
  #pagesRead = 0

  /** A call begins. */
  begin(): void {
    this.#working++
    this.#peak = Math.max(this.#peak, this.#working)
  }

  end(): void {
    this.#working--
  }

  died(): void {
    this.#deaths++
  }

  /** Reading a page begins. Returns how often it has begun before. */
  beginPage(key: string, page: number): number {
    return this.#readings.add(`${page} ${key}`)
  }

  endPage(): void {
    this.#pagesRead++
  }

  timesRead(key: string, page: number): number {
    return this.#readings.of(`${page} ${key}`)
  }

  get working(): number {
    return this.#working
  }

  get peak(): number {
    return this.#peak
  }

  get deaths(): number {
    return this.#deaths
  }

  get pagesRead(): number {
    return this.#pagesRead
  }
}
