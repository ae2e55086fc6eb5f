// Pictures: where the images and drawings of a page stand, one box for those that belong together.
import type { Block } from "../../../../domain/document/PageLayout.ts"
import type { Bounds } from "../Bounds.ts"
import { areaOf, boundsOf } from "../Bounds.ts"
import type { Drawn } from "../Drawn.ts"

const smallestSide = 16
const wholePage = 0.85
const touching = 3
/** More images are pieces of a drawing. */
const mostImages = 500
// Of drawings.
const fewestShapes = 8
const mostShapes = 3_000
const smallestDrawing = 36
const shapeGap = 12
const halfPage = 0.5
const mostClusters = 400

const isNear = (one: Bounds, other: Bounds, gap: number): boolean =>
  one.left <= other.right + gap &&
  other.left <= one.right + gap &&
  one.top <= other.bottom + gap &&
  other.top <= one.bottom + gap

const onPage = ({ left, right, top, bottom }: Bounds, width: number, height: number): Bounds => ({
  left: Math.max(0, left),
  right: Math.min(width, right),
  top: Math.max(0, top),
  bottom: Math.min(height, bottom)
})

interface Cluster extends Bounds {
  readonly pieces: number
}

/** Boxes that touch, as one each. */
const clustered = (boxes: ReadonlyArray<Bounds>, gap: number): ReadonlyArray<Cluster> => {
  let clusters: Array<Cluster> = []
  for (const box of boxes) {
    let joined: Cluster = { ...box, pieces: 1 }
    const apart: Array<Cluster> = []
    for (const cluster of clusters) {
      if (isNear(cluster, joined, gap)) {
        joined = { ...boundsOf([cluster, joined]), pieces: cluster.pieces + joined.pieces }
      } else {
        apart.push(cluster)
      }
    }
    clusters = [...apart, joined]
    if (clusters.length > mostClusters) return clusters
  }
  return clusters
}

/** Drawings: where many curves and areas stand together. Straight lines and rectangles may be those of tables and frames. */
const findDrawings = (drawn: ReadonlyArray<Drawn>, width: number, height: number): ReadonlyArray<Bounds> => {
  const shapes = drawn.filter(({ kind }) => kind === "curves" || kind === "area")
  if (shapes.length < fewestShapes || shapes.length > mostShapes) return []
  return clustered(
    shapes.map((shape) => onPage(shape, width, height)).filter((box) => areaOf(box) < halfPage * width * height),
    shapeGap
  ).filter(
    ({ bottom, left, pieces, right, top }) =>
      pieces >= fewestShapes && Math.min(right - left, bottom - top) >= smallestDrawing
  )
}

/** The boxes of pictures, from top to bottom. An image behind the text of the whole page is none, unless there is no text. */
export const findFigures = (
  drawn: ReadonlyArray<Drawn>,
  width: number,
  height: number,
  hasText: boolean
): ReadonlyArray<Bounds> => {
  const isGround = (box: Bounds): boolean => hasText && areaOf(box) >= wholePage * width * height
  const images = drawn
    .filter(({ kind }) => kind === "image")
    .slice(0, mostImages)
    .map((image) => onPage(image, width, height))
    .filter((box) => !isGround(box))
  const pictures = clustered(images, touching).filter(
    ({ bottom, left, right, top }) => Math.min(right - left, bottom - top) >= smallestSide
  )
  return clustered([...pictures, ...findDrawings(drawn, width, height)], 0)
    .filter((figure) => !isGround(figure))
    .toSorted((one, other) => one.top - other.top || one.left - other.left)
}

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
