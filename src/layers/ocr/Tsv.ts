// What tesseract writes as TSV: rows of level, page, block, paragraph, line, word, left, top, width, height, confidence and text.
import type { OcrLine, OcrWord, QuarterTurn } from "../../services/Ocr.ts"

/** A page that a person reads has some hundred words. */
const mostWords = 20_000

const wordLevel = 5

interface OpenLine {
  readonly block: number
  readonly words: Array<OcrWord>
}

const numberOf = (text: string | undefined): number => {
  const value = Number(text)
  return Number.isFinite(value) ? value : 0
}

/** Characters of which a word's box shows by its form whether the line runs to the right or down. */
const tellingLength = 3

/** Tesseract also reads text that runs down the image. */
const directionOf = (words: ReadonlyArray<OcrWord>): QuarterTurn => {
  let down = 0
  for (const { height, text, width } of words) {
    if (text.length >= tellingLength) down += height > width ? text.length : -text.length
  }
  return down > 0 ? 90 : 0
}

/** Lines in the order of reading. Rows that are none are left out: the text may come from a process that was taken over. */
export const linesOfTsv = (tsv: string): ReadonlyArray<OcrLine> => {
  const lines: Array<OpenLine> = []
  let open = ""
  let words = 0
  for (const row of tsv.split("\n")) {
    const [level, page, block, paragraph, line, , x, y, width, height, confidence, ...rest] = row.split("\t")
    const text = rest.join(" ").trim()
    if (Number(level) !== wordLevel || text === "" || ++words > mostWords) continue
    const key = `${page} ${block} ${paragraph} ${line}`
    if (key !== open) lines.push({ block: numberOf(block), words: [] })
    open = key
    lines.at(-1)?.words.push({
      text,
      confidence: Math.min(100, Math.max(0, numberOf(confidence))),
      x: numberOf(x),
      y: numberOf(y),
      width: numberOf(width),
      height: numberOf(height)
    })
  }
  return lines.map(({ block, words }) => ({ block, direction: directionOf(words), words }))
}

/** The mean over all characters; 0 when there are none. */
export const confidenceOf = (lines: ReadonlyArray<OcrLine>): number => {
  let characters = 0
  let sum = 0
  for (const { words } of lines) {
    for (const { confidence, text } of words) {
      characters += text.length
      sum += confidence * text.length
    }
  }
  return characters === 0 ? 0 : sum / characters
}
