import { createHash } from "node:crypto"

/** A rule of the engine that was broken. */
export interface Violation {
  readonly invariant: string
  readonly detail: string
  readonly at: number
}

const tailLength = 60

/** Everything that happens in one simulated world, in order: a digest of all of it, and its last lines. */
export class History {
  readonly #hash = createHash("sha256")
  readonly #tail: Array<string> = []
  readonly #verbose: ((line: string) => void) | undefined
  readonly #now: () => number
  violation: Violation | undefined
  lines = 0

  constructor(now: () => number, verbose: ((line: string) => void) | undefined) {
    this.#now = now
    this.#verbose = verbose
  }

  note(what: string): void {
    const line = `${(this.#now() / 1000).toFixed(3).padStart(10)} s  ${what}`
    this.lines++
    this.#hash.update(line)
    this.#tail.push(line)
    if (this.#tail.length > 2 * tailLength) this.#tail.splice(0, tailLength)
    this.#verbose?.(line)
  }

  /** The first violation is kept: what follows from it says nothing new. */
  violate(invariant: string, detail: string): void {
    this.note(`VIOLATED: ${invariant} (${detail})`)
    this.violation ??= { invariant, detail, at: this.#now() }
  }

  get tail(): ReadonlyArray<string> {
    return this.#tail.slice(-tailLength)
  }

  digest(): string {
    return this.#hash.copy().digest("hex").slice(0, 16)
  }
}
