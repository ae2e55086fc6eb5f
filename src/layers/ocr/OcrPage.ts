// From recognised words to a page in the form of those that are read: the same rules find its lines, columns and blocks.
import { type Warning, warning } from "../../domain/document/Warning.ts"
import type { OcrLine, OcrReading } from "../../services/Ocr.ts"
import type { PageReading } from "../../services/pipelines/Stage.ts"
import type { TextRun, Viewport } from "../pdf/text/Fragments.ts"
import { bareMatter, layoutPage } from "../pdf/text/Layout.ts"
import { boundedLayout, boundedText } from "../pdf/worker/TextBounds.ts"
import { evenSizes, measureLine, type MeasuredLine } from "./LineMeasure.ts"
import { confidenceOf } from "./Tsv.ts"

/** Of a page, below which its text is not to be relied on. */
const sureConfidence = 75

/** On a page that may be a picture, a line below this is taken for noise. */
const noiseConfidence = 40
const pictureConfidence = 60

/** The lines that are text. */
export const textLines = ({ confidence, lines }: OcrReading): ReadonlyArray<OcrLine> =>
  confidence >= pictureConfidence ? lines : lines.filter((line) => confidenceOf([line]) >= noiseConfidence)

const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{P}]/u

/** Whether a blank belongs between two words of a line, whatever their distance. */
const isSpaced = (before: string, after: string): boolean =>
  !(unspaced.test(before.slice(-1)) && unspaced.test(after.slice(0, 1)) && /\p{Lo}/u.test(before + after))

const runsOf = ({ baseline, size, ux, uy, words }: MeasuredLine): ReadonlyArray<TextRun> =>
  words.map(({ left, right, text }, index) => {
    const before = words[index - 1]
    const space = before !== undefined && isSpaced(before.text, text) ? " " : ""
    return {
      str: space + text,
      dir: "ltr",
      transform: [ux * size, uy * size, -uy * size, ux * size, left * ux - baseline * uy, left * uy + baseline * ux],
      width: right - left,
      height: size
    }
  })

export interface OcrPage {
  readonly reading: PageReading
  readonly warnings: ReadonlyArray<Warning>
}

/**
 * The page as it is displayed has this size in points, and its image had `imageWidth` pixels. Undefined when no text was
 * found.
 */
export const toPage = (
  reading: OcrReading,
  size: Pick<Viewport, "width" | "height">,
  imageWidth: number,
  withLayout: boolean
): OcrPage | undefined => {
  const lines = textLines(reading)
  if (lines.length === 0) return undefined
  const runs = evenSizes(lines.map(measureLine)).flatMap(runsOf)
  // Runs are in pixels; the viewport takes them to points.
  const scale = size.width / imageWidth
  const laidOut = layoutPage(runs, bareMatter({ ...size, transform: [scale, 0, 0, scale, 0, 0] }))
  const text = boundedText(laidOut)
  const layout = withLayout ? boundedLayout({ ...laidOut.layout, isRecognized: true }) : undefined
  return {
    reading: { text: text.text, lines: text.lines, ...layout?.field },
    warnings: [
      ...(confidenceOf(lines) < sureConfidence ? [warning("TEXT_UNSURE")] : []),
      ...text.warnings,
      ...(layout?.warnings ?? [])
    ]
  }
}
