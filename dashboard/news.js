// What is told to views besides documents: the tenant's queue, and that something may have been missed.

const told = new EventTarget()

export const news = {
  /** @type {import("./types.d.ts").Queue | undefined} */
  queue: undefined,

  /** @param {import("./types.d.ts").Queue | undefined} queue */
  putQueue(queue) {
    this.queue = queue
    told.dispatchEvent(new Event("queue"))
  },

  /** The connection is new: what is shown is to be fetched again. */
  tellFresh: () => told.dispatchEvent(new Event("fresh")),

  /** @param {() => void} listener @param {AbortSignal} signal */
  onQueue: (listener, signal) => told.addEventListener("queue", listener, { signal }),

  /** @param {() => void} listener @param {AbortSignal} signal */
  onFresh: (listener, signal) => told.addEventListener("fresh", listener, { signal })
}
