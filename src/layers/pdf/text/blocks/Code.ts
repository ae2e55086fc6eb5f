// Code, by letters of one width, and formulas, by the fonts of their signs.
import { math } from "../Looks.ts"
import type { PageStyle } from "./PageStyle.ts"
import type { StyledLine } from "./StyledLine.ts"
import type { TextBlock } from "./TextBlock.ts"

// In parts of the font size.
const indent = 0.8
const widestGap = 2.6

/** An address is set in such letters, too. */
const address = /https?:|www\.|@\w+\./

/** A single line in letters of one width is code if it is indented; else it is a word of a paragraph that fills a line. */
const standsApart = (line: StyledLine, ...neighbours: ReadonlyArray<TextBlock | undefined>): boolean =>
  neighbours.every((block, index) => {
    const near = index === 0 ? block?.lines.at(-1) : block?.lines[0]
    return near === undefined || near.isMono || line.left >= near.left + indent * line.usualSize
  })

/** Marks blocks of code, and joins those that only blank lines or indents part. */
export const joinCode = (blocks: ReadonlyArray<TextBlock>, style: PageStyle): Array<TextBlock> => {
  if (style.isBodyMono) return [...blocks]
  const joined: Array<TextBlock> = []
  blocks.forEach((block, at) => {
    const [first] = block.lines
    const isMono = block.kind === "paragraph" && block.lines.every((line) => line.isMono)
    const isCode =
      isMono &&
      first !== undefined &&
      !address.test(first.text) &&
      (block.lines.length > 1 || standsApart(first, blocks[at - 1], blocks[at + 1]))
    if (first === undefined || !isCode) {
      joined.push(block)
      return
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
  })
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
