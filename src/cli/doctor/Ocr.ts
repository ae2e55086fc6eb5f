import { Effect } from "effect"
import { ImagesConfig } from "../../layers/config/OcrConfig.ts"
import { findOcr, ocrSettings } from "../../layers/ocr/OcrStages.ts"
import { renderProgram } from "../../layers/pdf/images/RenderProgram.ts"
import { fail, ok, warn } from "./Finding.ts"

/** Checks whether pages can be drawn. */
export const checkImages = Effect.map(ImagesConfig, ({ fonts, images }) => {
  const name = "page images"
  if (images === "off") return ok(name, "off")
  return renderProgram(fonts, 0) === undefined
    ? warn(
        name,
        "pages cannot be drawn: @napi-rs/canvas is not installed",
        "Install with optional packages, or set IMAGES=off."
      )
    : ok(name, "pages can be drawn")
})

/** Checks which engine recognises text, and whether it has its languages. */
export const checkOcr = Effect.gen(function* () {
  const settings = yield* ocrSettings
  if (settings.engine === "off") return ok("ocr", "off")
  const found = yield* findOcr(settings)
  const languages = settings.languages.join(", ")
  return found === undefined
    ? ok("ocr", `no engine with data of ${languages} is installed: the pipeline \`ocr\` is not there`)
    : ok("ocr", `${found.engine} ${found.version} with ${languages}`)
}).pipe(
  Effect.catchTag("OcrUnavailable", ({ message }) =>
    Effect.succeed(fail("ocr", message, "Install what is missing, or set OCR=auto or OCR=off."))
  ),
  Effect.scoped
)
