// One page beside the grid: its text, or its lines where they stand on the page, or what went wrong.
import { api, Problem } from "./api.js"
import { h, pill, say, svg } from "./dom.js"
import { duration } from "./words.js"

/** @typedef {import("./types.d.ts").Page} Page */

/** @param {Page} page */
const layoutOf = ({ height, lines, number, width }) =>
  svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      class: "layout",
      role: "img",
      "aria-label": `The lines of page ${number} where they stand`
    },
    svg("rect", { width, height, class: "paper" }),
    ...(lines ?? []).slice(0, 3_000).map((line) =>
      svg(
        "text",
        {
          x: line.x,
          y: line.y + line.height * 0.8,
          "font-size": Math.max(1, line.height),
          textLength: Math.max(1, line.width),
          lengthAdjust: "spacingAndGlyphs"
        },
        line.text
      )
    )
  )

/** @param {NonNullable<Page["warnings"]>[number]} warning */
const warningOf = ({ code, message }) => h("p", { class: "notice" }, h("code", null, code), ` ${message}`)

/** @param {Page} page @param {boolean} laidOut */
const contentOf = (page, laidOut) => {
  if (page.error !== undefined) {
    return h(
      "div",
      { class: "notice bad" },
      h("code", null, page.error.code),
      ` ${page.error.message}. `,
      h("b", null, page.error.advice)
    )
  }
  if (page.status === "scanned")
    return h("p", { class: "notice" }, "This page has images and no text: it was probably scanned.")
  if (page.status === "empty") return h("p", { class: "notice" }, "There is nothing on this page.")
  return laidOut && page.width > 0
    ? layoutOf(page)
    : h("pre", { class: "text", tabindex: 0, "aria-label": `Text of page ${page.number}` }, page.text)
}

/** @param {string} id @param {{ onSelect: (page: number) => void, count: () => number }} around @param {AbortSignal} signal */
export const makePagePanel = (id, { count, onSelect }, signal) => {
  const title = h("h2", { id: "page-title" }, "Page")
  const state = h("span", { class: "status" })
  const detail = h("p", { class: "muted" })
  const content = h(
    "div",
    { class: "content", "aria-live": "polite" },
    h("p", { class: "muted" }, "Choose a page to read it.")
  )
  const back = h("button", { type: "button", class: "quiet small", "aria-label": "Previous page" }, "←")
  const on = h("button", { type: "button", class: "quiet small", "aria-label": "Next page" }, "→")
  const layout = h("button", { type: "button", class: "quiet small", "aria-pressed": "false" }, "As laid out")
  let selected = 0
  let laidOut = false
  /** @type {Page | undefined} */
  let shown
  /** @type {AbortController | undefined} */
  let loading

  const render = () => {
    if (shown === undefined) return
    say(
      detail,
      shown.width > 0
        ? `${Math.round(shown.width)} × ${Math.round(shown.height)} points, ${duration(shown.elapsedMillis)} of a worker`
        : ""
    )
    state.replaceChildren(pill(shown.status))
    content.replaceChildren(...(shown.warnings ?? []).map(warningOf), contentOf(shown, laidOut))
  }
  const step = (/** @type {number} */ by) => {
    const next = Math.min(count(), Math.max(1, selected + by))
    if (next !== selected) onSelect(next)
  }
  back.addEventListener("click", () => step(-1))
  on.addEventListener("click", () => step(1))
  layout.addEventListener("click", () => {
    laidOut = !laidOut
    layout.setAttribute("aria-pressed", String(laidOut))
    render()
  })
  signal.addEventListener("abort", () => loading?.abort())

  return {
    element: h(
      "section",
      { class: "card page-panel", "aria-labelledby": "page-title" },
      h("header", null, title, state, h("span", { class: "spring" }), layout, back, on),
      detail,
      content
    ),
    selected: () => selected,
    waits: () => shown === undefined,

    /** @param {number} page */
    async show(page) {
      selected = page
      say(title, `Page ${page}`)
      loading?.abort()
      const controller = new AbortController()
      loading = controller
      try {
        const found = await api.page(id, page, controller.signal)
        if (controller.signal.aborted) return
        shown = found
        render()
      } catch (problem) {
        if (controller.signal.aborted || !(problem instanceof Problem)) return
        shown = undefined
        state.replaceChildren()
        say(detail, "")
        content.replaceChildren(
          problem.code === "PAGE_NOT_FOUND"
            ? h("p", { class: "muted" }, `Not read yet: ${problem.message}.`)
            : h("p", { class: "notice bad" }, h("code", null, problem.code), ` ${problem.message} `, problem.advice)
        )
      }
    }
  }
}
