// The words of a layout with their places. Within a span only its ends are known: the places between them are estimated from
// what letters usually take.
import type { Block, LayoutLine, PageLayout, TextSpan } from "../document/PageLayout.ts"
import type { TextWord } from "../document/Page.ts"

const linesOf = (block: Block): ReadonlyArray<LayoutLine> =>
  block._tag === "figure" ? [] : block._tag === "table" ? block.cells.flatMap(({ lines }) => lines) : block.lines

const narrow = new Set("iljtfrI.,:;'|!()[]{}` ")
const wide = new Set("mwMW@%—")
const isFullWidth = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uff01-\uff60]/u

/** The usual width of a character, in shares of the size. */
const usualWidth = (character: string): number => {
  if (narrow.has(character)) return 0.3
  if (wide.has(character)) return 0.85
  if (/\p{M}/u.test(character)) return 0
  if (isFullWidth.test(character)) return 1
  return /\p{Lu}/u.test(character) ? 0.68 : 0.52
}

const round = (value: number): number => Math.round(value * 100) / 100
const isRightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/

/** A span is turned when it is written from top to bottom or the other way: its words then share its height. */
const wordsOfSpan = ({ box, hidden, text }: TextSpan): ReadonlyArray<TextWord> => {
  const isTurned = box.height > box.width * 2 && text.trim().length > 2
  const widths = Array.from(text, usualWidth)
  const sum = widths.reduce((total, width) => total + width, 0) || 1
  const scale = (isTurned ? box.height : box.width) / sum
  const words: Array<TextWord> = []
  let at = 0
  for (const part of text.split(/(\s+)/)) {
    const length = Array.from(part, usualWidth).reduce((total, width) => total + width, 0) * scale
    if (part.trim() !== "") {
      const from = isRightToLeft.test(text) ? (isTurned ? box.height : box.width) - at - length : at
      const place = isTurned
        ? { x: box.x, y: round(box.y + from), width: box.width, height: round(length) }
        : { x: round(box.x + from), y: box.y, width: round(length), height: box.height }
      words.push({ text: part, ...place, ...(hidden === undefined ? {} : { hidden }) })
    }
    at += length
  }
  return words
}

const union = (a: TextWord, b: TextWord): TextWord => {
  const x = Math.min(a.x, b.x)
  const y = Math.min(a.y, b.y)
  return {
    ...a,
    text: a.text + b.text,
    x,
    y,
    width: round(Math.max(a.x + a.width, b.x + b.width) - x),
    height: round(Math.max(a.y + a.height, b.y + b.height) - y)
  }
}

/** A word may go on from one span to the next, as when its first letter is bold. */
const wordsOfLine = ({ spans }: LayoutLine): ReadonlyArray<TextWord> => {
  const words: Array<TextWord> = []
  let isOpen = false
  for (const span of spans) {
    const [first, ...rest] = wordsOfSpan(span)
    if (first !== undefined) {
      const last = words.at(-1)
      const goesOn = isOpen && last !== undefined && !/^\s/.test(span.text) && last.hidden === first.hidden
      if (goesOn) words[words.length - 1] = union(last, first)
      else words.push(first)
      words.push(...rest)
    }
    if (span.text !== "") isOpen = !/\s$/.test(span.text)
  }
  return words
}

export const wordsOf = ({ blocks }: PageLayout): ReadonlyArray<TextWord> => blocks.flatMap(linesOf).flatMap(wordsOfLine)
