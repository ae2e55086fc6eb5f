// The processes that read pages.
import { api, Problem } from "./api.js"
import { keepPainted, paintSpark } from "./canvas.js"
import { h, say } from "./dom.js"
import { every } from "./views.js"
import { bytes, plural, sentences } from "./words.js"

const lookMillis = 1_000
const remembered = 120

/** @param {number} pid @param {AbortSignal} signal */
const makeCard = (pid, signal) => {
  const state = h("span", { class: "pill" })
  const memory = h("b", null)
  const pages = h("p", { class: "muted" })
  const spark = h("canvas", { class: "spark", "aria-hidden": "true" })
  /** @type {Array<number>} */
  const history = []
  keepPainted(spark, () => paintSpark(spark, history), signal)
  return {
    element: h(
      "li",
      { class: "card worker" },
      h("header", null, h("h2", null, `Process ${pid}`), state),
      h("p", { class: "figure" }, memory),
      spark,
      pages
    ),
    /** @param {import("./types.d.ts").Workers["workers"][number]} worker */
    show({ busy, pagesRead, rssBytes }) {
      say(state, busy ? "busy" : "idle")
      state.className = `pill ${busy ? "running" : "queued"}`
      say(memory, bytes(rssBytes))
      say(pages, `memory · ${plural(pagesRead, "page")} read`)
      history.push(rssBytes)
      if (history.length > remembered) history.shift()
      paintSpark(spark, history)
    }
  }
}

/** The processes of a cluster, each with what it has. @param {AbortSignal} signal */
const makeRunners = (signal) => {
  const list = h("ul", { class: "cards" })
  const section = h("section", { hidden: "" }, h("h2", null, "Runners"), list)
  const look = async () => {
    const { runners } = await api.runners(signal)
    section.hidden = runners.length < 2
    list.replaceChildren(
      ...runners.map(({ capacity, documents, name, permits, role, shards = 0, tenants }) =>
        h(
          "li",
          { class: "card" },
          h("header", null, h("h3", null, name), h("span", { class: "pill" }, role)),
          h("p", { class: "figure" }, h("b", null, `${documents} of ${permits}`), " documents"),
          h(
            "p",
            { class: "muted" },
            `${plural(shards, "shard")} · ${plural(tenants, "tenant")} · ${capacity} pages at once`
          )
        )
      )
    )
  }
  return { section, look }
}

/** @type {import("./types.d.ts").View} */
export const workersView = (root, signal) => {
  const summary = h("p", { class: "muted", role: "status" })
  const list = h("ul", { class: "cards" })
  const runners = makeRunners(signal)
  root.append(h("h1", null, "Workers"), summary, list, runners.section)
  /** @type {Map<number, { card: ReturnType<typeof makeCard>, controller: AbortController }>} */
  const cards = new Map()
  every(lookMillis, signal, async () => {
    try {
      const { capacity, ready, replaced, workers } = await api.workers(signal)
      await runners.look()
      const alive = new Set(workers.map(({ pid }) => pid))
      for (const [pid, { card, controller }] of cards) {
        if (alive.has(pid)) continue
        controller.abort()
        card.element.remove()
        cards.delete(pid)
      }
      for (const worker of workers) {
        let known = cards.get(worker.pid)
        if (known === undefined) {
          const controller = new AbortController()
          known = { card: makeCard(worker.pid, AbortSignal.any([controller.signal, signal])), controller }
          cards.set(worker.pid, known)
          list.append(known.card.element)
        }
        known.card.show(worker)
      }
      say(
        summary,
        `${capacity} read at once, ${ready} of them ready. ${plural(replaced, "process was", "processes were")} replaced since the start.`
      )
    } catch (problem) {
      if (problem instanceof Problem)
        say(
          summary,
          problem.status === 403
            ? "Workers are everybody's: it takes the administrator's key to see them."
            : sentences(problem.message, problem.advice)
        )
    }
  })
}
