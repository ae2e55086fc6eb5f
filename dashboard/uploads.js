// Files on their way to the server. They outlive the views, so leaving the overview stops no upload.
import { problemOf, noticeProblem, unreachable, urlOf } from "./api.js"
import { announce } from "./announce.js"
import { identityHeaders } from "./identity.js"
import { sentences } from "./words.js"

/** A browser has six connections per server: one is for events, and some are for looking. */
const atOnce = 3
/** As many as are worth showing; older ones are only counted. */
const mostShown = 200

/**
 * @typedef {object} Upload
 * @property {number} number
 * @property {string} name
 * @property {File} file
 * @property {"waiting" | "sending" | "storing" | "known" | "refused"} state
 * @property {number} sent
 * @property {string | undefined} documentId
 * @property {{ code: string, message: string, advice?: string | undefined, limit?: number | undefined, retryAfter?: number | undefined } | undefined} error
 * @property {{ password: string, priority: string, force: boolean }} options
 */

/** @type {Array<Upload>} newest first */
const uploads = []
/** @type {Array<Upload>} */
const queue = []
const totals = { accepted: 0, refused: 0 }
let sending = 0
let numbers = 0

/** @type {Set<() => void>} */
const listeners = new Set()
let told = false
const tell = () => {
  if (told) return
  told = true
  requestAnimationFrame(() => {
    told = false
    for (const listener of listeners) listener()
  })
}

/** @param {Upload} upload @param {NonNullable<Upload["error"]>} error */
const refuse = (upload, error) => {
  upload.state = "refused"
  upload.error = error
  totals.refused += 1
  announce(sentences(`${upload.name} was refused: ${error.message}`))
}

/** @param {Upload} upload @param {number} status @param {string} text */
const conclude = (upload, status, text) => {
  if (status === 0) {
    const { advice, code, message } = unreachable()
    return refuse(upload, { code, message, advice })
  }
  if (status !== 202) {
    const problem = problemOf(status, text)
    noticeProblem(problem)
    const outcome = problem.documents?.[0]
    if (outcome !== undefined && "error" in outcome) return refuse(upload, outcome.error)
    return refuse(upload, { ...problem, code: problem.code, message: problem.message })
  }
  /** @type {import("./types.d.ts").Outcome | undefined} */
  const outcome = JSON.parse(text).documents[0]
  if (outcome === undefined || "error" in outcome) {
    return refuse(upload, outcome?.error ?? { code: "REFUSED", message: "the server did not say why" })
  }
  totals.accepted += 1
  upload.documentId = outcome.id
  // From here on it is a document among the others, unless it is none that is new.
  if (outcome.duplicateOf === undefined) uploads.splice(uploads.indexOf(upload), 1)
  else upload.state = "known"
  announce(`${upload.name} was accepted.`)
}

/** What a header carries as it is. */
const plainText = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** The password precedes the file, which it holds for. @param {Upload} upload */
const formOf = ({ file, name, options }) => {
  const form = new FormData()
  form.set("password", options.password)
  form.set("file", file, name)
  return form
}

/** @param {Upload} upload */
const send = (upload) => {
  const { force, password, priority } = upload.options
  const url = new URL(urlOf("v1/documents"))
  url.searchParams.set("name", upload.name)
  url.searchParams.set("priority", priority)
  if (force) url.searchParams.set("force", "true")
  // fetch tells nothing of a body on its way.
  const request = new XMLHttpRequest()
  request.open("POST", url)
  const asForm = password !== "" && !plainText.test(password)
  if (!asForm) request.setRequestHeader("content-type", "application/pdf")
  if (!asForm && password !== "") request.setRequestHeader("x-pdf-password", password)
  for (const [name, value] of Object.entries(identityHeaders())) request.setRequestHeader(name, value)
  request.upload.addEventListener("progress", ({ loaded }) => {
    // A form is a little more than its file.
    upload.sent = Math.min(loaded, upload.file.size)
    tell()
  })
  request.upload.addEventListener("load", () => {
    upload.sent = upload.file.size
    upload.state = "storing"
    tell()
  })
  request.addEventListener("loadend", () => {
    sending -= 1
    conclude(upload, request.status, request.responseText)
    next()
  })
  request.send(asForm ? formOf(upload) : upload.file)
  sending += 1
  upload.state = "sending"
}

const next = () => {
  while (sending < atOnce) {
    const upload = queue.shift()
    if (upload === undefined) break
    try {
      send(upload)
    } catch (error) {
      refuse(upload, { code: "NOT_SENT", message: error instanceof Error ? error.message : String(error) })
    }
  }
  tell()
}

export const transfers = {
  totals,
  waiting: () => queue.length + sending,
  /** @returns {ReadonlyArray<Upload>} */
  shown: () => uploads,

  /** @param {Iterable<File>} files @param {Upload["options"]} options */
  add(files, options) {
    for (const file of files) {
      numbers += 1
      /** @type {Upload} */
      const upload = {
        number: numbers,
        name: file.name,
        file,
        state: "waiting",
        sent: 0,
        documentId: undefined,
        error: undefined,
        options
      }
      uploads.unshift(upload)
      queue.push(upload)
    }
    for (let index = uploads.length - 1; index >= 0 && uploads.length > mostShown; index -= 1) {
      const { state } = uploads[index] ?? {}
      if (state === "known" || state === "refused") uploads.splice(index, 1)
    }
    next()
  },

  /** @param {Upload} upload */
  again(upload) {
    if (upload.state !== "refused") return
    totals.refused -= 1
    Object.assign(upload, { state: "waiting", sent: 0, error: undefined })
    queue.push(upload)
    next()
  },

  clear() {
    for (let index = uploads.length - 1; index >= 0; index -= 1) {
      const { state } = uploads[index] ?? {}
      if (state === "known" || state === "refused") uploads.splice(index, 1)
    }
    tell()
  },

  /** @param {() => void} listener @param {AbortSignal} signal */
  listen(listener, signal) {
    listeners.add(listener)
    signal.addEventListener("abort", () => listeners.delete(listener))
  }
}

/** @type {(entry: FileSystemEntry) => Promise<Array<File>>} */
const filesOf = async (entry) => {
  if (entry.isFile) {
    const file = /** @type {FileSystemFileEntry} */ (entry)
    return [await new Promise((resolve, reject) => file.file(resolve, reject))]
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader()
  /** @type {Array<File>} */
  const files = []
  for (;;) {
    /** @type {Array<FileSystemEntry>} */
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
    if (part.length === 0) return files
    for (const each of part) files.push(...(await filesOf(each)))
  }
}

/** What was dropped; of folders only the PDFs. @param {DataTransfer} transfer @returns {Promise<ReadonlyArray<File>>} */
export const droppedFiles = async (transfer) => {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry())
  if (!entries.some((entry) => entry?.isDirectory === true)) return [...transfer.files]
  const found = await Promise.all(entries.map((entry) => (entry === null ? [] : filesOf(entry))))
  return found.flatMap((files, index) =>
    entries[index]?.isDirectory === true ? files.filter(({ name }) => /\.pdf$/i.test(name)) : files
  )
}
