// Which text a reader of the page does not see, and why. Such text is kept and marked: it may be the text of a scan, and it
// may be meant for machines only.
import type { Bounds } from "../Bounds.ts"
import type { Drawn } from "../Drawn.ts"
import type { LookOf, TextRun } from "../Fragments.ts"
import { hiddenLook } from "../Looks.ts"

const likeness = 0.02
const tinySize = 1.5
const smallestGround = 6
/** Comparisons of text with what is drawn around it; beyond that text counts as seen. */
const mostComparisons = 2_000_000

const invisibleModes: ReadonlySet<unknown> = new Set([3, 7])

const covers = (drawn: Drawn, x: number, y: number): boolean =>
  drawn.left <= x && x <= drawn.right && drawn.top <= y && y <= drawn.bottom

/** The hidden part of the looks of runs on a page with these drawings. */
export const hiddenLooks = (drawn: ReadonlyArray<Drawn>): LookOf => {
  const grounds = drawn.filter(
    ({ kind, left, right, top, bottom }) =>
      kind !== "line" && kind !== "curves" && right - left >= smallestGround && bottom - top >= smallestGround
  )
  const images = grounds.filter(({ kind, width }) => kind === "image" && width === 1)
  const tones = new Set(grounds.map(({ tone }) => Math.round(tone / likeness)))
  tones.add(1 / likeness)
  let comparisons = 0

  const groundTone = (before: number, x: number, y: number): number => {
    let tone = 1
    for (const ground of grounds) {
      if (ground.order >= before) break
      comparisons++
      if (covers(ground, x, y)) tone = ground.tone
    }
    return tone
  }
  const isCovered = (before: number, { left, right, top, bottom }: Bounds): boolean =>
    images.some((image) => {
      comparisons++
      return image.order >= before && covers(image, left, top) && covers(image, right, bottom)
    })

  return (run: TextRun, size: number, box: Bounds): number => {
    if (invisibleModes.has(run.mode)) return hiddenLook("invisible")
    if (size < tinySize && (box.right - box.left) / Math.max(1, run.str.length) < tinySize) return hiddenLook("tiny")
    const { tone, drawnBefore } = run
    if (tone === undefined || drawnBefore === undefined || comparisons > mostComparisons) return 0
    const key = Math.round(tone / likeness)
    if (tone >= 0 && (tones.has(key) || tones.has(key - 1) || tones.has(key + 1))) {
      const ground = groundTone(drawnBefore, (box.left + box.right) / 2, (box.top + box.bottom) / 2)
      if (ground >= 0 && Math.abs(ground - tone) <= likeness) return hiddenLook("colour")
    }
    return images.length > 0 && isCovered(drawnBefore, box) ? hiddenLook("invisible") : 0
  }
}
