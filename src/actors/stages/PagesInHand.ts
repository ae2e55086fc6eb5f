import { Deferred, Effect } from "effect"

/** Counts the pages of a document whose stages have begun and not ended. */
export class PagesInHand {
  readonly #most: number
  #count = 0
  #changed = Deferred.makeUnsafe<void>()

  constructor(most: number) {
    this.#most = most
  }

  get count(): number {
    return this.#count
  }

  /** `most` is reached: no more are to be read. One range may go beyond it. */
  get isFull(): boolean {
    return this.#count >= this.#most
  }

  begin(): void {
    this.#count++
  }

  end(): void {
    this.#count--
    const changed = this.#changed
    this.#changed = Deferred.makeUnsafe()
    Deferred.doneUnsafe(changed, Effect.void)
  }

  #until(condition: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() =>
      condition() ? Effect.void : Effect.andThen(Deferred.await(this.#changed), this.#until(condition))
    )
  }

  get room(): Effect.Effect<void> {
    return this.#until(() => !this.isFull)
  }

  get ended(): Effect.Effect<void> {
    return this.#until(() => this.#count === 0)
  }
}
