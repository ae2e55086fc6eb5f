// What views have in common.

/** Does it now and then again, one at a time, while the tab is looked at. @param {number} millis @param {AbortSignal} signal @param {() => Promise<void>} look */
export const every = (millis, signal, look) => {
  let busy = false
  const again = () => {
    if (busy || document.visibilityState === "hidden") return
    busy = true
    look()
      // The connection's state tells of it, and the next look may succeed.
      .catch(() => {})
      .finally(() => (busy = false))
  }
  const timer = setInterval(again, millis)
  signal.addEventListener("abort", () => clearInterval(timer))
  again()
}
