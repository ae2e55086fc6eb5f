// The documents this tab knows of, kept true by events. Views are told of changes once per frame, however many there were.
import { api } from "./api.js"
import { ended } from "./words.js"

/** @typedef {import("./types.d.ts").Document} Document */

/** States of a page, as small as they come: a document may have 20,000. */
export const pageCodes = /** @type {const} */ ({ pending: 0, ok: 1, empty: 2, scanned: 3, failed: 4, timeout: 5 })
export const pageWords = /** @type {const} */ (["pending", "ok", "empty", "scanned", "failed", "timeout"])

/** More than anybody looks at; the oldest that ended are forgotten first. */
const mostDocuments = 3_000

/** @type {Map<string, Document>} */
const documents = new Map()
/** Pages seen to become done, of documents that run or are looked at. @type {Map<string, Uint8Array>} */
const pages = new Map()
/** When a document was seen to be opened, and its pages done; nobody else keeps that. @type {Map<string, { opened?: number, moments: Array<number> }>} */
const sightings = new Map()

/** @typedef {{ documents: Set<string>, pages: Map<string, Array<number>>, all: boolean }} Changes */

/** @type {Set<(changes: Changes) => void>} */
const listeners = new Set()
/** @type {Changes | undefined} */
let pending

const noted = () => {
  if (pending === undefined) {
    pending = { documents: new Set(), pages: new Map(), all: false }
    requestAnimationFrame(() => {
      const changes = pending
      pending = undefined
      if (changes !== undefined) for (const listener of listeners) listener(changes)
    })
  }
  return pending
}

/** @param {string} id @param {number} count */
const pagesOf = (id, count) => {
  const known = pages.get(id)
  if (known !== undefined && known.length >= count) return known
  const longer = new Uint8Array(count)
  if (known !== undefined) longer.set(known)
  pages.set(id, longer)
  return longer
}

/** They are read again. @param {string} id */
const forgetFailed = (id) => {
  const known = pages.get(id)
  known?.forEach((code, index) => {
    if (code === pageCodes.failed || code === pageCodes.timeout) known[index] = pageCodes.pending
  })
}

const forgetSome = () => {
  if (documents.size <= mostDocuments) return
  for (const [id, { status }] of documents) {
    if (documents.size <= mostDocuments * 0.9) return
    if (ended.has(status)) {
      documents.delete(id)
      pages.delete(id)
      sightings.delete(id)
    }
  }
}

/** Pages per second, of the last two minutes. */
const rateSeconds = 120
const rates = new Uint32Array(rateSeconds)
let rateAt = 0

const countPage = () => {
  const second = Math.floor(performance.now() / 1000)
  for (; rateAt < second; rateAt += 1) rates[(rateAt + 1) % rateSeconds] = 0
  const slot = second % rateSeconds
  rates[slot] = (rates[slot] ?? 0) + 1
}

export const store = {
  documents,

  /** @param {(changes: Changes) => void} listener @param {AbortSignal} signal */
  listen(listener, signal) {
    listeners.add(listener)
    signal.addEventListener("abort", () => listeners.delete(listener))
  },

  /** @param {Document} document */
  put(document) {
    const before = documents.get(document.id)
    // An answer and an event may cross: what has ended does not run again, but by another attempt or retry.
    if (before !== undefined && ended.has(before.status) && !ended.has(document.status)) {
      if (document.attempt <= before.attempt && document.retries <= before.retries) return
    }
    if (before !== undefined && document.retries > before.retries) forgetFailed(document.id)
    const overtaken =
      before?.status === "running" && document.status === "running" && before.attempt === document.attempt
    const now =
      overtaken && before.progress.done > document.progress.done ? { ...document, progress: before.progress } : document
    // Only a document that is asked for by itself comes with its outline.
    const outline = document.outline ?? before?.outline
    documents.set(document.id, outline === undefined ? now : { ...now, outline })
    if (document.progress.pages !== undefined && before?.progress.pages === undefined && before !== undefined) {
      const seen = sightings.get(document.id) ?? { moments: [] }
      seen.opened ??= Date.now()
      sightings.set(document.id, seen)
    }
    forgetSome()
    noted().documents.add(document.id)
  },

  /** @param {import("./types.d.ts").PageEvent} event */
  putPage({ documentId, done, failed, page, pages: count, status, warned }) {
    countPage()
    pagesOf(documentId, Math.max(count ?? 0, page))[page - 1] = pageCodes[status]
    const seen = sightings.get(documentId) ?? { moments: [] }
    if (seen.moments.length < 20_000) seen.moments.push(Date.now())
    sightings.set(documentId, seen)
    const document = documents.get(documentId)
    if (document !== undefined && !ended.has(document.status)) {
      documents.set(documentId, {
        ...document,
        status: "running",
        progress: {
          ...(count === null ? {} : { pages: count }),
          done,
          failed,
          ...(warned === undefined ? {} : { warned })
        }
      })
    }
    const changes = noted()
    changes.documents.add(documentId)
    const changed = changes.pages.get(documentId)
    if (changed === undefined) changes.pages.set(documentId, [page])
    else changed.push(page)
  },

  /** Pages that were fetched. @param {string} id @param {number} count @param {ReadonlyArray<import("./types.d.ts").PageSummary>} results */
  putPages(id, count, results) {
    const known = pagesOf(id, count)
    for (const { number, status } of results) if (number <= known.length) known[number - 1] = pageCodes[status]
    noted().documents.add(id)
  },

  /** @param {string} id */
  drop(id) {
    documents.delete(id)
    pages.delete(id)
    sightings.delete(id)
    noted().documents.add(id)
  },

  /** The tenant is another one now. */
  clear() {
    documents.clear()
    pages.clear()
    sightings.clear()
    rates.fill(0)
    noted().all = true
  },

  /** @type {(id: string) => Uint8Array | undefined} */
  pages: (id) => pages.get(id),

  /** @type {(id: string) => { opened?: number, moments: Array<number> } | undefined} */
  sightings: (id) => sightings.get(id),

  /** Newest last; the second that is going on is left out. */
  rates() {
    const second = Math.floor(performance.now() / 1000)
    for (; rateAt < second; rateAt += 1) rates[(rateAt + 1) % rateSeconds] = 0
    return Array.from({ length: rateSeconds - 1 }, (_, index) => rates[(second + 1 + index) % rateSeconds] ?? 0)
  },

  /** Newest first. */
  newest() {
    return [...documents.values()].sort((a, b) => (a.id < b.id ? 1 : -1))
  },

  /** What runs and waits, and the latest. */
  async refresh() {
    const [latest, running] = await Promise.all([
      api.documents({ limit: 50 }),
      api.documents({ limit: 50, status: "running" })
    ])
    for (const document of [...latest.documents, ...running.documents]) this.put(document)
    // What was shown as not ended and is not among these has ended or is gone.
    const listed = new Set([...latest.documents, ...running.documents].map(({ id }) => id))
    const doubtful = [...documents.values()]
      .filter(({ id, status }) => !ended.has(status) && !listed.has(id))
      .slice(0, 20)
    await Promise.all(
      doubtful.map(({ id }) =>
        api.document(id).then(
          (document) => this.put(document),
          (problem) => problem.status === 404 && this.drop(id)
        )
      )
    )
  }
}
