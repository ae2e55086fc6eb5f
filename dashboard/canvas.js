// What is drawn and not laid out: canvases that are sharp on every screen, in the theme's colours.
import { pageWords } from "./store.js"

const names = /** @type {const} */ (["pending", "ok", "empty", "scanned", "failed", "timeout"])

/** @typedef {{ readonly pages: ReadonlyArray<string>, readonly done: string, readonly warn: string, readonly accent: string, readonly text: string, readonly muted: string, readonly line: string, readonly inkOnPage: string, readonly flash: string }} Colors */

/** @type {Colors | undefined} */
let known

/** @returns {Colors} */
export const colors = () => {
  if (known === undefined) {
    const style = getComputedStyle(document.documentElement)
    const of = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`)
    known = {
      pages: names.map((name) => of(`page-${name}`)),
      done: of("page-done"),
      warn: of("warn"),
      accent: of("accent"),
      text: of("text"),
      muted: of("muted"),
      line: of("line"),
      inkOnPage: of("page-ink"),
      flash: of("page-flash")
    }
  }
  return known
}

/** @type {Set<() => void>} */
const painters = new Set()
document.addEventListener("themechange", () => {
  known = undefined
  // The media query has changed, the computed style follows.
  requestAnimationFrame(() => {
    for (const paint of painters) paint()
  })
})

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) target.dispatchEvent(new Event("resized"))
})

export const lessMotion = matchMedia("(prefers-reduced-motion: reduce)")

/** Paints now, when the size changes and when the theme does. @param {HTMLCanvasElement} canvas @param {() => void} paint @param {AbortSignal} signal */
export const keepPainted = (canvas, paint, signal) => {
  painters.add(paint)
  resized.observe(canvas)
  canvas.addEventListener("resized", paint)
  signal.addEventListener("abort", () => {
    painters.delete(paint)
    resized.unobserve(canvas)
  })
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} [height] in CSS pixels; as laid out when absent
 * @returns {{ context: CanvasRenderingContext2D, width: number, height: number } | undefined} nothing while it is not shown
 */
export const prepare = (canvas, height) => {
  const width = canvas.clientWidth
  const tall = height ?? canvas.clientHeight
  const context = canvas.getContext("2d")
  if (width === 0 || tall === 0 || context === null) return undefined
  const scale = devicePixelRatio
  if (height !== undefined) canvas.style.height = `${height}px`
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale)
  if (canvas.height !== Math.round(tall * scale)) canvas.height = Math.round(tall * scale)
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, tall)
  return { context, width, height: tall }
}

/**
 * All pages of a document in one line: each column stands for as many pages as there must be, filled like a gauge with those
 * that are done. Failures stand on top, where they are seen. Of pages that became done before this tab looked, what came of them
 * is not known: they have a colour of their own, and are taken for the first ones.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array | undefined} codes pages that were seen
 * @param {{ pages?: number | undefined, done: number, failed: number }} progress
 */
export const paintStrip = (canvas, codes, { done, failed, pages }) => {
  const area = prepare(canvas)
  if (area === undefined) return
  const { context, height, width } = area
  const palette = colors()
  if (pages === undefined || pages === 0) {
    context.fillStyle = palette.pages[0] ?? ""
    context.beginPath()
    context.roundRect(0, height / 2 - 2, width, 4, 2)
    context.fill()
    return
  }
  let seen = 0
  let seenFailed = 0
  for (const code of codes ?? []) {
    if (code > 0) seen += 1
    if (code > 3) seenFailed += 1
  }
  let unseen = Math.max(0, done - seen)
  let unseenFailed = Math.max(0, failed - seenFailed)
  const columns = Math.max(1, Math.min(pages, Math.floor(width / 5)))
  const step = Math.min(width / columns, 26)
  const gap = step > 8 ? 2 : 1
  /** By code, and after those the pages that are done somehow. */
  const counts = new Uint32Array(7)
  const doneSomehow = 6
  for (let column = 0; column < columns; column += 1) {
    const first = Math.floor((column * pages) / columns)
    const last = Math.floor(((column + 1) * pages) / columns)
    counts.fill(0)
    for (let page = first; page < last; page += 1) {
      let code = codes?.[page] ?? 0
      if (code === 0 && unseen > 0) {
        unseen -= 1
        code = unseenFailed > 0 && unseen < unseenFailed ? 4 : doneSomehow
        if (code === 4) unseenFailed -= 1
      }
      counts[code] = (counts[code] ?? 0) + 1
    }
    const x = column * step
    context.fillStyle = palette.pages[0] ?? ""
    context.fillRect(x, 0, step - gap, height)
    let y = height
    for (const code of [doneSomehow, 1, 3, 2, 5, 4]) {
      const part = (counts[code] ?? 0) / (last - first)
      if (part === 0) continue
      const tall = Math.max(part * height, code === 4 || code === 5 ? 3 : 0)
      context.fillStyle = code === doneSomehow ? palette.done : (palette.pages[code] ?? "")
      context.fillRect(x, Math.max(0, y - tall), step - gap, tall)
      y -= tall
    }
  }
}

/** A line of numbers over time, newest at the right. @param {HTMLCanvasElement} canvas @param {ReadonlyArray<number>} values */
export const paintSpark = (canvas, values) => {
  const area = prepare(canvas)
  if (area === undefined) return
  const { context, height, width } = area
  const { accent, line } = colors()
  const top = Math.max(1, ...values)
  const step = width / Math.max(1, values.length - 1)
  const yOf = (/** @type {number} */ value) => height - 2 - (value / top) * (height - 6)
  context.strokeStyle = line
  context.lineWidth = 1
  context.beginPath()
  context.moveTo(0, height - 1.5)
  context.lineTo(width, height - 1.5)
  context.stroke()
  context.beginPath()
  values.forEach((value, index) => context.lineTo(index * step, yOf(value)))
  context.strokeStyle = accent
  context.lineWidth = 1.75
  context.lineJoin = "round"
  context.stroke()
  context.lineTo(width, height)
  context.lineTo(0, height)
  context.closePath()
  context.globalAlpha = 0.16
  context.fillStyle = accent
  context.fill()
  context.globalAlpha = 1
}

/**
 * A bar for each value, or for the highest of several when they are too many.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values
 * @param {ArrayLike<number>} codes
 */
export const paintBars = (canvas, values, codes) => {
  const area = prepare(canvas)
  if (area === undefined) return
  const { context, height, width } = area
  const palette = colors()
  const columns = Math.max(1, Math.min(values.length, Math.floor(width / 3)))
  const step = Math.min(width / columns, 24)
  let top = 1
  for (let index = 0; index < values.length; index += 1) top = Math.max(top, values[index] ?? 0)
  for (let column = 0; column < columns; column += 1) {
    const first = Math.floor((column * values.length) / columns)
    const last = Math.floor(((column + 1) * values.length) / columns)
    let highest = 0
    let code = 0
    for (let index = first; index < last; index += 1) {
      if ((values[index] ?? 0) >= highest) {
        highest = values[index] ?? 0
        code = codes[index] ?? 0
      }
    }
    const tall = Math.max(1, (highest / top) * (height - 2))
    context.fillStyle = palette.pages[code] ?? ""
    context.fillRect(column * step, height - tall, Math.max(1, step - 1), tall)
  }
}

/** @type {(code: number) => string} */
export const wordOf = (code) => pageWords[code] ?? "pending"
