// Code, by letters of one width, and formulas, by the fonts of their signs.
import { math } from "../Looks.ts"
import type { PageStyle } from "./PageStyle.ts"
import type { StyledLine } from "./StyledLine.ts"
import type { TextBlock } from "./TextBlock.ts"

// In parts of the font size.
const indent = 0.8
const widestGap = 2.6

/** A line in letters of one width is one of code if it stands apart; else it is a word of its paragraph that fills the line. */
const standsApart = (line: StyledLine, left: number): boolean => line.left >= left + indent * line.usualSize

/** Marks blocks of code and joins those that only blank lines or indents part. `left` is the edge of the column. */
export const joinCode = (blocks: ReadonlyArray<TextBlock>, style: PageStyle, left: number): Array<TextBlock> => {
  if (style.isBodyMono) return [...blocks]
  const joined: Array<TextBlock> = []
  for (const block of blocks) {
    const [first] = block.lines
    const isMono = block.kind === "paragraph" && block.lines.every((line) => line.isMono)
    if (first === undefined || !isMono || !(block.lines.length > 1 || standsApart(first, left))) {
      joined.push(block)
      continue
    }
    const before = joined.at(-1)
    const last = before?.lines.at(-1)
    const gap = last === undefined ? Infinity : (first.baseline - last.baseline) / first.usualSize
    if (before?.kind === "code" && gap > 0 && gap < widestGap) {
      before.lines.push(...block.lines)
    } else {
      block.kind = "code"
      joined.push(block)
    }
  }
  return joined
}

const word = /\p{L}{4,}/u
const equation = /[=≈≤≥<>∑∫√±∈→∝≡]/
const mathShare = 0.4

/** Marks lines that are nothing but formulas: mostly signs of fonts for formulas, and no words. */
export const markFormulas = (blocks: ReadonlyArray<TextBlock>): void => {
  for (const block of blocks) {
    if (block.kind !== "paragraph" || block.lines.length > 6) continue
    let [all, signs] = [0, 0]
    for (const { spans } of block.lines) {
      for (const { look, text } of spans) {
        all += text.length
        if ((look & math) !== 0) signs += text.length
      }
    }
    const text = block.lines.map((line) => line.text).join(" ")
    if (signs >= mathShare * all && equation.test(text) && !word.test(text)) block.kind = "formula"
  }
}
