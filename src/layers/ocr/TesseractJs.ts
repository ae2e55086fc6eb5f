// Recognition of text by tesseract compiled to WebAssembly, in child processes behind the walls of page workers.
import { Effect } from "effect"
import { dirname, join } from "node:path"
import { failure } from "../../domain/Failure.ts"
import { Ocr, OcrError } from "../../services/Ocr.ts"
import type { WorkerDied } from "../../services/PdfEngine.ts"
import { makeChildren, type TaskFailed, type TaskTimeout } from "../children/Children.ts"
import { packageOf, type Program } from "../pdf/pool/Launch.ts"
import { moduleBeside } from "../pdf/pool/Protocol.ts"
import { findSandbox } from "../pdf/pool/Sandbox.ts"
import { inAnyOrientation } from "./AnyOrientation.ts"
import { coreFolder, dataFile, missingLanguages } from "./Languages.ts"
import type { OcrProcesses } from "./OcrProcesses.ts"
import { mostAnswerBytes, type OcrTask } from "./OcrTask.ts"
import { linesOfTsv } from "./Tsv.ts"
import { toPgm } from "./Turning.ts"

/** Of what is recognised: it follows the pinned version of the engine and its models. */
const version = "7.0.0"

const idle = "1 minute"

const errorOf = (error: TaskFailed | TaskTimeout | WorkerDied): OcrError => {
  switch (error._tag) {
    case "TaskFailed":
      return new OcrError({ failure: error.failure, again: false })
    case "TaskTimeout":
      return new OcrError({ failure: failure("STAGE_TIMEOUT", "the text was not recognised in time"), again: false })
    case "WorkerDied":
      return error.memory
        ? new OcrError({
            failure: failure("RESOURCE_LIMIT", "Recognising the text needs too much memory."),
            again: false
          })
        : new OcrError({ failure: failure("CRASHED", `the OCR process died: ${error.detail}`), again: true })
  }
}

const programOf = (core: string, data: ReadonlyArray<string>, niceness: number): Program => ({
  title: "sluice-ocr",
  entry: moduleBeside(import.meta.url, "OcrMain"),
  args: [core, ...data],
  packages: [packageOf("effect"), { name: "tesseract.js-core", folder: core }],
  // Node looks there for how a module is to be read.
  files: [...data, join(dirname(core), "package.json")],
  hasAddons: false,
  niceness
})

/** With data of these languages; undefined where the engine is not installed. */
export const makeTesseractJs = Effect.fnUntraced(function* (
  languages: ReadonlyArray<string>,
  { memoryBytes, niceness, processes, sandbox, timeoutMillis }: OcrProcesses
) {
  const core = coreFolder()
  if (core === undefined) return undefined
  const installed = new Map(
    languages.flatMap((language) => {
      const file = dataFile(language)
      return file === undefined ? [] : [[language, file] as const]
    })
  )
  const children = yield* makeChildren({
    program: programOf(core, [...installed.values()], niceness),
    memoryBytes,
    sandbox: yield* Effect.cached(findSandbox(sandbox)),
    most: processes,
    idle,
    timeoutMillis,
    mostAnswerBytes
  })
  const lacking = (wanted: ReadonlyArray<string>) => wanted.filter((language) => !installed.has(language))

  return Ocr.of({
    engine: "tesseract.js",
    version,
    missing: (wanted) => Effect.succeed(lacking(wanted)),
    recognise: Effect.fn("Ocr.recognise")(function* (image, { dpi, languages }) {
      const missing = lacking(languages)
      if (missing.length > 0) return yield* missingLanguages(missing, "install the packages @tesseract.js-data/…")
      const task: OcrTask = { languages: languages.join("+"), dpi }
      return yield* inAnyOrientation(
        (part) =>
          children.run(task, { location: { _tag: "Bytes", bytes: toPgm(part) } }).pipe(
            Effect.mapError(errorOf),
            Effect.map((answer) => (typeof answer === "string" ? linesOfTsv(answer) : []))
          ),
        dpi
      )(image)
    })
  })
})
