// Where lines and blocks stand, put together to few boxes.
import type { Box } from "../document/PageLayout.ts"
import type { ChunkPlace } from "./Chunk.ts"

/** More places are put together, one for each page. */
const mostPlaces = 64

/** A box goes on with the one before if it is below it by no more than this, in points. */
const farthestBelow = 36

export interface PageSize {
  readonly width: number
  readonly height: number
}

/** What of the box is on the page; undefined when nothing is. */
export const withinPage = ({ height, width, x, y }: Box, page: PageSize): Box | undefined => {
  const left = Math.max(0, x)
  const top = Math.max(0, y)
  const right = Math.min(page.width, x + width)
  const bottom = Math.min(page.height, y + height)
  return right < left || bottom < top ? undefined : { x: left, y: top, width: right - left, height: bottom - top }
}

export const union = (a: Box, b: Box): Box => {
  const x = Math.min(a.x, b.x)
  const y = Math.min(a.y, b.y)
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y
  }
}

const goesOn = (a: Box, b: Box): boolean =>
  b.x < a.x + a.width &&
  a.x < b.x + b.width &&
  b.y + b.height >= a.y &&
  b.y - (a.y + a.height) <= Math.min(farthestBelow, 3 * Math.max(b.height, 4))

const round = (value: number): number => Math.round(value * 100) / 100
const rounded = ({ height, width, x, y }: Box): Box => {
  const left = round(x)
  const top = round(y)
  // Rounded down, so that what was on the page is still on it.
  return {
    x: left,
    y: top,
    width: Math.floor((x + width - left) * 100) / 100,
    height: Math.floor((y + height - top) * 100) / 100
  }
}

/** Boxes that follow each other in one column as one. */
export const joinPlaces = (places: ReadonlyArray<ChunkPlace>): ReadonlyArray<ChunkPlace> => {
  const joined: Array<ChunkPlace> = []
  for (const { box, page } of places) {
    const last = joined.at(-1)
    const isSame = last?.page === page && (joined.length >= mostPlaces || goesOn(last.box, box))
    if (last !== undefined && isSame) joined[joined.length - 1] = { page, box: union(last.box, box) }
    else joined.push({ page, box })
  }
  return joined.map(({ box, page }) => ({ page, box: rounded(box) }))
}
