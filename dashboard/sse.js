// Server-sent events over fetch, since EventSource cannot send headers: a key must not stand in an address.

/**
 * @typedef {object} ServerEvent
 * @property {string} type
 * @property {string} data
 */

/** Puts lines together to events, wherever the chunks were cut. */
export class EventParser {
  #rest = ""
  #type = ""
  /** @type {Array<string>} */
  #data = []
  lastEventId = ""
  /** What the server wishes to be waited before the next connection. @type {number | undefined} */
  retryMillis

  /** @param {string} text @returns {Array<ServerEvent>} */
  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ""
    /** @type {Array<ServerEvent>} */
    const events = []
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length > 0) events.push({ type: this.#type || "message", data: this.#data.join("\n") })
        this.#type = ""
        this.#data = []
      } else {
        this.#field(line)
      }
    }
    return events
  }

  /** @param {string} line */
  #field(line) {
    const colon = line.indexOf(":")
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "")
    if (name === "event") this.#type = value
    else if (name === "data") this.#data.push(value)
    else if (name === "id" && !value.includes("\0")) this.lastEventId = value
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMillis = Number(value)
  }
}

/** A connection without a byte for so long is taken for dead; the server sends comments more often. */
const silenceMillis = 60_000
const firstPauseMillis = 500
const longestPauseMillis = 15_000

/** @type {(millis: number, signal: AbortSignal) => Promise<void>} */
const pause = (millis, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, millis)
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true }
    )
  })

/**
 * Reads events until the signal, over as many connections as that takes: with pauses that grow, going on behind the last
 * event seen. A refusal (4xx) ends it, as asking again would not help.
 *
 * @param {object} options
 * @param {string} options.url
 * @param {() => Record<string, string>} options.headers
 * @param {AbortSignal} options.signal
 * @param {(event: ServerEvent) => void} options.onEvent
 * @param {() => void} options.onOpen every time a connection is there
 * @param {() => void} options.onLoss
 * @returns {Promise<{ status: number, text: string } | undefined>} the refusal
 */
export const readEvents = async ({ headers, onEvent, onLoss, onOpen, signal, url }) => {
  let failures = 0
  let lastEventId = ""
  /** @type {number | undefined} */
  let wished
  while (!signal.aborted) {
    const attempt = new AbortController()
    const stop = () => attempt.abort()
    signal.addEventListener("abort", stop, { once: true })
    let watchdog = setTimeout(stop, silenceMillis)
    try {
      const response = await fetch(url, {
        headers: {
          accept: "text/event-stream",
          ...headers(),
          ...(lastEventId === "" ? {} : { "last-event-id": lastEventId })
        },
        cache: "no-store",
        signal: attempt.signal
      })
      if (response.status >= 400 && response.status < 500 && response.status !== 429) {
        return { status: response.status, text: await response.text() }
      }
      if (!response.ok || response.body === null) throw new Error(`status ${response.status}`)
      onOpen()
      failures = 0
      const parser = new EventParser()
      parser.lastEventId = lastEventId
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        clearTimeout(watchdog)
        watchdog = setTimeout(stop, silenceMillis)
        for (const event of parser.push(value)) onEvent(event)
        lastEventId = parser.lastEventId
        wished = parser.retryMillis ?? wished
      }
    } catch {
      // Whatever broke the connection, the next one shows what is true.
    } finally {
      clearTimeout(watchdog)
      signal.removeEventListener("abort", stop)
      attempt.abort()
    }
    if (signal.aborted) return undefined
    onLoss()
    const growing = Math.min(longestPauseMillis, (wished ?? firstPauseMillis) * 2 ** Math.min(failures, 6))
    failures += 1
    await pause(growing * (0.5 + Math.random() / 2), signal)
  }
  return undefined
}
