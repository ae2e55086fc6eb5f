// What was filled into a form. pdf.js keeps it apart from a page's text, but a person reads it there.
import { Effect } from "effect"
import type { PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs"
import type { TextRun } from "./text/Fragments.ts"

/** By page number. */
export type FieldRuns = ReadonlyMap<number, ReadonlyArray<TextRun>>

interface Field {
  readonly page: number
  readonly lines: ReadonlyArray<string>
  readonly rect: readonly [left: number, bottom: number, right: number, top: number]
  /** Degrees counter-clockwise. */
  readonly rotation: number
}

const maxFields = 20_000
const maxLines = 1_000
const usualSize = 12

/** Fields whose value is text that shows; the mark of a box or a button is not text, and a password is nobody's business. */
const textTypes: ReadonlySet<unknown> = new Set(["text", "combobox", "listbox"])

const numbers = (value: unknown): ReadonlyArray<number> =>
  Array.isArray(value) && value.every((item) => typeof item === "number") ? value : []

/** pdf.js hands over plain objects of no declared type. */
const decodeField = (found: object): Field | undefined => {
  const get = (key: string): unknown => Reflect.get(found, key)
  const [page, value] = [get("page"), get("value")]
  const [left, bottom, right, top] = numbers(get("rect"))
  const text = Array.isArray(value) ? value.join("\n") : value
  if (typeof page !== "number" || typeof text !== "string" || text.trim() === "") return undefined
  if (left === undefined || bottom === undefined || right === undefined || top === undefined) return undefined
  if (!textTypes.has(get("type")) || get("hidden") === true || get("password") === true) return undefined
  const lines = text.split(/\r\n|\r|\n/).slice(0, maxLines)
  return { page: page + 1, lines, rect: [left, bottom, right, top], rotation: Number(get("rotation")) || 0 }
}

/** Where the lines would be written: in the middle of the field, one below the other, along its direction. */
const toRuns = ({ lines, rect, rotation }: Field): ReadonlyArray<TextRun> => {
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

/** Broken forms are no reason to lose a page: what cannot be had is left out. */
export const readFieldRuns = (document: PDFDocumentProxy): Effect.Effect<FieldRuns> =>
  Effect.tryPromise(() => document.getFieldObjects()).pipe(
    Effect.map((found) => {
      const runs = new Map<number, Array<TextRun>>()
      const entries: Iterable<unknown> = found instanceof Map ? found.values() : Object.values(found ?? {})
      let count = 0
      for (const objects of entries) {
        for (const object of Array.isArray(objects) ? objects : []) {
          const field = ++count > maxFields ? undefined : decodeField(Object(object))
          if (field === undefined) continue
          const known = runs.get(field.page)
          if (known === undefined) runs.set(field.page, [...toRuns(field)])
          else known.push(...toRuns(field))
        }
      }
      return runs
    }),
    Effect.orElseSucceed((): FieldRuns => new Map())
  )
