// What is usual on a page: the size and weight of its running text, and the distance of its lines.
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

const rounded = (size: number): number => Math.round(size * 2) / 2

export const pageStyle = (groups: ReadonlyArray<ReadonlyArray<StyledLine>>): PageStyle => {
  const sizes = new Map<number, number>()
  const leadings: Array<number> = []
  let characters = 0
  let bold = 0
  let italic = 0
  let mono = 0
  for (const lines of groups) {
    let before: StyledLine | undefined
    for (const line of lines) {
      for (const { text, size } of line.spans) sizes.set(rounded(size), (sizes.get(rounded(size)) ?? 0) + text.length)
      characters += line.characters
      if (line.isBold) bold += line.characters
      if (line.isItalic) italic += line.characters
      if (line.isMono) mono += line.characters
      const leading = before === undefined ? 0 : (line.baseline - before.baseline) / line.usualSize
      if (leading > 0.5 && leading < widestLeading && before?.usualSize === line.usualSize) leadings.push(leading)
      before = line
    }
  }
  let bodySize = 10
  let most = 0
  for (const [size, count] of sizes) {
    if (count > most || (count === most && size < bodySize)) {
      most = count
      bodySize = size
    }
  }
  const sorted = Float64Array.from(leadings).sort()
  return {
    bodySize,
    isBodyBold: 2 * bold > characters,
    isBodyItalic: 2 * italic > characters,
    isBodyMono: 1.2 * mono > characters,
    leading: sorted[sorted.length >> 1] ?? usualLeading
  }
}
