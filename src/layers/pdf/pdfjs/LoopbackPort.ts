type Listener = (event: { readonly data: unknown }) => void

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

// A chunk of a page's text. pdf.js is done with the pieces once it has sent them, but uses the object around them again.
const withChunk = (message: unknown): object | undefined => {
  if (!isObject(message) || !("chunk" in message) || !isObject(message.chunk)) return undefined
  const { chunk } = message
  return "items" in chunk && Array.isArray(chunk.items) ? { ...message, chunk: { ...chunk } } : undefined
}

/**
 * Joins the two halves of pdf.js in one thread, as its own port of this name does: both receive each message, a microtask after
 * it was sent. Messages are clones, except text, which is handed over: cloning it takes a tenth of the time of reading a page.
 */
export class LoopbackPort {
  readonly #listeners = new Set<Listener>()
  readonly #delivered = Promise.resolve()

  postMessage(message: unknown, transfer?: ReadonlyArray<ArrayBuffer>): void {
    const event = { data: withChunk(message) ?? structuredClone(message, { transfer: [...(transfer ?? [])] }) }
    void this.#delivered.then(() => {
      for (const listener of this.#listeners) listener.call(this, event)
    })
  }

  addEventListener(_name: "message", listener: Listener, { signal }: { readonly signal: AbortSignal }): void {
    this.#listeners.add(listener)
    signal.addEventListener("abort", () => this.#listeners.delete(listener))
  }
}
