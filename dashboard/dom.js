// Makes elements. Text stays text: nothing here or elsewhere turns a string into markup.

/** @typedef {Node | string | number | false | null | undefined} Child */

/** @type {(parent: Element, children: ReadonlyArray<Child>) => void} */
const append = (parent, children) => {
  for (const child of children) {
    if (child === false || child === null || child === undefined) continue
    parent.append(typeof child === "number" ? String(child) : child)
  }
}

/** @type {(element: Element, name: string, value: unknown) => void} */
const give = (element, name, value) => {
  if (value === undefined || value === false || value === null) return
  if (typeof value === "function") {
    element.addEventListener(name.slice(2), (event) => value(event))
  } else {
    element.setAttribute(name === "className" ? "class" : name, value === true ? "" : String(value))
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown> | null} [attributes] functions are listeners: `onclick`
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export const h = (tag, attributes, ...children) => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes ?? {})) give(element, name, value)
  append(element, children)
  return element
}

/**
 * @param {string} tag
 * @param {Record<string, unknown>} attributes
 * @param {...Child} children
 */
export const svg = (tag, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) give(element, name, value)
  append(element, children)
  return element
}

/** Sets the text only when it changes, so that screen readers and layouts are left in peace. @type {(element: Element, text: string | number) => void} */
export const say = (element, text) => {
  const next = String(text)
  if (element.textContent !== next) element.textContent = next
}

/** The element of the page itself. @template {Element} T @param {string} id @param {new () => T} type @returns {T} */
export const byId = (id, type) => {
  const found = document.getElementById(id)
  if (!(found instanceof type)) throw new Error(`the page has no ${id}`)
  return found
}

/** A status as a word in a colour. @type {(status: string) => HTMLElement} */
export const pill = (status) => h("span", { class: `pill ${status}` }, status)

/** Has as many cells as the limit allows, the first of them filled; a bar when there are too many to tell apart. */
export class Slots {
  constructor() {
    this.element = h("div", { class: "slots", "aria-hidden": "true" })
  }

  /** @param {number} used @param {number} limit */
  show(used, limit) {
    const cells = limit <= 32 ? Math.max(1, limit) : 1
    while (this.element.childElementCount > cells) this.element.lastElementChild?.remove()
    while (this.element.childElementCount < cells) this.element.append(h("i", null, h("b", null)))
    const parts = [...this.element.children]
    parts.forEach((cell, index) => {
      const fill = cells === 1 ? used / Math.max(1, limit) : used > index ? 1 : 0
      const level = cell.firstElementChild
      if (level instanceof HTMLElement) level.style.scale = `${Math.min(1, fill)} 1`
    })
    this.element.classList.toggle("full", used >= limit)
  }
}
