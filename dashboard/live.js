// The one live connection of this tab. A browser has six per server, so a tab that is not looked at gives its own back.
import { problemOf, noticeProblem, urlOf } from "./api.js"
import { byId, say } from "./dom.js"
import { identityHeaders } from "./identity.js"
import { readEvents } from "./sse.js"

/** @typedef {"connecting" | "live" | "offline" | "paused" | "refused"} State */

const hiddenMillis = 30_000

/** @type {Record<State, string>} */
const words = {
  connecting: "connecting",
  live: "live",
  offline: "not connected",
  paused: "paused",
  refused: "no access"
}

/**
 * @param {object} handlers
 * @param {(type: string, data: unknown) => void} handlers.onEvent
 * @param {() => void} handlers.onFresh what is shown may have missed something, and is to be fetched again
 */
export const startLive = ({ onEvent, onFresh }) => {
  const badge = byId("connection", HTMLElement)
  /** @type {AbortController | undefined} */
  let current

  /** @param {State} state */
  const show = (state) => {
    badge.dataset["state"] = state
    const text = badge.querySelector("span")
    if (text !== null) say(text, words[state])
  }

  const stop = () => {
    current?.abort()
    current = undefined
  }

  const start = async () => {
    stop()
    const controller = new AbortController()
    current = controller
    const { signal } = controller
    show("connecting")
    const refusal = await readEvents({
      url: urlOf("v1/events"),
      headers: identityHeaders,
      signal,
      onOpen: () => {
        show("live")
        onFresh()
      },
      onLoss: () => show("offline"),
      onEvent: ({ data, type }) => onEvent(type, JSON.parse(data))
    })
    if (refusal === undefined || signal.aborted) return
    show("refused")
    noticeProblem(problemOf(refusal.status, refusal.text))
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let leaving
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving)
    if (document.visibilityState === "hidden") {
      leaving = setTimeout(() => {
        stop()
        show("paused")
      }, hiddenMillis)
    } else if (current === undefined) {
      void start()
    }
  })
  return { restart: () => void start() }
}
