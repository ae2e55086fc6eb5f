// The stage that reads pages which are images: draws the page, has its text recognised, and lays it out.
import { Effect } from "effect"
import { StageName, StageVersion } from "../../domain/pipeline/Pipeline.ts"
import type { CallOptions } from "../../services/downstreams/Downstreams.ts"
import { Downstreams } from "../../services/downstreams/Downstreams.ts"
import { Ocr, ocrDownstream, type OcrReading } from "../../services/Ocr.ts"
import { PageImages } from "../../services/PageImages.ts"
import { type PageInput, type PageOutput, type PageStage, StageError } from "../../services/pipelines/Stage.ts"
import { toPage } from "./OcrPage.ts"

export const ocrStageName = StageName.make("ocr")

/** As exact as more, and a quarter cheaper than 300. */
const usualDpi = 200
/** Below this, small print is not read any more. */
const leastDpi = 72
/** A4 at 360 dpi, A2 at 180: what one process recognises within its memory. */
const mostPixels = 12_500_000

export interface OcrStageOptions {
  readonly languages: ReadonlyArray<string>
  /** Whether pages get layouts. */
  readonly layout: boolean
}

/** Changes when the stage would read something else. Letters, digits and `._-` only. */
export const ocrVersion = (engine: string, version: string, languages: ReadonlyArray<string>): StageVersion =>
  StageVersion.make(`1-${engine}-${version}-${languages.join(".")}`.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 64))

/** The resolution at which the page is drawn: less than usual for one that is very large. */
const dpiFor = ({ height, width }: PageInput["page"]): number =>
  Math.floor(Math.min(usualDpi, 72 * Math.sqrt(mostPixels / Math.max(1, width * height))))

const round = (value: number): number => Math.round(value * 100) / 100

/** Words with their places in points of the page as displayed. */
const contentOf = (
  reading: OcrReading,
  scale: number,
  { engine, languages }: { engine: string; languages: ReadonlyArray<string> }
) => ({
  engine,
  languages,
  orientation: reading.orientation,
  confidence: round(reading.confidence),
  lines: reading.lines.map(({ direction, words }) => ({
    ...(direction !== 0 && { direction }),
    words: words.map(({ confidence, height, text, width, x, y }) => ({
      text,
      confidence: round(confidence),
      x: round(x * scale),
      y: round(y * scale),
      width: round(width * scale),
      height: round(height * scale)
    }))
  }))
})

/** The stage over the `Ocr` and the `PageImages` of where it is made. */
export const makeOcrStage = Effect.fnUntraced(function* ({ languages, layout }: OcrStageOptions) {
  const ocr = yield* Ocr
  const images = yield* PageImages

  const run = Effect.fnUntraced(
    function* ({ page, pdf, priority, tenant }: PageInput) {
      const downstreams = yield* Downstreams
      const call: CallOptions = { tenant, class: "batch", priority }
      const dpi = dpiFor(page)
      if (dpi < leastDpi) {
        return yield* StageError.of(
          "PAGE_TOO_LARGE",
          `At ${leastDpi} dpi the page has too many pixels to be recognised.`
        )
      }
      const image = yield* images.render(pdf, page.number, { size: { dpi }, format: "grey" }, call)
      const reading = yield* downstreams.call(ocrDownstream, call)(ocr.recognise(image, { languages, dpi }))
      const found = toPage(reading, page, image.width, layout)
      const content = contentOf(reading, page.width / image.width, { engine: ocr.engine, languages })
      const output: PageOutput = {
        content: { mediaType: "application/json", bytes: new TextEncoder().encode(JSON.stringify(content)) },
        ...(found !== undefined && { reading: found.reading, warnings: found.warnings })
      }
      return output
    },
    Effect.catchTag("PdfUnreadable", ({ failure }) => Effect.fail(new StageError({ failure, again: false }))),
    Effect.catchTag(["PageImageError", "OcrError"], ({ again, failure }) =>
      Effect.fail(new StageError({ failure, again }))
    )
  )

  const stage: PageStage = {
    kind: "page",
    name: ocrStageName,
    version: ocrVersion(ocr.engine, ocr.version, languages),
    needs: [],
    provides: "text",
    run
  }
  return stage
})
