// Where PDFs are dropped or chosen, and what becomes of them.
import { h, say } from "./dom.js"
import { droppedFiles, transfers } from "./uploads.js"
import { bytes, duration, plural, sentences } from "./words.js"

/** @typedef {ReturnType<typeof transfers.shown>[number]} Upload */

const words = {
  waiting: "waits for its turn",
  sending: "sending",
  storing: "being stored",
  known: "known already",
  refused: "refused"
}

/** What the next files are sent with; kept while the tab is open, so that the view may come and go. */
const options = { password: "", priority: "5", force: false }

/** @param {Iterable<File>} files */
export const sendFiles = (files) => transfers.add(files, { ...options })

/** @param {DragEvent} event */
export const sendDropped = async (event) => {
  if (event.dataTransfer !== null) sendFiles(await droppedFiles(event.dataTransfer))
}

/** The limit is part of the sentence. @param {NonNullable<Upload["error"]>} error */
const messageOf = ({ limit, message }) =>
  limit === undefined ? message : `${message.replace(/\.$/, "")} (limit ${limit.toLocaleString("en")})`

/** @param {Upload} upload */
const makeRow = (upload) => {
  const state = h("span", { class: "pill" })
  const bar = h("progress", { max: 1, "aria-label": `Upload of ${upload.name}` })
  const detail = h("p", { class: "muted" })
  const again = h(
    "button",
    {
      type: "button",
      class: "quiet small",
      onclick: () => transfers.again(upload),
      "aria-label": `Send ${upload.name} again`
    },
    "Send again"
  )
  const name = h("span", { class: "name" }, upload.name)
  const element = h("li", { class: "row" }, h("div", { class: "row-head" }, name, state), bar, detail, again)
  const show = () => {
    const { documentId, error, file, sent } = upload
    say(state, words[upload.state])
    state.className = `pill ${upload.state}`
    bar.hidden = upload.state === "refused" || upload.state === "known"
    bar.value = sent / Math.max(1, file.size)
    again.hidden = upload.state !== "refused"
    element.classList.toggle("bad", upload.state === "refused")
    if (documentId !== undefined && name.firstElementChild === null) {
      name.replaceChildren(h("a", { href: `#/documents/${documentId}` }, upload.name))
    }
    if (error !== undefined) {
      detail.replaceChildren(
        h("code", null, error.code),
        ` ${sentences(messageOf(error), error.advice, error.retryAfter === undefined ? undefined : `Send it again in ${duration(error.retryAfter * 1000)}`)}`
      )
    } else if (upload.state === "known") {
      say(detail, "The same file, under this name, was there already: nothing is read again.")
    } else {
      say(detail, sent > 0 ? `${bytes(sent)} of ${bytes(file.size)}` : bytes(file.size))
    }
  }
  return { element, show }
}

/** @param {AbortSignal} signal */
const makeOptions = (signal) => {
  const password = h("input", { type: "password", autocomplete: "off", value: options.password })
  const priority = h("input", { type: "number", min: 0, max: 9, value: options.priority })
  const force = h("input", { type: "checkbox", checked: options.force })
  password.addEventListener("input", () => (options.password = password.value), { signal })
  priority.addEventListener("input", () => (options.priority = priority.value === "" ? "5" : priority.value), {
    signal
  })
  force.addEventListener("change", () => (options.force = force.checked), { signal })
  return h(
    "details",
    { class: "options" },
    h("summary", null, "Password, priority"),
    h(
      "form",
      { class: "fields", onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
      h("label", null, "Password", password, h("small", null, "for files that need one to be opened")),
      h("label", null, "Priority", priority, h("small", null, "0 last, 9 first, within the tenant")),
      h("label", { class: "check" }, force, "Read again, even if the same file is known")
    )
  )
}

/** @param {AbortSignal} signal */
export const uploadPanel = (signal) => {
  const input = h("input", {
    type: "file",
    multiple: true,
    accept: "application/pdf,.pdf",
    class: "hidden-but-read",
    id: "files",
    onchange: () => {
      sendFiles(input.files ?? [])
      input.value = ""
    }
  })
  const zone = h(
    "label",
    { class: "drop", for: "files" },
    h("span", { class: "drop-lead" }, "Drop PDFs anywhere"),
    h("span", { class: "button", "aria-hidden": "true" }, "Choose files")
  )
  const rows = h("ul", { class: "rows uploads", "aria-label": "Uploads" })
  const summary = h("p", { class: "muted" })
  const clear = h(
    "button",
    { type: "button", class: "quiet small", onclick: () => transfers.clear() },
    "Clear the list"
  )
  const foot = h("div", { class: "row-foot" }, summary, clear)

  /** @type {Map<number, ReturnType<typeof makeRow>>} */
  const shown = new Map()
  const show = () => {
    const uploads = transfers.shown()
    const wanted = new Set(uploads.map(({ number }) => number))
    for (const [number, row] of shown) {
      if (wanted.has(number)) continue
      row.element.remove()
      shown.delete(number)
    }
    let place = rows.firstElementChild
    for (const upload of uploads) {
      let row = shown.get(upload.number)
      if (row === undefined) {
        row = makeRow(upload)
        shown.set(upload.number, row)
        rows.insertBefore(row.element, place)
      } else {
        place = row.element.nextElementSibling
      }
      row.show()
    }
    rows.hidden = uploads.length === 0
    const { accepted, refused } = transfers.totals
    foot.hidden = uploads.length === 0 && accepted === 0
    clear.hidden = uploads.length === 0
    const waiting = transfers.waiting()
    say(
      summary,
      `${plural(accepted, "file")} accepted, ${refused} refused${waiting > 0 ? `, ${waiting} on the way` : ""}`
    )
  }
  transfers.listen(show, signal)
  show()
  return h(
    "section",
    { class: "card upload", "aria-labelledby": "upload-title" },
    h("h2", { id: "upload-title", class: "hidden-but-read" }, "Upload"),
    input,
    zone,
    makeOptions(signal),
    rows,
    foot
  )
}
