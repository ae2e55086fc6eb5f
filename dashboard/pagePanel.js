// One page beside the grid: its text, or its lines where they stand on the page, or what went wrong.
import { api, Problem } from "./api.js"
import { h, pill, say, svg } from "./dom.js"
import { artifactRow } from "./stagesPanel.js"
import { duration, sentences } from "./words.js"

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
    ...(lines ?? [])
      .slice(0, 3_000)
      .map((line) =>
        svg(
          "text",
          { x: line.x, y: line.y + line.height * 0.8, "font-size": Math.max(1, line.height), "data-width": line.width },
          line.text
        )
      )
  )

/**
 * Gives lines the width that they have on the page: squeezed where the font here is wider, and with their words a little apart
 * where it is narrower. A row of a table is left as it is: where the gaps between its cells are is not known, and letters or
 * words pulled apart over all of it cannot be read. @param {Element} drawing
 */
const fitLines = (drawing) => {
  const texts = [...drawing.querySelectorAll("text")]
  // All are measured before any is changed: one layout instead of one for each.
  const lengths = texts.map((text) => text.getComputedTextLength())
  texts.forEach((text, index) => {
    const natural = lengths[index] ?? 0
    const width = Math.max(1, Number(text.dataset["width"]))
    const gaps = (text.textContent ?? "").trim().split(" ").length - 1
    if (natural > width) {
      text.setAttribute("textLength", String(width))
      text.setAttribute("lengthAdjust", "spacingAndGlyphs")
      return
    }
    const apart = (width - natural) / Math.max(1, gaps)
    if (gaps > 0 && apart < Number(text.getAttribute("font-size"))) text.setAttribute("word-spacing", String(apart))
  })
}

/** @param {NonNullable<Page["warnings"]>[number]} warning */
const warningOf = ({ code, message }) => h("p", { class: "notice" }, h("code", null, code), ` ${sentences(message)}`)

/** @param {Page} page @param {boolean} laidOut */
const contentOf = (page, laidOut) => {
  if (page.error !== undefined) {
    return h(
      "div",
      { class: "notice bad" },
      h("code", null, page.error.code),
      ` ${sentences(page.error.message)} `,
      h("b", null, sentences(page.error.advice))
    )
  }
  if (page.status === "scanned")
    return h("p", { class: "notice" }, "This page has images and no text: it was probably scanned.")
  if (page.status === "empty") return h("p", { class: "notice" }, "There is nothing on this page.")
  return laidOut && page.width > 0
    ? layoutOf(page)
    : h("pre", { class: "text", tabindex: 0, "aria-label": `Text of page ${page.number}` }, page.text)
}

/** @param {string} id @param {{ onSelect: (page: number) => void, count: () => number, hasStages: () => boolean }} around @param {AbortSignal} signal */
export const makePagePanel = (id, { count, hasStages, onSelect }, signal) => {
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
  const image = h("button", { type: "button", class: "quiet small", "aria-pressed": "false" }, "Image")
  const picture = h("figure", { class: "picture", hidden: true })
  const made = h("ul", { class: "artifacts", "aria-label": "What stages made of the page", hidden: true })
  let withImage = false
  let drawn = ""
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
        ? `${Math.round(shown.width)} × ${Math.round(shown.height)} points, ${duration(shown.elapsedMillis)} of a worker${shown.source === undefined ? "" : `, text from ${shown.source}`}`
        : ""
    )
    state.replaceChildren(pill(shown.status))
    content.replaceChildren(...(shown.warnings ?? []).map(warningOf), contentOf(shown, laidOut))
    const drawing = content.querySelector(".layout")
    if (drawing !== null) fitLines(drawing)
  }
  /** What cannot be drawn or listed is said where it would be. @param {unknown} problem */
  const told = (problem) =>
    problem instanceof Problem
      ? h("p", { class: "notice" }, h("code", null, problem.code), ` ${sentences(problem.message, problem.advice)}`)
      : h("p", { class: "notice" }, sentences(String(problem)))
  const dropImage = () => {
    if (drawn !== "") URL.revokeObjectURL(drawn)
    drawn = ""
    picture.replaceChildren()
  }
  /** @param {AbortSignal} until */
  const showImage = async (until) => {
    picture.hidden = !withImage
    dropImage()
    if (!withImage || selected === 0) return
    const page = selected
    picture.replaceChildren(h("p", { class: "muted" }, "Drawing …"))
    try {
      const blob = await api.image(id, page, until)
      if (until.aborted || !withImage) return
      drawn = URL.createObjectURL(blob)
      picture.replaceChildren(h("img", { src: drawn, alt: `Page ${page} as it looks` }))
    } catch (problem) {
      if (!until.aborted) picture.replaceChildren(told(problem))
    }
  }
  /** @param {AbortSignal} until */
  const showArtifacts = async (until) => {
    if (!hasStages()) return
    const complain = (/** @type {unknown} */ problem) => made.replaceChildren(h("li", null, told(problem)))
    try {
      const { artifacts } = await api.artifacts(id, selected, until)
      if (until.aborted) return
      made.hidden = artifacts.length === 0
      made.replaceChildren(...artifacts.map((artifact) => artifactRow(artifact, complain)))
    } catch (problem) {
      if (!until.aborted) complain(problem)
    }
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
  image.addEventListener("click", () => {
    withImage = !withImage
    image.setAttribute("aria-pressed", String(withImage))
    void showImage(loading?.signal ?? signal)
  })
  signal.addEventListener("abort", () => {
    loading?.abort()
    dropImage()
  })

  return {
    element: h(
      "section",
      { class: "card page-panel", "aria-labelledby": "page-title" },
      h("header", null, title, state, h("span", { class: "spring" }), image, layout, back, on),
      detail,
      h("div", { class: "sheet" }, picture, content),
      made
    ),
    selected: () => selected,
    waits: () => shown === undefined,
    /** Stages have made something since. */
    madeMore: () => {
      if (selected > 0) void showArtifacts(loading?.signal ?? signal)
    },

    /** @param {number} page */
    async show(page) {
      selected = page
      say(title, `Page ${page}`)
      loading?.abort()
      const controller = new AbortController()
      loading = controller
      made.hidden = true
      void showImage(controller.signal)
      void showArtifacts(controller.signal)
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
            ? h("p", { class: "muted" }, sentences(`Not read yet: ${problem.message}`))
            : h(
                "p",
                { class: "notice bad" },
                h("code", null, problem.code),
                ` ${sentences(problem.message, problem.advice)}`
              )
        )
      }
    }
  }
}
