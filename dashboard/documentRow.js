// One document in a list, changed in place: a list that is rebuilt loses the focus, and the place of whoever reads it.
import { api } from "./api.js"
import { announce } from "./announce.js"
import { keepPainted, paintStrip } from "./canvas.js"
import { h, pill, say } from "./dom.js"
import { learnPages, whenSeen } from "./pageResults.js"
import { store } from "./store.js"
import { bytes, dueAt, duration, ended, explainProgress, fullMoment, millisOf, moment, sentences } from "./words.js"

/** @typedef {import("./types.d.ts").Document} Document */

/** @param {Document} document */
const timeOf = ({ status, timings }) => {
  const { finishedAt, retriedAt, startedAt } = timings
  const due = dueAt(timings)
  // What was not to start yet may have ended all the same: it was cancelled.
  if (finishedAt !== undefined) {
    const took = millisOf(finishedAt) - due
    return took < 0 ? moment(finishedAt) : `${moment(finishedAt)}, after ${duration(took)}`
  }
  if (status === "running" && startedAt !== undefined)
    return `reading for ${duration(Date.now() - Math.max(due, retriedAt === undefined ? millisOf(startedAt) : due))}`
  if (due > Date.now()) return `starts ${moment(new Date(due).toISOString())} or later`
  return `waiting for ${duration(Date.now() - due)}`
}

class DocumentRow {
  #document
  #link
  #status
  #pages
  #time
  #strip
  #cancel

  /** @param {Document} document @param {AbortSignal} signal @param {(text: string) => void} onProblem */
  constructor(document, signal, onProblem) {
    this.#document = document
    this.#link = h("a", { class: "name", href: `#/documents/${document.id}` })
    this.#status = h("span", { class: "status" })
    this.#pages = h("span", { class: "muted" })
    this.#time = h("span", { class: "muted time" })
    this.#strip = h("canvas", { class: "strip", "aria-hidden": "true" })
    this.#cancel = h("button", { type: "button", class: "quiet small" }, "Cancel")
    this.#cancel.addEventListener("click", () => {
      this.#cancel.disabled = true
      api
        .cancel(this.#document.id)
        .then((now) => {
          if (now !== undefined) store.put(now)
          announce(`${this.#document.name} is ${now?.status ?? "removed"}.`)
        })
        .catch((problem) => onProblem(sentences(problem.message, problem.advice)))
        .finally(() => (this.#cancel.disabled = false))
    })
    this.element = h(
      "li",
      { class: "row", "data-id": document.id },
      h("div", { class: "row-head" }, this.#link, this.#status),
      this.#strip,
      h("div", { class: "row-foot" }, this.#pages, this.#time, this.#cancel)
    )
    keepPainted(this.#strip, () => this.#paint(), signal)
    whenSeen(this.element, () => this.#learn(signal), signal)
    this.show(document)
  }

  /** @param {Document} document */
  show(document) {
    this.#document = document
    const { error, name, progress, size, status, warnings = [] } = document
    say(this.#link, name)
    if (this.#status.textContent !== status) this.#status.replaceChildren(pill(status))
    const why = error === undefined || status === "cancelled" ? "" : ` · ${error.code}`
    const warned = warnings.map(({ code }) => ` · ${code}`).join("")
    say(this.#pages, `${explainProgress(progress)}${why}${warned} · ${bytes(size)}`)
    say(this.#time, timeOf(document))
    const { acceptedAt, finishedAt } = document.timings
    this.#time.title = `accepted ${fullMoment(acceptedAt)}${finishedAt === undefined ? "" : `, ended ${fullMoment(finishedAt)}`}`
    this.#cancel.hidden = ended.has(status)
    this.#cancel.setAttribute("aria-label", `Cancel ${name}`)
    this.#paint()
  }

  /** Which pages have text and which are scanned is not in the list. */
  #learn(/** @type {AbortSignal} */ signal) {
    const { id, progress, status } = this.#document
    const known = store.pages(id)
    const seen = known === undefined ? 0 : known.filter((code) => code > 0).length
    if (!ended.has(status) || progress.done === 0 || seen >= progress.done) return
    learnPages(id, signal)
  }

  #paint() {
    paintStrip(this.#strip, store.pages(this.#document.id), this.#document.progress)
  }
}

/** Shows these documents, in this order. */
export class DocumentList {
  /** @type {Map<string, { row: DocumentRow, controller: AbortController }>} */
  #rows = new Map()
  #signal
  #onProblem

  /** @param {string} label @param {AbortSignal} signal @param {(text: string) => void} onProblem */
  constructor(label, signal, onProblem) {
    this.#signal = signal
    this.#onProblem = onProblem
    this.element = h("ul", { class: "rows", "aria-label": label })
    let day = new Date().toDateString()
    const clock = setInterval(() => {
      // At midnight what was a time of today becomes one with a date.
      const today = new Date().toDateString()
      const isAnotherDay = today !== day
      day = today
      for (const id of this.#rows.keys()) {
        const document = store.documents.get(id)
        if (document !== undefined && (isAnotherDay || !ended.has(document.status)))
          this.#rows.get(id)?.row.show(document)
      }
    }, 1_000)
    signal.addEventListener("abort", () => {
      clearInterval(clock)
      for (const { controller } of this.#rows.values()) controller.abort()
    })
  }

  /** @param {ReadonlyArray<Document>} documents @param {Set<string>} [changed] only these, if the others are as they were */
  show(documents, changed) {
    const wanted = new Set(documents.map(({ id }) => id))
    for (const [id, { controller, row }] of this.#rows) {
      if (wanted.has(id)) continue
      controller.abort()
      row.element.remove()
      this.#rows.delete(id)
    }
    let place = this.element.firstElementChild
    for (const document of documents) {
      const known = this.#rows.get(document.id)
      if (known !== undefined) {
        if (changed === undefined || changed.has(document.id)) known.row.show(document)
        if (known.row.element === place) place = place.nextElementSibling
        else this.element.insertBefore(known.row.element, place)
        continue
      }
      const controller = new AbortController()
      const row = new DocumentRow(document, AbortSignal.any([controller.signal, this.#signal]), this.#onProblem)
      this.#rows.set(document.id, { row, controller })
      this.element.insertBefore(row.element, place)
      row.show(document)
    }
  }
}
