import { assert, describe, layer } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Fiber, Layer, References } from "effect"
import { execFileSync } from "node:child_process"
import * as OcrStages from "../../../src/layers/ocr/OcrStages.ts"
import { toPage } from "../../../src/layers/ocr/OcrPage.ts"
import { turned } from "../../../src/layers/ocr/Turning.ts"
import * as PageImagesLive from "../../../src/layers/pdf/images/PageImagesLive.ts"
import { type GreyImage, Ocr } from "../../../src/services/Ocr.ts"
import { PageImages } from "../../../src/services/PageImages.ts"
import { decodeLayout } from "../../../src/domain/document/LayoutBytes.ts"
import { makePdf, textPage } from "../../support/pdf.ts"
import { acme, downstreamsLayer } from "../../support/downstreams.ts"
import { characterErrorRate } from "../../support/scans.ts"
import { inMemory, pdfOf } from "../pdf/engine.ts"

const languages = ["eng"]
const text = ["The harbour master counts the ships", "that leave before the tide of 1947."]
const size = { width: 260, height: 70 }

/** A page so small that it is recognised in a moment. */
const smallPage = makePdf({
  pages: [
    {
      text: text.map((line, index) => ({ text: line, x: 20, y: 40 - 16 * index, size: 11 })),
      mediaBox: [0, 0, size.width, size.height]
    }
  ]
})

/** The tests' own priority, so that they pass beside busy processes. */
const using = (engine: "tesseract.js" | "tesseract") =>
  Layer.merge(PageImagesLive.layer({ niceness: 0 }), OcrStages.layer({ engine, languages, niceness: 0 })).pipe(
    Layer.provideMerge(downstreamsLayer({ images: { concurrency: 1 } })),
    Layer.provide([NodeServices.layer, Layer.succeed(References.MinimumLogLevel, "None")])
  )

let files = 0
const draw = (bytes: Uint8Array) =>
  PageImages.use((images) =>
    images.render(
      pdfOf(`ocr${++files}`, inMemory(bytes)),
      1,
      { size: { dpi: 200 }, format: "grey" },
      { tenant: acme, class: "online" }
    )
  )

const recognise = (image: GreyImage) => Ocr.use((ocr) => ocr.recognise(image, { languages, dpi: 200 }))

const pidsOf = (title: string) =>
  execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => {
      const [pid = "", ...args] = line.trim().split(/\s+/)
      return args[0] === title ? [Number(pid)] : []
    })

const rssOf = (pid: number) =>
  Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024

describe("tesseract.js", () => {
  layer(using("tesseract.js"), { excludeTestServices: true, timeout: 300_000 })((it) => {
    it.effect("reads a page that was drawn, whichever way it is turned, and says where the words stand", () =>
      Effect.gen(function* () {
        const image = yield* draw(smallPage)
        for (const turn of [0, 90, 180, 270] as const) {
          const seen = turned(image, turn)
          const reading = yield* recognise(seen)
          assert.strictEqual(reading.orientation, (360 - turn) % 360)
          const across = turn === 90 || turn === 270
          const shown = across ? { width: size.height, height: size.width } : size
          const page = toPage(reading, shown, seen.width, true)
          assert.isAtMost(characterErrorRate(text.join("\n"), page?.reading.text ?? ""), 0.01, `turned by ${turn}`)
          const layout = page?.reading.layout === undefined ? undefined : decodeLayout(page.reading.layout)
          assert.deepStrictEqual(layout?.isRecognized, true)
          const first = reading.lines[0]?.words[0]
          assert.strictEqual(first?.text, "The")
          // Where the word begins, in points of the page as displayed.
          const [x = 0, y = 0] = [first?.x, first?.y].map((pixels = 0) => (pixels * 72) / 200)
          const place = { 0: [20, 22], 90: [40, 20], 180: [219, 40], 270: [22, 219] }[turn]
          assert.closeTo(x, place[0] ?? 0, 3, `x, turned by ${turn}`)
          assert.closeTo(y, place[1] ?? 0, 3, `y, turned by ${turn}`)
        }
      })
    )

    it.effect("finds nothing on a blank page", () =>
      Effect.gen(function* () {
        const image = yield* draw(makePdf({ pages: [{ mediaBox: [0, 0, 100, 100] }] }))
        const reading = yield* recognise(image)
        assert.deepStrictEqual(reading.lines, [])
        assert.isUndefined(toPage(reading, size, image.width, true))
      })
    )

    it.effect("says which language it has no data of", () =>
      Effect.gen(function* () {
        const ocr = yield* Ocr
        const image = { width: 1, height: 1, bytes: new Uint8Array(1) }
        const failed = yield* Effect.flip(ocr.recognise(image, { languages: ["eng", "tlh"], dpi: 200 }))
        assert.strictEqual(failed.failure.code, "OCR_LANGUAGE_MISSING")
        assert.include(failed.message, "tlh")
      })
    )

    it.effect("loses no page when its process is killed, and that has less than 400 MiB", () =>
      Effect.gen(function* () {
        const image = yield* draw(
          makePdf({ pages: [{ ...textPage(Array.from({ length: 4 }, () => text.join(" "))) }] })
        )
        const pids = pidsOf("sluice-ocr")
        assert.lengthOf(pids, 1)
        const running = yield* Effect.forkChild(recognise(image))
        for (const pid of pids) {
          assert.isBelow(rssOf(pid), 400 * 1024 * 1024)
          process.kill(pid, "SIGKILL")
        }
        const reading = yield* Fiber.join(running)
        assert.isAbove(reading.confidence, 80)
        assert.notDeepEqual(pidsOf("sluice-ocr"), pids)
      })
    )
  })
})
