/** What the operations of one transaction do together, instead of each by itself. */
export class TransactionWork {
  readonly #last = new Map<object, () => void>()

  /**
   * Calls `first` if this is the first call with this owner in the transaction at hand. What it answers with is called before
   * the commit; not if the transaction is undone.
   */
  once(owner: object, first: () => () => void): void {
    if (!this.#last.has(owner)) this.#last.set(owner, first())
  }

  /** A transaction begins. The one before may have been undone. */
  begin(): void {
    this.#last.clear()
  }

  /** The transaction is about to be committed. */
  end(): void {
    for (const last of this.#last.values()) last()
    this.#last.clear()
  }
}
