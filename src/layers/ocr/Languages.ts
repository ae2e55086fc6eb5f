// Names of languages, as tesseract has them, and where npm packages have their data.
import { existsSync, realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { failure } from "../../domain/Failure.ts"
import { OcrError } from "../../services/Ocr.ts"

/** `eng`, `chi_sim`, `deu_latf`: safe in an argument and in a path. */
export const languagePattern = /^[A-Za-z][A-Za-z0-9]{1,15}(_[A-Za-z0-9]{1,15}){0,2}$/

const require = createRequire(import.meta.url)

const folderOf = (name: string): string | undefined => {
  try {
    return dirname(realpathSync(require.resolve(`${name}/package.json`)))
  } catch {
    return undefined
  }
}

/** The folder of tesseract.js-core; undefined where it is not installed. */
export const coreFolder = (): string | undefined => folderOf("tesseract.js-core")

/** The small and exact model of the language, from its package; undefined where that is not installed. */
export const dataFile = (language: string): string | undefined => {
  const folder = languagePattern.test(language) ? folderOf(`@tesseract.js-data/${language}`) : undefined
  if (folder === undefined) return undefined
  const file = join(folder, "4.0.0_best_int", `${language}.traineddata.gz`)
  return existsSync(file) ? file : undefined
}

export const missingLanguages = (languages: ReadonlyArray<string>, how: string): OcrError =>
  new OcrError({
    failure: failure("OCR_LANGUAGE_MISSING", `no data of ${languages.join(", ")}: ${how}`),
    again: false
  })
