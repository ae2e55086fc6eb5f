// The entry of a process that recognises text with tesseract, compiled to WebAssembly.
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename } from "node:path"
import { gunzipSync } from "node:zlib"
import { failure, type Failure } from "../../domain/Failure.ts"
import { type Bytes, given, serve, type Work } from "../children/Serve.ts"
import { isOcrTask } from "./OcrTask.ts"

interface Api {
  readonly Init: (path: null, languages: string, mode: number) => number
  readonly SetVariable: (name: string, value: string) => unknown
  readonly SetImageFile: (exif: number, angle: number) => number
  readonly Recognize: (monitor: null) => number
  readonly GetTSVText: (page: number) => string
  readonly Clear: () => void
  readonly End: () => void
}

interface Core {
  readonly FS: { readonly writeFile: (path: string, bytes: Uint8Array) => void }
  readonly TessBaseAPI: new () => Api
}

const isMaker = (value: unknown): value is (options: object) => Promise<Core> => typeof value === "function"

const lstmOnly = 1
const automaticSegmentation = "3"

/** A module of one function that uses a vector: it is valid where the processor has them. */
const vectors = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11
])

const hasVectors = (): boolean => {
  const assembly: unknown = Reflect.get(globalThis, "WebAssembly")
  const validate: unknown = Reflect.get(Object(assembly), "validate")
  return typeof validate === "function" && Reflect.apply(validate, assembly, [vectors]) === true
}

const suffix = ".traineddata.gz"

const start = Effect.gen(function* () {
  const [core = "", ...data] = given
  // The variant with relaxed vectors gives other results on other processors.
  const file = `${core}/tesseract-core-${hasVectors() ? "simd-lstm" : "lstm"}.js`
  const make: unknown = createRequire(import.meta.url)(file)
  if (!isMaker(make)) throw new Error("This version of tesseract.js-core has another form.")
  const module = yield* Effect.promise(() => make({ TesseractProgress: () => {}, print: () => {}, printErr: () => {} }))
  for (const path of data) {
    module.FS.writeFile(`./${basename(path, suffix)}.traineddata`, gunzipSync(readFileSync(path)))
  }
  let ready: { readonly languages: string; readonly api: Api } | undefined

  const apiFor = (languages: string): Effect.Effect<Api, Failure> =>
    Effect.suspend(() => {
      if (ready?.languages === languages) return Effect.succeed(ready.api)
      ready?.api.End()
      ready = undefined
      const api = new module.TessBaseAPI()
      if (api.Init(null, languages, lstmOnly) !== 0) {
        return Effect.fail(failure("OCR_LANGUAGE_MISSING", `The data of ${languages} cannot be loaded.`))
      }
      api.SetVariable("tessedit_pageseg_mode", automaticSegmentation)
      ready = { languages, api }
      return Effect.succeed(api)
    })

  const work: Work = {
    held: () => [],
    run: Effect.fnUntraced(function* (task: unknown, bytes: Bytes) {
      if (!isOcrTask(task)) return yield* Effect.die(new Error("this is no task"))
      const image = yield* Effect.mapError(bytes, ({ failure }) => failure)
      const api = yield* apiFor(task.languages)
      module.FS.writeFile("/input", image)
      api.SetVariable("user_defined_dpi", String(task.dpi))
      if (api.SetImageFile(1, 0) !== 0) return yield* Effect.fail(failure("STAGE_FAILED", "The image cannot be read."))
      api.Recognize(null)
      const tsv = api.GetTSVText(0)
      api.Clear()
      return tsv
    })
  }
  return work
})

serve(start)
