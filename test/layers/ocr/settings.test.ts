import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { checkOcr } from "../../../src/cli/doctor/Ocr.ts"
import { builtInDownstreams, OcrConfig } from "../../../src/layers/config/OcrConfig.ts"
import { defaultSettings, findOcr } from "../../../src/layers/ocr/OcrStages.ts"
import { ocrVersion } from "../../../src/layers/ocr/OcrStage.ts"

const under = (settings: Record<string, string>) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(settings)))

it.live("An engine that is named says what is missing; `auto` is content with none, and `off` looks for none", () =>
  Effect.gen(function* () {
    const klingon = { ...defaultSettings, languages: ["eng", "tlh"] }
    const named = yield* Effect.flip(findOcr({ ...klingon, engine: "tesseract.js" }))
    assert.include(named.message, "OCR_LANGUAGE_MISSING")
    assert.include(named.message, "@tesseract.js-data/tlh")
    assert.isUndefined(yield* findOcr({ ...klingon, engine: "auto" }))
    assert.isUndefined(yield* findOcr({ ...defaultSettings, engine: "off" }))
    const found = yield* findOcr({ ...defaultSettings, engine: "auto" })
    assert.strictEqual(found?.engine, "tesseract.js")
  }).pipe(Effect.scoped)
)

it.live("Doctor tells which engine there is, and what to install", () =>
  Effect.gen(function* () {
    const states = yield* Effect.forEach(
      [{}, { OCR: "off" }, { OCR: "tesseract.js", OCR_LANGUAGES: "eng,tlh" }, { OCR_LANGUAGES: "tlh" }],
      (settings) => Effect.map(under(settings)(checkOcr), ({ detail, state }) => `${state} ${detail}`)
    )
    assert.strictEqual(states[0], "ok tesseract.js 7.0.0 with eng")
    assert.strictEqual(states[1], "ok off")
    assert.match(states[2] ?? "", /^fail .*npm install .*tlh/)
    assert.match(states[3] ?? "", /^ok no engine with data of tlh/)
  })
)

it.effect("Settings are checked, and decide which downstreams are built in", () =>
  Effect.gen(function* () {
    const { languages } = yield* under({ OCR_LANGUAGES: "eng, chi_sim+deu_latf" })(OcrConfig)
    assert.deepStrictEqual(languages, ["eng", "chi_sim", "deu_latf"])
    for (const wrong of ["../etc", "eng;rm", "-l", "eng,,deu"]) {
      assert.strictEqual((yield* Effect.exit(under({ OCR_LANGUAGES: wrong })(OcrConfig)))._tag, "Failure", wrong)
    }
    const names = (settings: Record<string, string>) => Effect.map(under(settings)(builtInDownstreams), Object.keys)
    assert.deepStrictEqual(yield* names({}), ["images", "ocr"])
    assert.deepStrictEqual(yield* names({ OCR: "off" }), ["images"])
    assert.deepStrictEqual(yield* names({ IMAGES: "off" }), [])
  })
)

it("The version of the stage follows its engine and its languages", () => {
  assert.strictEqual(ocrVersion("tesseract.js", "7.0.0", ["eng", "deu"]), "1-tesseract.js-7.0.0-eng.deu")
  assert.isAtMost(
    ocrVersion(
      "tesseract",
      "5",
      Array.from({ length: 8 }, () => "chi_tra_vert")
    ).length,
    64
  )
})
