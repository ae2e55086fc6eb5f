// Pictures: where the images of a page stand, one box for those that belong together.
import type { Block } from "../../../../domain/document/PageLayout.ts"
import type { Bounds } from "../Bounds.ts"
import { areaOf, boundsOf, sharedArea } from "../Bounds.ts"
import type { Drawn } from "../Drawn.ts"

const smallestSide = 16
const wholePage = 0.85
const touching = 3
/** More images are pieces of a drawing. */
const mostImages = 500

const near = (one: Bounds, other: Bounds): boolean =>
  one.left <= other.right + touching &&
  other.left <= one.right + touching &&
  one.top <= other.bottom + touching &&
  other.top <= one.bottom + touching

const onPage = ({ left, right, top, bottom }: Bounds, width: number, height: number): Bounds => ({
  left: Math.max(0, left),
  right: Math.min(width, right),
  top: Math.max(0, top),
  bottom: Math.min(height, bottom)
})

/** The boxes of pictures, from top to bottom. An image behind the text of the whole page is none, unless there is no text. */
export const findFigures = (
  drawn: ReadonlyArray<Drawn>,
  width: number,
  height: number,
  hasText: boolean
): ReadonlyArray<Bounds> => {
  let figures: Array<Bounds> = []
  let seen = 0
  for (const thing of drawn) {
    if (thing.kind !== "image" || ++seen > mostImages) continue
    let box = onPage(thing, width, height)
    if (hasText && areaOf(box) >= wholePage * width * height) continue
    const joined = figures.filter((figure) => near(figure, box))
    if (joined.length > 0) {
      box = boundsOf([box, ...joined])
      figures = figures.filter((figure) => !joined.includes(figure))
    }
    figures.push(box)
  }
  return figures
    .filter(({ left, right, top, bottom }) => right - left >= smallestSide && bottom - top >= smallestSide)
    .filter((figure) => !hasText || areaOf(figure) < wholePage * width * height)
    .sort((one, other) => one.top - other.top || one.left - other.left)
}

/** Whether most of a box lies in a picture. */
export const isInside = (box: Bounds, figures: ReadonlyArray<Bounds>): boolean =>
  figures.some((figure) => sharedArea(box, figure) > 0.6 * areaOf(box))

const invisibleShare = 0.9

/** Whether the page is an image, and its text a layer on it that is not seen. */
export const isScannedText = (
  blocks: ReadonlyArray<Block>,
  drawn: ReadonlyArray<Drawn>,
  width: number,
  height: number
): boolean => {
  const isImage = drawn.some(
    (thing) => thing.kind === "image" && areaOf(onPage(thing, width, height)) >= wholePage * width * height
  )
  if (!isImage) return false
  let [all, invisible] = [0, 0]
  for (const block of blocks) {
    if (!("lines" in block)) continue
    for (const { hidden, text } of block.lines.flatMap(({ spans }) => spans)) {
      all += text.length
      if (hidden === "invisible") invisible += text.length
    }
  }
  return all > 0 && invisible >= invisibleShare * all
}
