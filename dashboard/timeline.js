// How a document's time was spent: a bar for each part of its life, and the worker time of each page.
import { keepPainted, paintBars } from "./canvas.js"
import { h, say } from "./dom.js"
import { duration, ended, millisOf, moment, plural, sentences } from "./words.js"

/** @typedef {import("./types.d.ts").Document} Document */
/** @typedef {{ name: string, from: number, to: number, kind: string, open: boolean, moments?: ReadonlyArray<number> }} Part */

/** @param {string} retriedAt @param {Document["status"]} status @param {number} end @param {{ moments: Array<number> } | undefined} seen @returns {Array<Part>} */
const partsOfRetry = (retriedAt, status, end, seen) => {
  const from = Math.min(end, millisOf(retriedAt))
  const moments = (seen?.moments ?? []).filter((at) => at >= from && at <= end + 1_000)
  const waits = status === "queued" || status === "scheduled"
  return [
    {
      name: waits ? "Queued" : "Read again",
      from,
      to: end,
      kind: waits ? "queued" : "reading",
      open: !ended.has(status),
      ...(moments.length === 0 ? {} : { moments })
    }
  ]
}

/** @param {Document} document @param {{ opened?: number, moments: Array<number> } | undefined} seen @param {number} now @returns {Array<Part>} */
const partsOf = ({ progress, status, timings }, seen, now) => {
  const over = ended.has(status)
  const accepted = millisOf(timings.acceptedAt)
  const end = timings.finishedAt === undefined ? Math.max(now, accepted) : millisOf(timings.finishedAt)
  const due =
    timings.notBefore === undefined ? accepted : Math.min(end, Math.max(accepted, millisOf(timings.notBefore)))
  const started = timings.startedAt === undefined ? undefined : millisOf(timings.startedAt)
  // Of the life before that nothing is kept but its beginning.
  if (timings.retriedAt !== undefined) return partsOfRetry(timings.retriedAt, status, end, seen)
  /** @type {Array<Part>} */
  const parts = []
  if (due > accepted)
    parts.push({ name: "Scheduled", from: accepted, to: due, kind: "scheduled", open: status === "scheduled" })
  parts.push({
    name: "Queued",
    from: due,
    to: Math.max(due, started ?? end),
    kind: "queued",
    open: started === undefined && !over
  })
  if (started === undefined) return parts
  const opened = seen?.opened
  if (opened !== undefined && opened > started && opened < end) {
    parts.push({ name: "Opened", from: started, to: opened, kind: "opening", open: false })
  }
  const moments = (seen?.moments ?? []).filter((at) => at >= started && at <= end + 1_000)
  const from = parts.at(-1)?.kind === "opening" ? (opened ?? started) : started
  parts.push({
    name: progress.pages === undefined ? "Opening" : "Pages",
    from,
    to: end,
    kind: "reading",
    open: !over,
    ...(moments.length === 0 ? {} : { moments })
  })
  if (timings.nextAttemptAt !== undefined && !over) {
    parts.push({
      name: "Tried again",
      from: end,
      to: Math.max(end, millisOf(timings.nextAttemptAt)),
      kind: "retry",
      open: true
    })
  }
  return parts
}

/** @param {(page: number) => void} onSelect @param {AbortSignal} signal */
export const makeTimeline = (onSelect, signal) => {
  const parts = h("dl", { class: "waterfall" })
  const notes = h("p", { class: "muted" })
  const bars = h("canvas", { class: "bars", "aria-hidden": "true" })
  const slowest = h("p", { class: "slowest" })
  const times = h("div", { hidden: true }, h("h3", null, "Worker time of the pages"), bars, slowest)
  /** @type {Float32Array} */
  let values = new Float32Array(0)
  /** @type {Uint8Array} */
  let codes = new Uint8Array(0)
  keepPainted(bars, () => paintBars(bars, values, codes), signal)
  let shape = ""

  return {
    element: h(
      "section",
      { class: "card", "aria-labelledby": "times-title" },
      h("h2", { id: "times-title" }, "Time"),
      parts,
      notes,
      times
    ),

    /** @param {Document} document @param {{ opened?: number, moments: Array<number> } | undefined} seen */
    show(document, seen) {
      const now = Date.now()
      const found = partsOf(document, seen, now)
      const start = found[0]?.from ?? now
      const whole = Math.max(1, ...found.map(({ to }) => to - start))
      const next = found.map(({ name }) => name).join()
      if (next !== shape) {
        shape = next
        parts.replaceChildren(
          ...found.map(({ kind, name }) =>
            h(
              "div",
              null,
              h("dt", null, name),
              h("dd", null, h("span", { class: `track ${kind}` }, h("i", null)), h("b", null))
            )
          )
        )
      }
      found.forEach(({ from, moments, open, to }, index) => {
        const row = parts.children[index]
        const bar = row?.querySelector("i")
        const text = row?.querySelector("b")
        if (!(bar instanceof HTMLElement) || text === null || text === undefined) return
        bar.style.marginInlineStart = `${((from - start) / whole) * 100}%`
        bar.style.width = `${Math.max(0.4, ((to - from) / whole) * 100)}%`
        bar.classList.toggle("open", open)
        say(text, `${duration(to - from)}${open ? " so far" : ""}`)
        if (moments === undefined || to <= from) return
        // How many pages became done when, as far as this tab has seen.
        const counts = new Uint32Array(48)
        for (const at of moments) {
          const slot = Math.min(47, Math.max(0, Math.floor(((at - from) / (to - from)) * 48)))
          counts[slot] = (counts[slot] ?? 0) + 1
        }
        const most = Math.max(...counts)
        if (bar.childElementCount !== 48) bar.replaceChildren(...Array.from(counts, () => h("span", null)))
        counts.forEach((count, slot) => {
          const tick = bar.children[slot]
          if (tick instanceof HTMLElement) tick.style.height = `${(count / most) * 100}%`
        })
      })
      const { attempt, interruptions, retries, timings } = document
      const said = [
        `Accepted ${moment(timings.acceptedAt)}`,
        ...(timings.startedAt === undefined ? [] : [`started ${moment(timings.startedAt)}`]),
        ...(timings.retriedAt === undefined ? [] : [`asked for again ${moment(timings.retriedAt)}`]),
        ...(timings.finishedAt === undefined ? [] : [`ended ${moment(timings.finishedAt)}`]),
        plural(attempt, "run"),
        ...(interruptions > 0 ? [`${plural(interruptions, "interruption")} through no fault of its own`] : []),
        ...(retries > 0 ? [`read again ${plural(retries, "time")}`] : [])
      ]
      say(notes, sentences(said.join(", ")))
    },

    /** @param {Float32Array} millis by page, from 0 @param {Uint8Array} states */
    showPages(millis, states) {
      values = millis
      codes = states
      const ranked = [...millis.keys()]
        .filter((index) => (millis[index] ?? 0) > 0)
        .sort((a, b) => (millis[b] ?? 0) - (millis[a] ?? 0))
      times.hidden = ranked.length === 0
      const sum = ranked.reduce((total, index) => total + (millis[index] ?? 0), 0)
      slowest.replaceChildren(
        `${duration(sum)} in all. Slowest: `,
        ...ranked
          .slice(0, 3)
          .flatMap((index) => [
            h(
              "button",
              { type: "button", class: "quiet small", onclick: () => onSelect(index + 1) },
              `page ${index + 1}, ${duration(millis[index] ?? 0)}`
            ),
            " "
          ])
      )
      paintBars(bars, values, codes)
    }
  }
}
