// Which glyphs of a page lead elsewhere.
import type { Bounds } from "./Bounds.ts"
import type { Viewport } from "./Fragments.ts"

/** `rect` is in user space: left, bottom, right, top. */
export interface LinkArea {
  readonly rect: ReadonlyArray<number>
  /** An address, or `#page=3` in the same file. */
  readonly target: string
}

export interface Link extends Bounds {
  readonly target: string
}

const bandHeight = 16
/** A link reaches over so many bands at most; a higher one leads from a picture. */
const mostBands = 200
/** Further links on one height are not told. */
const mostInBand = 400

/** Links by height, so that a line is compared with those near it only. */
export class Links {
  readonly #bands = new Map<number, Array<Link>>()

  constructor(areas: ReadonlyArray<LinkArea>, { transform }: Viewport) {
    const [a = 1, b = 0, c = 0, d = -1, e = 0, f = 0] = transform
    for (const { rect, target } of areas) {
      const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = rect
      const [px, qx] = [a * x0 + c * y0 + e, a * x1 + c * y1 + e]
      const [py, qy] = [b * x0 + d * y0 + f, b * x1 + d * y1 + f]
      if (!Number.isFinite(px + py + qx + qy)) continue
      this.#add({
        left: Math.min(px, qx),
        right: Math.max(px, qx),
        top: Math.min(py, qy),
        bottom: Math.max(py, qy),
        target
      })
    }
  }

  #add(link: Link): void {
    const first = Math.floor(link.top / bandHeight)
    const last = Math.min(Math.floor(link.bottom / bandHeight), first + mostBands)
    for (let band = first; band <= last; band++) {
      const own = this.#bands.get(band)
      if (own === undefined) this.#bands.set(band, [link])
      else if (own.length < mostInBand) own.push(link)
    }
  }

  get isEmpty(): boolean {
    return this.#bands.size === 0
  }

  /** The links on the height of a line, in the order of the file. */
  at(y: number): ReadonlyArray<Link> {
    return this.#bands.get(Math.floor(y / bandHeight))?.filter(({ bottom, top }) => top <= y && y <= bottom) ?? []
  }
}
