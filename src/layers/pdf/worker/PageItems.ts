// What the text of a page consists of: pieces of text, and between them the reports of pdf.js's patches.
import { type Warning, warning } from "../../../domain/document/Warning.ts"
import type { FieldText } from "./Fields.ts"
import { freeTextRuns } from "./Fields.ts"
import { cut } from "../pdfjs/PdfJs.ts"

export interface ShownItems {
  /** Pieces of text that are shown. */
  readonly items: ReadonlyArray<object>
  readonly warnings: ReadonlyArray<Warning>
  /** The page's content could not be decoded, or not to its end. */
  readonly isDamaged: boolean
}

/** The most warnings of one page. */
const mostWarnings = 10

/** `kind` is what the patches call it. */
export const damageWarning = (kind: unknown, detail: unknown): Warning => {
  const why = cut(String(detail), 200)
  switch (kind) {
    case "font":
      return warning("FONT_DAMAGED", `A font of the page is damaged, and its text may be wrong or missing: ${why}`)
    case "glyphs":
      return warning("TEXT_MISSING", `The file does not tell the meaning of ${why}; they may be wrong or missing.`)
    case "annotation":
      return warning("TEXT_MISSING", `An annotation of the page could not be read: ${why}`)
    default:
      return warning("CONTENT_CUT", `The page's content is damaged, and some of it may be missing: ${why}`)
  }
}

/** In the order in which they were met, each once. */
export const distinct = (warnings: ReadonlyArray<Warning>): ReadonlyArray<Warning> =>
  [...new Map(warnings.map((one) => [`${one.code} ${one.message}`, one])).values()].slice(0, mostWarnings)

export const onlyText = (found: ReadonlyArray<object>, fields: ReadonlyArray<FieldText>): ShownItems => ({
  items: fields.length === 0 ? found : [...found, ...fields.flatMap(({ runs }) => runs)],
  warnings: [],
  isDamaged: false
})

/** Whether a page has anything but pieces of text; most pages do not. */
export const hasOtherItems = (found: ReadonlyArray<object>): boolean => found.some((item) => !("str" in item))

/**
 * `isVisible` tells whether a layer is shown; `fields` are the values of the page's widgets, which are shown where their
 * appearance shows no text.
 */
export const shownItems = (
  found: ReadonlyArray<object>,
  fields: ReadonlyArray<FieldText>,
  isVisible: (group: unknown) => boolean
): ShownItems => {
  const items: Array<object> = []
  const warnings: Array<Warning> = []
  const spokenFor = new Set<unknown>()
  const layers: Array<boolean> = []
  let annotation: unknown
  let hidden = 0
  let isDamaged = false
  for (const item of found) {
    if (!("type" in item)) {
      if (hidden > 0) continue
      items.push(item)
      if (annotation !== undefined && "str" in item && String(item.str).trim() !== "") spokenFor.add(annotation)
      continue
    }
    const get = (key: string): unknown => Reflect.get(item, key)
    switch (item.type) {
      case "beginOptionalContent": {
        const isShown = isVisible(get("group"))
        layers.push(isShown)
        if (!isShown) hidden++
        break
      }
      case "endOptionalContent":
        if (layers.pop() === false) hidden--
        break
      case "beginAnnotation":
        annotation = get("id")
        if (hidden > 0) spokenFor.add(annotation)
        break
      case "endAnnotation":
        annotation = undefined
        break
      case "hiddenAnnotation":
        spokenFor.add(get("id"))
        break
      case "freeText":
        if (hidden === 0) items.push(...freeTextRuns(get("text"), get("rect")))
        break
      case "damage":
        isDamaged ||= get("kind") === "content"
        warnings.push(damageWarning(get("kind"), get("detail")))
        break
      default:
        items.push(item)
    }
  }
  for (const { id, runs } of fields) if (!spokenFor.has(id)) items.push(...runs)
  return { items, warnings: distinct(warnings), isDamaged }
}
