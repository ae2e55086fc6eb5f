// Reads an image whichever way it was put into the scanner, with a recogniser that reads text that runs to the right or down.
import { Effect } from "effect"
import type { GreyImage, OcrError, OcrLine, OcrReading, OcrWord, QuarterTurn } from "../../services/Ocr.ts"
import { confidenceOf } from "./Tsv.ts"
import { densest, turned } from "./Turning.ts"

/** Text that is read the wrong way round has a confidence of 20 to 35, text that is read right, of 80 and more. */
const doubtful = 60
const better = 15

/** Another way round is tried on a part of the image only: a square of so many inches. */
const trialInches = 3.5

const quarters = [0, 90, 180, 270] as const

const add = (one: QuarterTurn, other: number): QuarterTurn => quarters[((one + other) / 90) % 4] ?? 0

/** The word in the image that was turned by so much to get `turnedSize`. */
const backWord = (word: OcrWord, by: QuarterTurn, { height, width }: GreyImage): OcrWord => {
  const { x, y } = word
  switch (by) {
    case 0:
      return word
    case 90:
      return { ...word, x: y, y: width - x - word.width, width: word.height, height: word.width }
    case 180:
      return { ...word, x: width - x - word.width, y: height - y - word.height }
    case 270:
      return { ...word, x: height - y - word.height, y: x, width: word.height, height: word.width }
  }
}

const back = (lines: ReadonlyArray<OcrLine>, by: QuarterTurn, image: GreyImage): ReadonlyArray<OcrLine> =>
  by === 0
    ? lines
    : lines.map(({ block, direction, words }) => ({
        block,
        direction: add(direction, 360 - by),
        words: words.map((word) => backWord(word, by, image))
      }))

const charactersBy = (lines: ReadonlyArray<OcrLine>): ReadonlyMap<QuarterTurn, number> => {
  const sums = new Map<QuarterTurn, number>()
  for (const { direction, words } of lines) {
    const characters = words.reduce((sum, { text }) => sum + text.length, 0)
    sums.set(direction, (sums.get(direction) ?? 0) + characters)
  }
  return sums
}

/** The direction of most of the text. */
const mainDirection = (lines: ReadonlyArray<OcrLine>): QuarterTurn => {
  let main: QuarterTurn = 0
  let most = 0
  for (const [direction, characters] of charactersBy(lines)) {
    if (characters > most) {
      main = direction
      most = characters
    }
  }
  return main
}

type Once = (image: GreyImage) => Effect.Effect<ReadonlyArray<OcrLine>, OcrError>

const readingOf = (lines: ReadonlyArray<OcrLine>): OcrReading => ({
  orientation: add(0, 360 - mainDirection(lines)),
  lines,
  confidence: confidenceOf(lines)
})

/**
 * Text that runs to the right or down is read at once. Only if that is doubtful, a part of the image is tried upside down, and
 * if that is better, all of it is read once more.
 */
export const inAnyOrientation = (once: Once, dpi: number) =>
  Effect.fnUntraced(function* (image: GreyImage) {
    const first = yield* once(image)
    const confidence = confidenceOf(first)
    if (first.length === 0 || confidence >= doubtful) return readingOf(first)
    const trial = yield* once(turned(densest(image, Math.round(trialInches * dpi)), 180))
    if (confidenceOf(trial) < Math.max(doubtful, confidence + better)) return readingOf(first)
    const by = mainDirection(trial) === 90 ? 90 : 180
    const upright = turned(image, by)
    return readingOf(back(yield* once(upright), by, upright))
  })
