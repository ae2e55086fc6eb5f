// Puts the page together: the connection, the address and its view, and what holds in every view.
import { announce } from "./announce.js"
import { api } from "./api.js"
import { documentView } from "./document.js"
import { documentsView } from "./documents.js"
import { byId, h } from "./dom.js"
import { downstreamsView } from "./downstreams.js"
import { onIdentity, showTenant, startIdentity } from "./identity.js"
import { startLive } from "./live.js"
import { news } from "./news.js"
import { nowhere } from "./nowhere.js"
import { overview } from "./overview.js"
import { store } from "./store.js"
import { tenantsView } from "./tenants.js"
import { sendDropped } from "./uploadPanel.js"
import { ended, explainProgress } from "./words.js"
import { workersView } from "./workers.js"

/** @param {import("./types.d.ts").Document} document */
const putDocument = (document) => {
  const before = store.documents.get(document.id)
  store.put(document)
  if (ended.has(document.status) && before !== undefined && !ended.has(before.status)) {
    announce(`${document.name} is ${document.status}: ${explainProgress(document.progress)}.`)
  }
}

const connection = startLive({
  onEvent: (type, data) => {
    // The server's own schemas wrote them.
    if (type === "page") store.putPage(/** @type {import("./types.d.ts").PageEvent} */ (data))
    else if (type === "document") putDocument(/** @type {import("./types.d.ts").Document} */ (data))
    else if (type === "queue") news.putQueue(/** @type {import("./types.d.ts").Queue} */ (data))
  },
  onFresh: () => {
    Promise.all([
      store.refresh(),
      api.queue().then((queue) => news.putQueue(queue)),
      api.tenant().then(({ tenantId }) => showTenant(tenantId))
    ]).catch(() => {})
    news.tellFresh()
  }
})

/** @type {Record<string, import("./types.d.ts").View>} */
const views = {
  "": overview,
  overview,
  documents: documentsView,
  tenants: tenantsView,
  workers: workersView,
  downstreams: downstreamsView
}

/** @param {string} address what follows `#/` */
const routeOf = (address) => {
  const [first = "", second = "", ...more] = address.replace(/\/$/, "").split("/")
  if (first === "documents" && second !== "" && more.length === 0)
    return { name: "document", parameter: second, view: documentView }
  const view = second === "" && Object.hasOwn(views, first) ? views[first] : undefined
  return view === undefined
    ? { name: "nowhere", parameter: address, view: nowhere }
    : { name: first === "" ? "overview" : first, parameter: "", view }
}

/** @type {AbortController | undefined} */
let shown

/** @param {string} text */
const decoded = (text) => {
  try {
    return decodeURIComponent(text)
  } catch {
    // Somebody wrote the address by hand; what it names is found nowhere.
    return text
  }
}

/** @param {boolean} moved by a person, whose focus goes along */
const show = (moved) => {
  const address = location.hash.replace(/^#\/?/, "")
  const { name, parameter, view } = routeOf(address)
  shown?.abort()
  shown = new AbortController()
  const main = byId("main", HTMLElement)
  const root = h("div", { class: `view ${name}` })
  main.replaceChildren(root)
  for (const link of document.querySelectorAll("nav a")) {
    if (!(link instanceof HTMLElement)) continue
    const current = link.dataset["view"] === (name === "document" ? "documents" : name)
    if (current) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
  }
  document.title = "Sluice"
  view(root, shown.signal, decoded(parameter))
  if (moved) {
    scrollTo(0, 0)
    main.focus({ preventScroll: true })
  }
}

const startDropping = () => {
  const curtain = byId("curtain", HTMLElement)
  const holdsFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") === true
  let depth = 0
  const draw = (/** @type {number} */ next) => {
    depth = Math.max(0, next)
    curtain.classList.toggle("drawn", depth > 0)
  }
  addEventListener("dragenter", (event) => holdsFiles(event) && draw(depth + 1))
  addEventListener("dragleave", (event) => holdsFiles(event) && draw(depth - 1))
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault())
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return
    event.preventDefault()
    draw(0)
    if (location.hash.replace(/^#\/?/, "") !== "") location.hash = "#/"
    void sendDropped(event)
  })
}

startIdentity()
startDropping()
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault()
  byId("main", HTMLElement).focus()
})
onIdentity(() => {
  store.clear()
  news.putQueue(undefined)
  show(false)
  connection.restart()
})
addEventListener("hashchange", () => show(true))
show(false)
connection.restart()
