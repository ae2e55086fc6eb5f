// Which text a reader of the page does not see, and why. Such text is kept and marked: it may be the text of a scan, and it
// may be meant for machines only.
import type { Bounds } from "../Bounds.ts"
import type { Drawn } from "../Drawn.ts"
import type { LookOf, TextRun } from "../Fragments.ts"
import { hiddenLook } from "../Looks.ts"

const white = 0xffffff
/** Colours differ by less in each of red, green and blue. */
const likeness = 6
const tinySize = 1.5
const smallestGround = 6
/** Comparisons of text with what is drawn around it; beyond that text counts as seen. */
const mostComparisons = 2_000_000
/** So much is noted of what a page draws: what stands beyond it has a ground that is not known. */
const mostDrawn = 20_000

/** The rendering mode of text that is neither filled nor stroked, nor a clip for what is drawn later. */
const invisibleMode = 3

const channels = [16, 8, 0]
const channel = (colour: number, shift: number): number => (colour >> shift) & 0xff

const isAlike = (one: number, other: number): boolean =>
  one >= 0 && other >= 0 && channels.every((shift) => Math.abs(channel(one, shift) - channel(other, shift)) <= likeness)

const widthOf = ({ left, right }: Bounds): number => right - left

const covers = (drawn: Drawn, x: number, y: number): boolean =>
  drawn.left <= x && x <= drawn.right && drawn.top <= y && y <= drawn.bottom

/** The hidden part of the looks of runs on a page with these drawings. */
export const hiddenLooks = (drawn: ReadonlyArray<Drawn>): LookOf => {
  const grounds = drawn.filter(
    ({ kind, left, right, top, bottom }) =>
      kind !== "line" && kind !== "curves" && right - left >= smallestGround && bottom - top >= smallestGround
  )
  const images = grounds.filter(({ kind, width }) => kind === "image" && width === 1)
  const groundColours = [...new Set([white, ...grounds.map(({ colour }) => colour)])]
  const known = new Map<number, boolean>()
  let comparisons = 0

  /** Whether any ground of the page has the colour; that of most text is none. */
  const isGround = (colour: number): boolean => {
    const found = known.get(colour)
    if (found !== undefined) return found
    comparisons += groundColours.length
    const isAny = groundColours.some((ground) => isAlike(ground, colour))
    known.set(colour, isAny)
    return isAny
  }
  /** The colour under a place: an area that is no rectangle may have a hole there, and counts or does not. */
  const groundOf = (before: number, x: number, y: number, withAreas: boolean): number => {
    let colour = white
    for (const ground of grounds) {
      if (ground.order >= before) break
      comparisons++
      if (covers(ground, x, y) && (withAreas || ground.kind !== "area")) colour = ground.colour
    }
    return colour
  }
  const isLikeGround = (colour: number, before: number, x: number, y: number): boolean =>
    [true, false].every((withAreas) => isAlike(colour, groundOf(before, x, y, withAreas)))
  const isCovered = (before: number, { left, right, top, bottom }: Bounds): boolean =>
    images.some((image) => {
      comparisons++
      return image.order >= before && covers(image, left, top) && covers(image, right, bottom)
    })

  return (run: TextRun, size: number, boxOf: () => Bounds): number => {
    if (run.mode === invisibleMode) return hiddenLook("invisible")
    if (size < tinySize && widthOf(boxOf()) / Math.max(1, run.str.length) < tinySize) return hiddenLook("tiny")
    const { colour, drawnBefore } = run
    if (colour === undefined || drawnBefore === undefined || drawnBefore >= mostDrawn) return 0
    if (comparisons > mostComparisons) return 0
    const mayBeHidden = isGround(colour)
    if (!mayBeHidden && images.length === 0) return 0
    const box = boxOf()
    if (mayBeHidden) {
      const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2]
      if (isLikeGround(colour, drawnBefore, x, y)) return hiddenLook("colour")
    }
    return isCovered(drawnBefore, box) ? hiddenLook("invisible") : 0
  }
}
