// What is usual on a page: the size and weight of its running text, and the distance of its lines.
import { mono } from "../Looks.ts"
import type { StyledLine } from "./StyledLine.ts"

export interface PageStyle {
  /** The font size of most characters. */
  readonly bodySize: number
  /** Most characters are bold, so that bold says nothing. */
  readonly isBodyBold: boolean
  readonly isBodyItalic: boolean
  readonly isBodyMono: boolean
  /** The usual distance of baselines, in parts of the font size. */
  readonly leading: number
}

const usualLeading = 1.2
const widestLeading = 3
const fewestCharacters = 600
const many = 0.3
const largest = 1.4

const rounded = (size: number): number => Math.round(size * 2) / 2

/**
 * The size of most characters, or another of many: a larger one where there is much text, since a page of notes and quotations
 * may have more of those; a smaller one where there is little, since most of it may be titles.
 */
const usualSize = (sizes: ReadonlyMap<number, number>): number => {
  let [usual, most, all] = [10, 0, 0]
  for (const [size, count] of sizes) {
    all += count
    if (count > most || (count === most && size < usual)) [usual, most] = [size, count]
  }
  const isMuch = all >= fewestCharacters
  for (const [size, count] of sizes) {
    if (count < many * all) continue
    if (isMuch ? size > usual && size < largest * usual : size < usual) usual = size
  }
  return usual
}

export const pageStyle = (groups: ReadonlyArray<ReadonlyArray<StyledLine>>): PageStyle => {
  const sizes = new Map<number, number>()
  const monoSizes = new Map<number, number>()
  const leadings: Array<number> = []
  let characters = 0
  let bold = 0
  let italic = 0
  let ofMono = 0
  for (const lines of groups) {
    let before: StyledLine | undefined
    for (const line of lines) {
      for (const { look, size, text } of line.spans) {
        const counted = (look & mono) === 0 ? sizes : monoSizes
        counted.set(rounded(size), (counted.get(rounded(size)) ?? 0) + text.length)
      }
      characters += line.characters
      if (line.isBold) bold += line.characters
      if (line.isItalic) italic += line.characters
      if (line.isMono) ofMono += line.characters
      const leading = before === undefined ? 0 : (line.baseline - before.baseline) / line.usualSize
      if (leading > 0.5 && leading < widestLeading && before?.usualSize === line.usualSize) leadings.push(leading)
      before = line
    }
  }
  const sorted = Float64Array.from(leadings).sort()
  return {
    bodySize: usualSize(sizes.size === 0 ? monoSizes : sizes),
    isBodyBold: 2 * bold > characters,
    isBodyItalic: 2 * italic > characters,
    isBodyMono: 1.2 * ofMono > characters,
    leading: sorted[sorted.length >> 1] ?? usualLeading
  }
}
