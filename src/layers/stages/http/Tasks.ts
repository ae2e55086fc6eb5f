/** Tasks that are remembered; the oldest is forgotten first. */
const mostTasks = 10_000

/**
 * The tasks that far sides have taken and whose results are not here yet, so that a run that begins again, or a call that is
 * repeated, asks for the same task and pays for no second one. It is a cache: a process that ends forgets them, and submits again.
 */
export class Tasks {
  readonly #ids = new Map<string, string>()

  find(key: string): string | undefined {
    return this.#ids.get(key)
  }

  taken(key: string, id: string): void {
    this.#ids.delete(key)
    this.#ids.set(key, id)
    const [oldest] = this.#ids.keys()
    if (this.#ids.size > mostTasks && oldest !== undefined) this.#ids.delete(oldest)
  }

  ended(key: string): void {
    this.#ids.delete(key)
  }

  get size(): number {
    return this.#ids.size
  }
}
