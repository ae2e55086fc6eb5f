// The results of pages that became done before this tab looked, for the rows that are looked at.
import { api } from "./api.js"
import { store } from "./store.js"

/** One answer has so many pages at most; the rest of a longer document is shown as done, without saying how. */
const atOnce = 2

/** @type {Map<string, AbortSignal>} */
const wanted = new Map()
let asking = 0

const ask = () => {
  while (asking < atOnce) {
    const next = wanted.entries().next().value
    if (next === undefined) return
    const [id, signal] = next
    wanted.delete(id)
    if (signal.aborted) continue
    asking += 1
    api
      .pages(id, 1, signal)
      .then(({ pages }) => {
        const count = store.documents.get(id)?.progress.pages ?? pages.at(-1)?.number ?? 0
        store.putPages(id, count, pages)
      })
      // The row goes on without them.
      .catch(() => {})
      .finally(() => {
        asking -= 1
        ask()
      })
  }
}

/** Asks for them, each document once, a few at a time. @param {string} id @param {AbortSignal} signal */
export const learnPages = (id, signal) => {
  wanted.set(id, signal)
  ask()
}

/** @type {WeakMap<Element, () => void>} */
const awaited = new WeakMap()
const sight = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue
    sight.unobserve(target)
    awaited.get(target)?.()
  }
})

/** Does it once the element comes into sight. @param {Element} element @param {() => void} then @param {AbortSignal} signal */
export const whenSeen = (element, then, signal) => {
  awaited.set(element, then)
  sight.observe(element)
  signal.addEventListener("abort", () => sight.unobserve(element))
}
