// The tenant's documents: filtered by the server by status, and here by name among those that were fetched.
import { api } from "./api.js"
import { DocumentList } from "./documentRow.js"
import { h, say } from "./dom.js"
import { news } from "./news.js"
import { store } from "./store.js"
import { plural, sentences, statuses } from "./words.js"

const partSize = 50

/** @type {import("./types.d.ts").View} */
export const documentsView = (root, signal) => {
  /** Those that were fetched or came in by events, as far back as `oldest`. @type {Set<string>} */
  let listed = new Set()
  /** @type {string | undefined} */
  let cursor
  let complete = false
  let loads = 0

  const trouble = h("p", { class: "notice bad", role: "alert", hidden: true })
  const complain = (/** @type {string} */ text) => {
    say(trouble, text)
    trouble.hidden = text === ""
  }
  const status = h(
    "select",
    null,
    h("option", { value: "" }, "any status"),
    ...statuses.map((each) => h("option", { value: each }, each))
  )
  const search = h("input", { type: "search", placeholder: "part of a name", autocomplete: "off", spellcheck: "false" })
  const count = h("p", { class: "muted", role: "status" })
  const more = h("button", { type: "button", class: "quiet" }, "Older ones")
  const list = new DocumentList("Documents, newest first", signal, complain)
  root.append(
    h("h1", null, "Documents"),
    h(
      "form",
      { class: "filters", role: "search", onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
      h("label", null, "Status", status),
      h("label", null, "Name", search)
    ),
    trouble,
    h(
      "section",
      { class: "card", "aria-label": "Documents" },
      list.element,
      h("div", { class: "row-foot" }, count, more)
    )
  )

  const matches = (/** @type {import("./types.d.ts").Document} */ document) =>
    (status.value === "" || document.status === status.value) &&
    document.name.toLowerCase().includes(search.value.trim().toLowerCase())

  /** @param {Set<string>} [changed] */
  const show = (changed) => {
    const known = store.newest().filter(({ id }) => listed.has(id))
    const shown = known.filter(matches)
    list.show(shown, changed)
    const searched =
      search.value.trim() === "" ? "" : ` of the ${plural(known.length, "document")} fetched so far have such a name`
    say(
      count,
      searched === ""
        ? `${plural(shown.length, "document")}${complete ? "" : ", and older ones"}`
        : `${shown.length}${searched}`
    )
    more.hidden = complete
  }

  const load = async (/** @type {boolean} */ fromStart) => {
    loads += 1
    const load = loads
    if (fromStart) cursor = undefined
    more.disabled = true
    try {
      const limit = fromStart ? Math.min(200, Math.max(partSize, listed.size)) : search.value === "" ? partSize : 200
      const part = await api.documents({ limit, status: status.value, cursor }, signal)
      if (load !== loads) return
      if (fromStart) listed = new Set()
      for (const document of part.documents) {
        store.put(document)
        listed.add(document.id)
      }
      cursor = part.nextCursor
      complete = cursor === undefined
      complain("")
      show()
    } catch (problem) {
      if (!signal.aborted && problem instanceof Error) complain(sentences(problem.message))
    } finally {
      more.disabled = false
    }
  }

  store.listen(({ documents: changed, all }) => {
    const newest = [...listed].reduce((latest, id) => (id > latest ? id : latest), "")
    for (const id of changed) {
      // New ones stand in front; old ones that were not fetched would leave a gap.
      const document = store.documents.get(id)
      if (document !== undefined && (id > newest || complete) && matches(document)) listed.add(id)
    }
    show(all ? undefined : changed)
  }, signal)
  news.onFresh(() => void load(true), signal)
  status.addEventListener("change", () => void load(true))
  search.addEventListener("input", () => show())
  more.addEventListener("click", () => void load(false))
  void load(true)
}
