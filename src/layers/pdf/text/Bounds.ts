// Boxes on a page or in a frame: y grows downwards.

export interface Bounds {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export const boundsOf = (boxes: ReadonlyArray<Bounds>): Bounds => {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const box of boxes) {
    if (box.left < left) left = box.left
    if (box.right > right) right = box.right
    if (box.top < top) top = box.top
    if (box.bottom > bottom) bottom = box.bottom
  }
  return { left, right, top, bottom }
}

export const areaOf = ({ left, right, top, bottom }: Bounds): number =>
  Math.max(0, right - left) * Math.max(0, bottom - top)

export const sharedArea = (one: Bounds, other: Bounds): number =>
  Math.max(0, Math.min(one.right, other.right) - Math.max(one.left, other.left)) *
  Math.max(0, Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top))

/** The part of `inner` that lies in `outer`. */
export const shareWithin = (inner: Bounds, outer: Bounds): number => {
  const area = areaOf(inner)
  return area === 0 ? 0 : sharedArea(inner, outer) / area
}
