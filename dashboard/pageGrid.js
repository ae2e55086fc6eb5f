// The pages of a document as a grid on one canvas: 20,000 cells are no more to the browser than 20. To the keyboard and to
// screen readers it is a slider over page numbers, which is what choosing one of many ordered things is.
import { colors, keepPainted, lessMotion, prepare, wordOf } from "./canvas.js"
import { h, say } from "./dom.js"

const flashMillis = 700

/** Cells as large as fits so many pages. @type {(pages: number) => number} */
const cellFor = (pages) => (pages <= 150 ? 30 : pages <= 500 ? 20 : pages <= 2_500 ? 13 : pages <= 8_000 ? 9 : 7)

export class PageGrid {
  /** @type {Uint8Array} */
  #codes = new Uint8Array(0)
  /** Pages with warnings. @type {ReadonlySet<number>} */
  #warned = new Set()
  #selected = 0
  #columns = 1
  #cell = 30
  /** When pages lit up, by page. @type {Map<number, number>} */
  #flashes = new Map()
  #frame = 0
  /** @type {(page: number, pointed: boolean) => void} */
  #onSelect

  /** @param {(page: number, pointed: boolean) => void} onSelect @param {AbortSignal} signal */
  constructor(onSelect, signal) {
    this.#onSelect = onSelect
    this.canvas = h("canvas", {
      class: "pages",
      tabindex: 0,
      role: "slider",
      "aria-label": "Page",
      "aria-valuemin": 1,
      "aria-valuemax": 1,
      "aria-valuenow": 1
    })
    this.tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" })
    this.element = h("div", { class: "page-grid" }, this.canvas, this.tip)
    this.canvas.addEventListener("click", (event) => this.#choose(this.#pageAt(event), true))
    this.canvas.addEventListener("pointermove", (event) => this.#hover(event))
    this.canvas.addEventListener("pointerleave", () => (this.tip.hidden = true))
    this.canvas.addEventListener("keydown", (event) => this.#key(event))
    keepPainted(this.canvas, () => this.#paint(), signal)
    signal.addEventListener("abort", () => cancelAnimationFrame(this.#frame))
  }

  /** @param {Uint8Array} codes @param {ReadonlyArray<number>} lit pages that just became done @param {ReadonlySet<number>} warned */
  show(codes, lit, warned) {
    this.#codes = codes
    this.#warned = warned
    this.#cell = cellFor(codes.length)
    this.canvas.setAttribute("aria-valuemax", String(Math.max(1, codes.length)))
    if (!lessMotion.matches) {
      const now = performance.now()
      for (const page of lit) this.#flashes.set(page, now)
    }
    this.#describe()
    this.#soon()
  }

  /** @param {number} page */
  select(page) {
    this.#selected = page
    this.#describe()
    this.#soon()
  }

  /** @param {number} page */
  #wordOf(page) {
    return `${wordOf(this.#codes[page - 1] ?? 0)}${this.#warned.has(page) ? ", with warnings" : ""}`
  }

  #describe() {
    const page = Math.max(1, this.#selected)
    this.canvas.setAttribute("aria-valuenow", String(page))
    const word = this.#wordOf(page)
    this.canvas.setAttribute("aria-valuetext", `page ${page} of ${this.#codes.length}, ${word}`)
  }

  /** @param {number} page @param {boolean} [pointed] with a pointer, not by key */
  #choose(page, pointed = false) {
    if (page < 1 || page > this.#codes.length) return
    this.select(page)
    this.#onSelect(page, pointed)
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const page = Math.max(1, this.#selected)
    /** @type {Record<string, number>} */
    const targets = {
      ArrowLeft: page - 1,
      ArrowRight: page + 1,
      ArrowUp: page - this.#columns,
      ArrowDown: page + this.#columns,
      PageUp: page - this.#columns * 10,
      PageDown: page + this.#columns * 10,
      Home: 1,
      End: this.#codes.length,
      Enter: page,
      " ": page
    }
    const target = targets[event.key]
    if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    this.#choose(event.key.startsWith("Page") ? Math.min(Math.max(1, target), this.#codes.length) : target)
  }

  /** @param {MouseEvent} event */
  #pageAt(event) {
    const column = Math.floor(event.offsetX / this.#cell)
    const row = Math.floor(event.offsetY / this.#cell)
    return column >= this.#columns ? 0 : row * this.#columns + column + 1
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const page = this.#pageAt(event)
    this.tip.hidden = page < 1 || page > this.#codes.length
    if (this.tip.hidden) return
    say(this.tip, `${page} · ${this.#wordOf(page)}`)
    const left = Math.min(event.offsetX + 12, this.canvas.clientWidth - 110)
    this.tip.style.translate = `${Math.max(0, left)}px ${event.offsetY + 14}px`
  }

  #soon() {
    if (this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0
        this.#paint()
      })
    }
  }

  #paint() {
    const cell = this.#cell
    const count = this.#codes.length
    this.#columns = Math.max(1, Math.floor(this.canvas.clientWidth / cell))
    const area = prepare(this.canvas, Math.max(1, Math.ceil(count / this.#columns)) * cell + 2)
    if (area === undefined) return
    const { context } = area
    const palette = colors()
    const now = performance.now()
    const inner = cell - (cell >= 13 ? 3 : cell >= 9 ? 2 : 1)
    const round = cell >= 20 ? 5 : cell >= 13 ? 3 : 0
    context.textAlign = "center"
    context.textBaseline = "middle"
    context.font = `600 ${count > 99 ? 10 : 11}px system-ui, sans-serif`
    for (let index = 0; index < count; index += 1) {
      const code = this.#codes[index] ?? 0
      const x = (index % this.#columns) * cell + 1
      const y = Math.floor(index / this.#columns) * cell + 1
      context.fillStyle = palette.pages[code] ?? ""
      if (round > 0) {
        context.beginPath()
        context.roundRect(x, y, inner, inner, round)
        context.fill()
      } else {
        context.fillRect(x, y, inner, inner)
      }
      const flash = this.#flashes.get(index + 1)
      if (flash !== undefined) {
        const left = 1 - (now - flash) / flashMillis
        if (left <= 0) {
          this.#flashes.delete(index + 1)
        } else {
          context.globalAlpha = left
          context.fillStyle = palette.flash
          context.fillRect(x, y, inner, inner)
          context.globalAlpha = 1
        }
      }
      if (cell >= 9 && this.#warned.has(index + 1)) {
        // A corner turned down, on top of whatever the page is.
        const corner = Math.max(4, inner * 0.4)
        context.fillStyle = palette.warn
        context.beginPath()
        context.moveTo(x + inner - corner, y)
        context.lineTo(x + inner, y)
        context.lineTo(x + inner, y + corner)
        context.fill()
      }
      // Not by colour alone: what failed is crossed out.
      if (code > 3 && cell >= 9) {
        context.strokeStyle = palette.inkOnPage
        context.lineWidth = cell >= 20 ? 2 : 1
        const inset = inner * 0.3
        context.beginPath()
        context.moveTo(x + inset, y + inset)
        context.lineTo(x + inner - inset, y + inner - inset)
        context.moveTo(x + inner - inset, y + inset)
        context.lineTo(x + inset, y + inner - inset)
        context.stroke()
      } else if (cell >= 30) {
        context.fillStyle = code === 0 ? palette.muted : palette.inkOnPage
        context.fillText(String(index + 1), x + inner / 2, y + inner / 2 + 0.5)
      }
    }
    if (this.#selected >= 1 && this.#selected <= count) {
      const x = ((this.#selected - 1) % this.#columns) * cell + 1
      const y = Math.floor((this.#selected - 1) / this.#columns) * cell + 1
      context.strokeStyle = palette.text
      context.lineWidth = 2
      context.beginPath()
      context.roundRect(x - 0.5, y - 0.5, inner + 1, inner + 1, round)
      context.stroke()
    }
    if (this.#flashes.size > 0) this.#soon()
  }
}
