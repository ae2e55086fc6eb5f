// The recognition of text that is installed here, as a stage.
import { Effect, Layer, Schema } from "effect"
import type { PipelineDeclaration } from "../../services/pipelines/PipelineDeclarations.ts"
import type { PageStage } from "../../services/pipelines/Stage.ts"
import { Ocr } from "../../services/Ocr.ts"
import { ImagesConfig, OcrConfig, type OcrChoice } from "../config/OcrConfig.ts"
import { WorkersConfig } from "../config/Config.ts"
import { findSandbox, requireAll } from "../pdf/pool/Sandbox.ts"
import { defaultProcesses, type OcrProcesses } from "./OcrProcesses.ts"
import { makeOcrStage, ocrStageName } from "./OcrStage.ts"
import { makeTesseractCommand } from "./TesseractCommand.ts"
import { makeTesseractJs } from "./TesseractJs.ts"

/** The engine that `OCR` names cannot be used here. */
export class OcrUnavailable extends Schema.TaggedError<OcrUnavailable>()("OcrUnavailable", {
  detail: Schema.String
}) {
  override get message() {
    return `OCR: ${this.detail}; see docs/ocr.md`
  }
}

/** Reads pages, and recognises the text of those that are images. */
export const ocrPipeline: PipelineDeclaration = {
  name: ocrStageName,
  steps: [{ stage: ocrStageName, pages: "scanned" }]
}

export interface OcrSettings extends OcrProcesses {
  readonly engine: OcrChoice
  readonly languages: ReadonlyArray<string>
}

const install = {
  "tesseract.js": (languages: ReadonlyArray<string>) =>
    `npm install tesseract.js-core@7.0.0 ${languages.map((language) => `@tesseract.js-data/${language}`).join(" ")}`,
  tesseract: (languages: ReadonlyArray<string>) =>
    `install the command tesseract and its data of ${languages.join(", ")}`
} as const

/**
 * The engine with the data of all languages. Fails when the one that is named, or its data, is not installed; undefined when
 * none is named and none is there.
 */
export const findOcr = Effect.fnUntraced(function* ({ engine, languages, ...processes }: OcrSettings) {
  if (engine === "off") return undefined
  if (processes.sandbox === "require") yield* Effect.flatMap(findSandbox(processes.sandbox), requireAll)
  const makers = {
    "tesseract.js": makeTesseractJs(languages, processes),
    tesseract: makeTesseractCommand(processes)
  } as const
  for (const name of ["tesseract.js", "tesseract"] as const) {
    if (engine !== "auto" && engine !== name) continue
    const found = yield* makers[name]
    const missing = found === undefined ? undefined : yield* found.missing(languages)
    if (found !== undefined && missing?.length === 0) return found
    if (engine === "auto") continue
    return yield* new OcrUnavailable({
      detail:
        missing === undefined
          ? `${name} is not installed: ${install[name](languages)}`
          : `OCR_LANGUAGE_MISSING: ${name} has no data of ${missing.join(", ")}: ${install[name](missing)}`
    })
  }
  return undefined
})

/** What the environment asks for. */
export const ocrSettings = Effect.gen(function* () {
  const { images } = yield* ImagesConfig
  const { languages, ocr, processes } = yield* OcrConfig
  const { sandbox } = yield* WorkersConfig
  const settings: OcrSettings = {
    ...defaultProcesses,
    engine: images === "off" ? "off" : ocr,
    languages,
    processes,
    sandbox
  }
  return settings
})

/** The stage `ocr`; none when it is off, or when no engine is asked for by name and none is installed. */
export const makeOcrStages = Effect.fnUntraced(function* (settings: OcrSettings, layout: boolean) {
  const ocr = yield* findOcr(settings)
  if (ocr === undefined) return []
  const stage: PageStage = yield* makeOcrStage({ languages: settings.languages, layout }).pipe(
    Effect.provideService(Ocr, ocr)
  )
  return [stage]
})

/** As the environment says. */
export const ocrStages = Effect.gen(function* () {
  const { layout } = yield* WorkersConfig
  return yield* makeOcrStages(yield* ocrSettings, layout === "on")
})

export const defaultSettings: OcrSettings = { ...defaultProcesses, engine: "auto", languages: ["eng"] }

/** For programs that give their settings themselves. */
export const layer = (settings: Partial<OcrSettings> = {}) =>
  Layer.effect(
    Ocr,
    Effect.flatMap(findOcr({ ...defaultSettings, ...settings }), (found) =>
      found === undefined
        ? Effect.fail(new OcrUnavailable({ detail: "no engine is installed" }))
        : Effect.succeed(found)
    )
  )
