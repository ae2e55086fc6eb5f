type Listener = (event: { readonly data: unknown }) => void

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

// A chunk of a page's text. pdf.js is done with the pieces once it has sent them, but uses the object around them again.
const withChunk = (message: unknown): object | undefined => {
  if (!isObject(message) || !("chunk" in message) || !isObject(message.chunk)) return undefined
  const { chunk } = message
  return "items" in chunk && Array.isArray(chunk.items) ? { ...message, chunk: { ...chunk } } : undefined
}

/** Objects of a message lie within each other to this depth at most. */
const deepest = 3

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** A clone of a plain object that has only simple values and such objects; undefined of anything else. */
const simpleClone = (message: unknown, depth = 0): object | undefined => {
  if (!isObject(message) || depth > deepest || !isPlain(message)) return undefined
  const clone: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(message)) {
    if (typeof value === "function" || typeof value === "symbol" || key === "__proto__") return undefined
    if (isObject(value)) {
      const own = simpleClone(value, depth + 1)
      if (own === undefined) return undefined
      clone[key] = own
    } else {
      clone[key] = value
    }
  }
  return clone
}

const copyOf = (message: unknown, transfer: ReadonlyArray<ArrayBuffer>): unknown =>
  withChunk(message) ??
  (transfer.length === 0 ? simpleClone(message) : undefined) ??
  structuredClone(message, { transfer: [...transfer] })

/**
 * Joins the two halves of pdf.js in one thread, as its own port of this name does: both receive each message, a microtask after
 * it was sent. Messages are clones, except text, which is handed over: cloning it takes a tenth of the time of reading a page. Most other
 * messages are small, and quicker to copy than for the engine to clone.
 */
export class LoopbackPort {
  readonly #listeners = new Set<Listener>()
  readonly #delivered = Promise.resolve()

  postMessage(message: unknown, transfer: ReadonlyArray<ArrayBuffer> | null = []): void {
    const event = { data: copyOf(message, transfer ?? []) }
    void this.#delivered.then(() => {
      for (const listener of this.#listeners) listener.call(this, event)
    })
  }

  addEventListener(_name: "message", listener: Listener, { signal }: { readonly signal: AbortSignal }): void {
    this.#listeners.add(listener)
    signal.addEventListener("abort", () => this.#listeners.delete(listener))
  }
}
