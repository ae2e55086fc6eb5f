import { Config, Effect, Schema } from "effect"
import { statSync } from "node:fs"
import { availableParallelism } from "node:os"
import { count } from "../../services/config/ConfigValues.ts"
import { decodeDownstreams, type DownstreamsWritten } from "../../services/downstreams/DownstreamSettings.ts"
import { imagesDownstream } from "../../services/PageImages.ts"
import { ocrDownstream } from "../../services/Ocr.ts"
import { languagePattern } from "../ocr/Languages.ts"

const fontFile = Schema.String.check(
  Schema.makeFilter((path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() || "an existing font file")
)

/** A list with commas between its items. */
const listed = (text: string): ReadonlyArray<string> =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")

const fonts = Config.schema(
  Schema.String.check(
    Schema.makeFilter(
      (text: string) =>
        listed(text).every((path) => Schema.is(fontFile)(path)) || "existing font files, with commas between"
    )
  ),
  "RENDER_FONTS"
).pipe(Config.map(listed), Config.withDefault([]))

/** Whether pages can be drawn, and with what for fonts that a PDF does not have in it. */
export const ImagesConfig = Config.all({
  images: Config.Literals(["on", "off"], "IMAGES").pipe(Config.withDefault("on")),
  fonts
})

/** `auto`: the first of the engines that is installed with the data of all languages, or none. */
export const ocrChoices = ["off", "auto", "tesseract.js", "tesseract"] as const
export type OcrChoice = (typeof ocrChoices)[number]

const languages = Config.schema(
  Schema.String.check(
    Schema.makeFilter((text: string) => {
      const names = text.split(/[,+]/).map((name) => name.trim())
      return (
        (names.length <= 8 && names.every((name) => languagePattern.test(name))) ||
        "up to 8 languages as tesseract names them, with commas between: eng,deu"
      )
    })
  ),
  "OCR_LANGUAGES"
).pipe(
  Config.map((text) => text.split(/[,+]/).map((name) => name.trim())),
  Config.withDefault(["eng"])
)

/** How the text of pages that are images is recognised. */
export const OcrConfig = Config.all({
  ocr: Config.Literals(ocrChoices, "OCR").pipe(Config.withDefault("auto")),
  languages,
  processes: count("OCR_PROCESSES", 64).pipe(Config.withDefault(Math.max(1, Math.floor(availableParallelism() / 2))))
})

/** One call after the other, none of them tried again: what can be cured is cured where the processes are. */
const local = { retry: { times: 0 }, breaker: false, timeout: { whole: "60m" }, maxWait: "60m", queue: 10_000 } as const

export interface LocalDownstreams {
  /** Whether pages can be drawn. */
  readonly images: boolean
  /** How many texts may be recognised at once; 0 when none are. */
  readonly ocr: number
}

/** The downstreams of the engine's own processes, as `PIPELINES_FILE` would declare them. */
export const localDownstreams = ({ images, ocr }: LocalDownstreams): DownstreamsWritten => ({
  // One place is kept for people who look at pages: they do not wait for scans.
  ...(images && { [imagesDownstream]: { ...local, concurrency: 2, reserve: 1 } }),
  ...(images && ocr > 0 && { [ocrDownstream]: { ...local, concurrency: ocr } })
})

/** Those of the environment; what `PIPELINES_FILE` declares by these names counts instead. */
export const builtInDownstreams = Effect.gen(function* () {
  const { images } = yield* ImagesConfig
  const { ocr, processes } = yield* OcrConfig
  return yield* Effect.orDie(
    decodeDownstreams(localDownstreams({ images: images === "on", ocr: ocr === "off" ? 0 : processes }))
  )
})
