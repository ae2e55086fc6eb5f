// What was filled into a form, where the file itself does not show it: the value is text of a widget that has no appearance.
import { Effect } from "effect"
import type { PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs"
import type { TextRun } from "../text/Fragments.ts"

/** The value of one widget, as text that stands in it. `id` is that of its annotation. */
export interface FieldText {
  readonly id: string
  readonly runs: ReadonlyArray<TextRun>
}

/** By page number. */
export type FieldTexts = ReadonlyMap<number, ReadonlyArray<FieldText>>

interface TextBox {
  readonly lines: ReadonlyArray<string>
  readonly rect: readonly [left: number, bottom: number, right: number, top: number]
  /** Degrees counter-clockwise. */
  readonly rotation: number
}

interface Field extends TextBox {
  readonly id: string
  readonly page: number
}

const maxFields = 20_000
const maxLines = 1_000
const usualSize = 12

/** Fields whose value is text that shows; the mark of a box or a button is not text, and a password is private. */
const textTypes: ReadonlySet<unknown> = new Set(["text", "combobox", "listbox"])

const rectOf = (value: unknown): TextBox["rect"] | undefined => {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "number")) return undefined
  const [left, bottom, right, top] = value
  return left === undefined || bottom === undefined || right === undefined || top === undefined
    ? undefined
    : [left, bottom, right, top]
}

/** What a choice is called where it is shown. */
const labelOf = (items: unknown, value: unknown): unknown => {
  if (!Array.isArray(items)) return value
  const item: unknown = items.find((item) => Reflect.get(Object(item), "exportValue") === value)
  return item === undefined ? value : Reflect.get(Object(item), "displayValue")
}

/** pdf.js hands over plain objects of no declared type. */
const decodeField = (found: object): Field | undefined => {
  const get = (key: string): unknown => Reflect.get(found, key)
  const [id, page, values] = [get("id"), get("page"), get("values")]
  const shown = Array.isArray(values) ? values : [get("value")]
  const texts = shown.flat().map((value) => labelOf(get("items"), value))
  const rect = rectOf(get("rect"))
  if (typeof id !== "string" || typeof page !== "number" || rect === undefined) return undefined
  if (!textTypes.has(get("type")) || get("hidden") === true || get("password") === true) return undefined
  const text = texts.filter((value) => typeof value === "string").join("\n")
  if (text.trim() === "") return undefined
  return { id, page: page + 1, ...boxOf(text, rect, Number(get("rotation")) || 0) }
}

const boxOf = (text: string, rect: TextBox["rect"], rotation: number): TextBox => ({
  lines: text.split(/\r\n|\r|\n/).slice(0, maxLines),
  rect,
  rotation
})

/** Where the lines would be written: in the middle of the field, one below the other, along its direction. */
const toRuns = ({ lines, rect, rotation }: TextBox): ReadonlyArray<TextRun> => {
  const [left, bottom, right, top] = rect
  const upright = rotation % 180 === 0
  const [along, across] = upright ? [right - left, top - bottom] : [top - bottom, right - left]
  const size = Math.max(1, Math.min(usualSize, (0.8 * across) / lines.length))
  const [cos, sin] = [
    Math.round(Math.cos((rotation * Math.PI) / 180)),
    Math.round(Math.sin((rotation * Math.PI) / 180))
  ]
  const [middleX, middleY] = [(left + right) / 2, (bottom + top) / 2]
  return lines.map((str, index) => {
    // In the field's own direction: `start` from its middle along the line, `rise` from its middle upwards.
    const start = -along / 2 + 2
    const rise = size * (lines.length / 2 - index - 0.8)
    return {
      str,
      dir: "ltr",
      transform: [
        size * cos,
        size * sin,
        -size * sin,
        size * cos,
        middleX + start * cos - rise * sin,
        middleY + start * sin + rise * cos
      ],
      width: Math.min(along, str.length * size * 0.5),
      height: size
    }
  })
}

/** Free text that has no appearance, as a viewer would write it into its rectangle. */
export const freeTextRuns = (text: unknown, rect: unknown): ReadonlyArray<TextRun> => {
  const box = rectOf(rect)
  return typeof text === "string" && box !== undefined ? toRuns(boxOf(text, box, 0)) : []
}

/** Broken forms are no reason to lose a page: what cannot be had is left out. */
export const readFieldTexts = (document: PDFDocumentProxy): Effect.Effect<FieldTexts> =>
  Effect.tryPromise(() => document.getFieldObjects()).pipe(
    Effect.map((found) => {
      const texts = new Map<number, Array<FieldText>>()
      const entries: Iterable<unknown> = found instanceof Map ? found.values() : Object.values(found ?? {})
      let count = 0
      for (const objects of entries) {
        for (const object of Array.isArray(objects) ? objects : []) {
          const field = ++count > maxFields ? undefined : decodeField(Object(object))
          if (field === undefined) continue
          const text: FieldText = { id: field.id, runs: toRuns(field) }
          const known = texts.get(field.page)
          if (known === undefined) texts.set(field.page, [text])
          else known.push(text)
        }
      }
      return texts
    }),
    Effect.orElseSucceed((): FieldTexts => new Map())
  )
