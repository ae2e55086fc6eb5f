// Tells screen readers what has changed, and not more often than can be listened to.
import { byId } from "./dom.js"

const pauseMillis = 1_500
const mostWaiting = 3

/** @type {Array<string>} */
let waiting = []
let more = 0
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer

const speak = () => {
  timer = undefined
  if (waiting.length === 0) return
  const rest = more === 0 ? "" : ` And ${more} more.`
  byId("announcer", HTMLElement).textContent = waiting.join(" ") + rest
  waiting = []
  more = 0
  timer = setTimeout(speak, pauseMillis)
}

/** @type {(text: string) => void} */
export const announce = (text) => {
  if (waiting.length < mostWaiting) waiting.push(text)
  else more += 1
  timer ??= setTimeout(speak, 150)
}
