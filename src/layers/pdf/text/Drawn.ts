// What a page draws beside its text, on the displayed page: lines, filled areas, images.
import type { Viewport } from "./Fragments.ts"
import type { Bounds } from "./Bounds.ts"

export type DrawnKind = "line" | "rectangle" | "area" | "image" | "curves"
const kinds: ReadonlyArray<DrawnKind> = ["line", "rectangle", "area", "image", "curves"]

/** `from` and `to` are the ends of a line; a line's bounds have no more than its width in one direction. */
export interface Drawn extends Bounds {
  readonly kind: DrawnKind
  /** Of a line; 1 for an image that hides what is under it. */
  readonly width: number
  /** Of what is filled: red, green and blue, 8 bits each; -1 if it is not known. */
  readonly colour: number
  /** From 0, black, to 1, white; -1 if it is not known. */
  readonly tone: number
  /** Its place in the order of drawing. */
  readonly order: number
}

const numbers = 8

/** From the records of `patches/Drawing.ts`. What is not on the page is left out. */
export const drawnOnPage = (records: ReadonlyArray<number>, viewport: Viewport): ReadonlyArray<Drawn> => {
  const [a = 1, b = 0, c = 0, d = -1, e = 0, f = 0] = viewport.transform
  const unit = Math.hypot(a, b)
  const drawn: Array<Drawn> = []
  for (let at = 0; at + numbers <= records.length; at += numbers) {
    const [code = 0, x0 = 0, y0 = 0, x1 = 0, y1 = 0, width = 0, tone = -1] = records.slice(at, at + numbers)
    const kind = kinds[code]
    const [px, qx] = [a * x0 + c * y0 + e, a * x1 + c * y1 + e]
    const [py, qy] = [b * x0 + d * y0 + f, b * x1 + d * y1 + f]
    if (kind === undefined || !Number.isFinite(px + py + qx + qy + width)) continue
    const [left, right, top, bottom] = [Math.min(px, qx), Math.max(px, qx), Math.min(py, qy), Math.max(py, qy)]
    if (right < 0 || bottom < 0 || left > viewport.width || top > viewport.height) continue
    const order = at / numbers
    const isFilled = kind === "rectangle" || kind === "area"
    const own = kind === "line" ? width * unit : isFilled ? 0 : width
    drawn.push({ kind, left, right, top, bottom, width: own, colour: isFilled ? width : -1, tone, order })
  }
  return drawn
}
