// What is going on: the gates, the uploads, and the documents that are being read.
import { api } from "./api.js"
import { keepPainted, paintSpark } from "./canvas.js"
import { DocumentList } from "./documentRow.js"
import { h, say, Slots } from "./dom.js"
import { news } from "./news.js"
import { store } from "./store.js"
import { uploadPanel } from "./uploadPanel.js"
import { every } from "./views.js"
import { dueAt, duration, ended, millisOf, plural } from "./words.js"

const mostRows = 12

/** @param {string} title @param {string} what */
const makeGate = (title, what) => {
  const used = h("b", null, "–")
  const limit = h("span", { class: "muted" })
  const note = h("p", { class: "note muted" }, what)
  const slots = new Slots()
  return {
    element: h(
      "li",
      { class: "gate" },
      h("h3", null, title),
      h("p", { class: "figure" }, used, limit),
      slots.element,
      note
    ),
    note,
    /** @param {number} now @param {number} most */
    show(now, most) {
      say(used, now)
      say(limit, ` of ${most.toLocaleString("en")}`)
      slots.show(now, most)
    },
    /** @param {string} why */
    hide(why) {
      say(used, "–")
      say(limit, "")
      say(note, why)
    }
  }
}

/** @param {string} title */
const makeFigure = (title) => {
  const value = h("b", null, "–")
  const note = h("span", { class: "muted" })
  return {
    element: h("div", { class: "measure" }, h("h3", null, title), h("p", { class: "figure" }, value), note),
    /** @param {string | number} text @param {string} [more] */
    show(text, more = "") {
      say(value, text)
      say(note, more)
    }
  }
}

/** @type {(sorted: ReadonlyArray<number>, part: number) => number} */
const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

/** @type {import("./types.d.ts").View} */
export const overview = (root, signal) => {
  const waiting = makeGate("Waiting", "documents before the gates")
  const tenant = makeGate("Tenant gate", "documents open, of this tenant")
  const engine = makeGate("Engine gate", "documents open, of all tenants")
  const workers = makeGate("Page workers", "processes reading pages")
  waiting.element.classList.add("pool")
  const gates = h(
    "section",
    { class: "card gates", "aria-labelledby": "gates-title" },
    h("h2", { id: "gates-title", class: "hidden-but-read" }, "Gates"),
    h("ol", null, waiting.element, tenant.element, engine.element, workers.element)
  )

  const rate = makeFigure("Pages per second")
  const spark = h("canvas", { class: "spark", "aria-hidden": "true" })
  rate.element.append(spark)
  keepPainted(spark, () => paintSpark(spark, store.rates()), signal)
  const latency = makeFigure("From upload to end")
  const wait = makeFigure("Wait before a start")
  const total = makeFigure("Read so far")
  const measures = h(
    "section",
    { class: "card measures", "aria-labelledby": "measures-title" },
    h("h2", { id: "measures-title", class: "hidden-but-read" }, "Measures"),
    rate.element,
    latency.element,
    wait.element,
    total.element
  )

  const trouble = h("p", { class: "notice bad", role: "alert", hidden: true })
  const complain = (/** @type {string} */ text) => {
    say(trouble, text)
    trouble.hidden = text === ""
  }
  const list = new DocumentList("Documents being read, and the latest", signal, complain)
  const none = h("p", { class: "nothing muted" }, "Nothing has been read yet. Drop a PDF above.")
  const documents = h(
    "section",
    { class: "card", "aria-labelledby": "documents-title" },
    h("header", null, h("h2", { id: "documents-title" }, "Documents"), h("a", { href: "#/documents" }, "All of them")),
    trouble,
    none,
    list.element
  )
  root.append(
    h("h1", { class: "hidden-but-read" }, "Overview"),
    gates,
    measures,
    h("div", { class: "columns" }, uploadPanel(signal), documents)
  )

  /** @param {Set<string>} [changed] */
  const showDocuments = (changed) => {
    const all = store.newest()
    const running = all.filter(({ status }) => status === "running").slice(0, mostRows)
    const others = all.filter(({ status }) => status !== "running")
    list.show([...running, ...others.slice(0, Math.max(3, mostRows - running.length))], changed)
    none.hidden = all.length > 0
    const times = all
      .filter(({ status }) => status === "completed" || status === "partial")
      .slice(0, 50)
      .map(({ timings }) => (timings.finishedAt === undefined ? 0 : millisOf(timings.finishedAt) - dueAt(timings)))
      .sort((a, b) => a - b)
    if (times.length === 0) latency.show("–", "no document yet")
    else
      latency.show(
        duration(quantile(times, 0.5)),
        `95 % within ${duration(quantile(times, 0.95))}, of the last ${times.length}`
      )
  }
  store.listen(({ documents: changed, all }) => showDocuments(all ? undefined : changed), signal)
  showDocuments()

  const showQueue = () => {
    const queue = news.queue
    if (queue === undefined) return
    say(waiting.element.querySelector("b") ?? waiting.element, queue.queue_size.toLocaleString("en"))
    say(
      waiting.note,
      queue.paused ? "the tenant is paused" : `the most so far: ${queue.max_queue_size.toLocaleString("en")}`
    )
    if (queue.estimated_wait_time === null) wait.show("–", queue.paused ? "the tenant is paused" : "nobody knows")
    else
      wait.show(
        queue.estimated_wait_time === 0 ? "none" : duration(queue.estimated_wait_time * 1000),
        "estimated, for an upload now"
      )
    total.show(queue.total_processed.toLocaleString("en"), `${plural(queue.total_failed, "document")} failed`)
  }
  news.onQueue(showQueue, signal)
  showQueue()

  let engineSeen = true
  let workersSeen = true
  every(2_000, signal, async () => {
    const own = await api.tenant(signal)
    tenant.show(own.running, own.limits.documents)
    if (engineSeen) {
      await api.queue("all").then(
        (all) => engine.show(all.processing, all.max_concurrent),
        () => {
          engineSeen = false
          engine.hide("seen with the administrator's key")
        }
      )
    }
    if (workersSeen) {
      await api.workers(signal).then(
        (all) => workers.show(all.workers.filter(({ busy }) => busy).length, all.capacity),
        () => {
          workersSeen = false
          workers.hide("seen with the administrator's key")
        }
      )
    }
  })
  every(1_000, signal, async () => {
    const rates = store.rates()
    const latest = rates.slice(-5)
    const perSecond = latest.reduce((sum, each) => sum + each, 0) / latest.length
    rate.show(
      perSecond >= 10 || perSecond === 0 ? Math.round(perSecond) : perSecond.toFixed(1),
      `this tenant, at most ${Math.max(...rates)} in the last 2 minutes`
    )
    paintSpark(spark, rates)
    const running = store.newest().filter(({ status }) => !ended.has(status)).length
    document.title = running === 0 ? "Sluice" : `(${running}) Sluice`
  })
}
