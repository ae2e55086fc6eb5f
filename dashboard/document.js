// One document: its pages, what it waits for, what went wrong, and what can be done about it.
import { api, Problem } from "./api.js"
import { announce } from "./announce.js"
import { lessMotion } from "./canvas.js"
import { h, pill, say } from "./dom.js"
import { news } from "./news.js"
import { PageGrid } from "./pageGrid.js"
import { makePagePanel } from "./pagePanel.js"
import { makeStagesPanel } from "./stagesPanel.js"
import { pageWords, store } from "./store.js"
import { makeTimeline } from "./timeline.js"
import { bytes, ended, explainProgress, explainWaiting, plural, sentences } from "./words.js"

/** @typedef {import("./types.d.ts").Document} Document */

/** @param {Document} document */
const factsOf = ({ metadata, outline, priority, sourceUrl, tenantId }) => {
  /** @type {Array<[string, string]>} */
  const facts = [
    ["Tenant", tenantId],
    ["Priority", String(priority)],
    ...(sourceUrl === undefined ? [] : [/** @type {[string, string]} */ (["Source", sourceUrl])])
  ]
  const { encrypted, hasAttachments, hasForms, hasJavaScript, hasXfa, ...texts } = metadata ?? {}
  for (const [name, value] of Object.entries(texts)) {
    if (typeof value === "string" && value !== "") facts.push([name.replace(/([A-Z])/g, " $1").toLowerCase(), value])
  }
  const held = Object.entries({
    encryption: encrypted,
    attachments: hasAttachments,
    forms: hasForms,
    "JavaScript (never run)": hasJavaScript,
    XFA: hasXfa
  })
    .filter(([, there]) => there)
    .map(([name]) => name)
  if (held.length > 0) facts.push(["has", held.join(", ")])
  if (outline !== undefined && outline.length > 0) facts.push(["bookmarks", plural(outline.length, "bookmark")])
  return facts
}

const passwordAdvice = "Enter its password above and have it read again."

/** What can be done right here is not to be done by another upload. @param {NonNullable<Document["error"]>} error @param {boolean} retryable */
const adviceOf = ({ advice, code }, retryable) => {
  if (!retryable) return advice
  if (code === "PASSWORD_REQUIRED" || code === "PASSWORD_INVALID") return passwordAdvice
  return code === "EXPIRED" ? "Try it again when there is less to do, or raise QUEUE_TTL." : advice
}

/** @type {import("./types.d.ts").View} */
export const documentView = (root, signal, id) => {
  const name = h("h1", null, "…")
  const state = h("span", { class: "status" })
  const summary = h("p", { class: "muted" })
  const waiting = h("p", { class: "notice", hidden: true, role: "status" })
  const failure = h("p", { class: "notice bad", hidden: true })
  const warnings = h("div", { hidden: true })
  const trouble = h("p", { class: "notice bad", role: "alert", hidden: true })
  const retry = h("button", { type: "button", hidden: true }, "Read the failed pages again")
  const cancel = h("button", { type: "button", class: "quiet", hidden: true }, "Cancel")
  const remove = h("button", { type: "button", class: "quiet danger", hidden: true }, "Delete")
  const download = h("button", { type: "button", class: "quiet", hidden: true }, "Download the text")
  const password = h("input", { type: "password", autocomplete: "off" })
  const passwordField = h(
    "form",
    {
      hidden: true,
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault()
        retry.click()
      }
    },
    h("label", { class: "inline" }, "Password", password)
  )
  const legend = h("ul", { class: "legend", "aria-label": "Pages by result" })
  const none = h("p", { class: "muted" })
  const facts = h("dl", { class: "facts" })
  const outline = h("ol", { class: "outline" })
  const outlineBox = h("details", { hidden: true }, h("summary", null, "Bookmarks"), outline)

  const complain = (/** @type {unknown} */ problem) => {
    if (signal.aborted) return
    trouble.hidden = false
    if (problem instanceof Problem)
      trouble.replaceChildren(
        h("code", null, problem.code),
        ` ${sentences(problem.message, problem.code === "PASSWORD_REQUIRED" ? passwordAdvice : problem.advice)}`
      )
    else say(trouble, sentences(String(problem)))
  }

  const select = (/** @type {number} */ page) => {
    grid.select(page)
    void panel.show(page)
  }
  /** Where the panel is not beside the grid but below it, whoever touched a page would see nothing happen. */
  const bringPanel = () => {
    if (panel.element.getBoundingClientRect().top < innerHeight * 0.8) return
    panel.element.scrollIntoView({ block: "start", behavior: lessMotion.matches ? "auto" : "smooth" })
  }
  const grid = new PageGrid((page, pointed) => {
    select(page)
    if (pointed) bringPanel()
  }, signal)
  const panel = makePagePanel(
    id,
    {
      onSelect: select,
      count: () => store.pages(id)?.length ?? 0,
      hasStages: () => (store.documents.get(id)?.pipeline ?? "text") !== "text"
    },
    signal
  )
  const timeline = makeTimeline(select, signal)
  const stages = makeStagesPanel(id, signal, { complain, onChange: () => panel.madeMore() })
  root.append(
    h("p", { class: "crumb" }, h("a", { href: "#/documents" }, "← Documents")),
    h(
      "header",
      { class: "title" },
      h("div", null, name, state),
      h("div", null, passwordField, retry, download, cancel, remove)
    ),
    summary,
    trouble,
    failure,
    warnings,
    waiting,
    h(
      "div",
      { class: "columns reading" },
      h(
        "section",
        { class: "card", "aria-labelledby": "pages-title" },
        h("h2", { id: "pages-title" }, "Pages"),
        legend,
        none,
        grid.element
      ),
      panel.element,
      h(
        "div",
        null,
        timeline.element,
        stages.element,
        h(
          "section",
          { class: "card", "aria-labelledby": "facts-title" },
          h("h2", { id: "facts-title" }, "File"),
          facts,
          outlineBox
        )
      )
    )
  )

  let passwordWanted = false
  let millis = new Float32Array(0)
  /** Pages with warnings. @type {Set<number>} */
  const warnedPages = new Set()
  let factsShown = ""

  const showLegend = (/** @type {Uint8Array} */ codes) => {
    const counts = [0, 0, 0, 0, 0, 0]
    for (const code of codes) counts[code] = (counts[code] ?? 0) + 1
    const text = [...counts, warnedPages.size].join()
    if (legend.dataset["counts"] === text) return
    legend.dataset["counts"] = text
    legend.replaceChildren(
      ...pageWords.flatMap((word, code) =>
        (counts[code] ?? 0) === 0
          ? []
          : [h("li", null, h("i", { class: `swatch ${word}` }), `${(counts[code] ?? 0).toLocaleString("en")} ${word}`)]
      ),
      ...(warnedPages.size === 0
        ? []
        : [h("li", null, h("i", { class: "swatch warned" }), `${warnedPages.size.toLocaleString("en")} with warnings`)])
    )
  }

  /** @param {ReadonlyArray<number>} [lit] */
  const show = (lit = []) => {
    const document = store.documents.get(id)
    if (document === undefined) return
    const { error, progress, size, status, warnings: warned = [] } = document
    const over = ended.has(status)
    say(name, document.name)
    if (state.textContent !== status) state.replaceChildren(pill(status))
    say(summary, `${explainProgress(progress)} · ${bytes(size)} · ${id}`)
    retry.hidden = status !== "partial" && status !== "failed"
    failure.hidden = error === undefined
    if (error !== undefined)
      failure.replaceChildren(
        h("code", null, error.code),
        ` ${sentences(error.message)} `,
        h("b", null, sentences(adviceOf(error, !retry.hidden)))
      )
    warnings.hidden = warned.length === 0
    warnings.replaceChildren(
      ...warned.map(({ code, message }) => h("p", { class: "notice" }, h("code", null, code), ` ${sentences(message)}`))
    )
    waiting.hidden = document.waiting === undefined || over
    if (document.waiting !== undefined) say(waiting, explainWaiting(document.waiting, Date.now()).join(" "))
    cancel.hidden = over
    remove.hidden = !over
    download.hidden = progress.done === 0
    say(retry, progress.failed > 0 && progress.done > progress.failed ? "Read the failed pages again" : "Try again")
    passwordField.hidden = retry.hidden || !(passwordWanted || error?.code.startsWith("PASSWORD") === true)
    const codes = store.pages(id) ?? new Uint8Array(progress.pages ?? 0)
    showLegend(codes)
    grid.show(codes, lit, warnedPages)
    grid.element.hidden = codes.length === 0
    none.hidden = codes.length > 0
    say(none, over ? "None was read." : "It is not opened yet.")
    timeline.show(document, store.sightings(id))
    // Events have no stages: what the status said last is shown until it is asked again.
    if (document.stages !== undefined || stages.element.hidden) stages.show(document)
    const found = factsOf(document)
    const text = JSON.stringify(found)
    if (text !== factsShown) {
      factsShown = text
      facts.replaceChildren(...found.map(([term, value]) => h("div", null, h("dt", null, term), h("dd", null, value))))
      const items = (document.outline ?? []).slice(0, 500)
      outlineBox.hidden = items.length === 0
      outline.replaceChildren(
        ...items.map(({ depth, page, title }) =>
          h(
            "li",
            { class: `depth-${Math.min(5, depth)}` },
            page === undefined
              ? title
              : h("button", { type: "button", class: "link", onclick: () => select(page) }, title)
          )
        )
      )
    }
    if (panel.selected() === 0 && progress.done > 0) {
      const first = codes.findIndex((code) => code > 0)
      if (first >= 0) select(first + 1)
    } else if (panel.waits() && lit.includes(panel.selected())) {
      void panel.show(panel.selected())
    }
  }

  /** Every page that has a result, part by part, so that the first ones show at once. */
  const loadPages = async () => {
    for (let from = 1; ;) {
      const part = await api.pages(id, from, signal)
      const count = Math.max(store.documents.get(id)?.progress.pages ?? 0, part.pages.at(-1)?.number ?? 0)
      if (millis.length < count) {
        const longer = new Float32Array(count)
        longer.set(millis)
        millis = longer
      }
      for (const { elapsedMillis, number, warnings } of part.pages) {
        millis[number - 1] = elapsedMillis
        if (warnings === undefined) warnedPages.delete(number)
        else warnedPages.add(number)
      }
      store.putPages(id, count, part.pages)
      timeline.showPages(millis, store.pages(id) ?? new Uint8Array(count))
      if (part.next === undefined) return
      from = part.next
    }
  }

  let loading = false
  /** Asked for meanwhile: what is being fetched may be older than what is to be shown. */
  let again = false
  let broken = false
  const load = async () => {
    again = loading
    if (loading) return
    loading = true
    try {
      do {
        again = false
        store.put(await api.document(id, signal))
        show()
        await loadPages()
      } while (again)
      if (broken) trouble.hidden = true
      broken = false
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 404) say(name, "There is no such document")
      broken = true
      complain(problem)
    } finally {
      loading = false
    }
  }

  store.listen(({ documents: changed, pages }) => {
    if (!changed.has(id)) return
    const before = state.textContent
    show(pages.get(id))
    const now = store.documents.get(id)?.status
    if (now !== undefined && ended.has(now) && before !== now && before !== "") void load()
  }, signal)
  news.onFresh(() => void load(), signal)
  // Why it waits changes without an event, and the clock goes on.
  const clock = setInterval(() => {
    const document = store.documents.get(id)
    if (document === undefined || ended.has(document.status)) return
    show()
    api.document(id, signal).then(
      (now) => store.put(now),
      () => {}
    )
  }, 2_000)
  signal.addEventListener("abort", () => clearInterval(clock))

  /** @param {HTMLButtonElement} button @param {() => Promise<void>} act */
  const onPress = (button, act) =>
    button.addEventListener("click", () => {
      button.disabled = true
      trouble.hidden = true
      act()
        .catch(complain)
        .finally(() => (button.disabled = false))
    })
  onPress(retry, async () => {
    try {
      store.put(await api.retry(id, password.value))
      announce("It is queued again.")
      password.value = ""
    } catch (problem) {
      if (problem instanceof Problem && problem.code === "PASSWORD_REQUIRED") {
        passwordWanted = true
        passwordField.hidden = false
        password.focus()
      }
      throw problem
    }
  })
  onPress(cancel, async () => {
    const now = await api.cancel(id)
    store.put(now)
    announce(`It is ${now.status}.`)
  })
  onPress(remove, async () => {
    if (!confirm(`Delete ${name.textContent} with all its pages?`)) return
    await api.remove(id)
    store.drop(id)
    announce("It is deleted.")
    location.hash = "#/documents"
  })
  onPress(download, async () => {
    const url = URL.createObjectURL(await api.text(id))
    h("a", { href: url, download: `${name.textContent}.txt` }).click()
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  })
  void load()
}
