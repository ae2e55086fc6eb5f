// The examples whose programs are installed here, with real input.
import { readFileSync } from "node:fs"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { drawPages } from "../../../../src/layers/stages/matter/Draw.ts"
import * as PageImagesLive from "../../../../src/layers/pdf/images/PageImagesLive.ts"
import * as PdfEngineLive from "../../../../src/layers/pdf/PdfEngine.ts"
import { PdfEngine } from "../../../../src/services/PdfEngine.ts"
import type { StageError } from "../../../../src/services/pipelines/Stage.ts"
import { hasProgram, using, type Written } from "../../../support/commands.ts"
import { docx } from "../../../support/office.ts"
import { makePdf, textPage } from "../../../support/pdf.ts"
import { pageOf, runStage, sourceInput } from "../../../support/stageInputs.ts"

const example = (file: string, name: string): Written =>
  JSON.parse(readFileSync(`examples/pipelines/${file}`, "utf8")).stages[name]

/** Says why, where the program is not installed. */
const needs = (program: string) => {
  const isHere = hasProgram(program) && hasProgram("prlimit")
  return [isHere, isHere ? "" : ` (skipped: ${program} is not installed)`] as const
}

const [hasTesseract, noTesseract] = needs("tesseract")
const [hasLatex, noLatex] = needs("pdflatex")
const [hasOffice, noOffice] = needs("soffice")

const makePdfOf = (written: Written, name: string, file: string | Uint8Array) =>
  using(written, ({ made }) =>
    made.kind === "source"
      ? Effect.map(made.run(sourceInput(name, file)), ({ pdf }) => pdf)
      : Effect.die("no source stage")
  )

const textOfPdf = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const engine = yield* PdfEngine
  const pdf = { key: `made-${bytes.length}`, location: { _tag: "Bytes", bytes }, password: undefined } as const
  const { pageCount } = yield* engine.open(pdf)
  const pages = yield* Stream.runCollect(engine.read(pdf, [1], 1))
  return [pageCount, pages[0]?.text ?? ""] as const
})

const lines = [
  "Invoice 4711 of the year 2029",
  "The quick brown fox jumps over the lazy dog.",
  "Delivered were 12 boxes, 3 pallets and 48 bags.",
  "Payment is due within 30 days without deduction."
]

const images = PageImagesLive.layer({ niceness: 0 })

describe.skipIf(!hasTesseract)(`tesseract${noTesseract}`, () => {
  layer(images, { excludeTestServices: true, timeout: 120_000 })((it) => {
    it.effect("reads the text of a page from its image", () =>
      Effect.gen(function* () {
        const file = makePdf({ pages: [textPage(lines, { size: 14 })] })
        const draw = yield* drawPages
        const { content, reading } = yield* using(
          example("tesseract.json", "tesseract"),
          ({ made }) => runStage(made, pageOf(1, ""), { file }),
          { images: { concurrency: 2 } },
          draw
        )
        assert.strictEqual(content.mediaType, "text/plain; charset=utf-8")
        assert.deepStrictEqual(
          (reading?.text ?? "").split("\n").filter((line) => line !== ""),
          lines
        )
      })
    )
  })
})

const tex = (body: string) => `\\documentclass{article}\n\\begin{document}\n${body}\n\\end{document}\n`

describe.skipIf(!hasLatex)(`LaTeX${noLatex}`, () => {
  const written = example("latex.json", "latex")
  layer(PdfEngineLive.layer({ workers: 1 }), { excludeTestServices: true, timeout: 120_000 })((it) => {
    it.effect("makes a PDF of a file that is then read like any other", () =>
      Effect.gen(function* () {
        const pdf = yield* makePdfOf(
          written,
          "seed.tex",
          tex("\\section{A seed case}\nFor every case, the first words.")
        )
        const [pages, text] = yield* textOfPdf(pdf)
        assert.strictEqual(pages, 1)
        assert.match(text, /A seed case\nFor every case, the first words\./)
      })
    )
  })

  const refusal = (file: string | Uint8Array, settings: Partial<Written> = {}) =>
    Effect.flip(makePdfOf({ ...written, ...settings }, "seed.tex", file))

  it.live("may read no file of the system, and start no program", () =>
    Effect.gen(function* () {
      for (const sandbox of ["auto", "off"] as const) {
        const reads = yield* refusal(tex("\\input{/etc/hostname}"), { sandbox })
        assert.include(reads.message, "the command ended with code 1")
        const pdf = yield* makePdfOf(
          { ...written, sandbox },
          "seed.tex",
          tex("\\immediate\\write18{echo x > out.pdf}words")
        )
        assert.isAbove(pdf.length, 1_000)
      }
    })
  )

  it.live("that never ends is ended, and a file that is no text is not tried", () =>
    Effect.gen(function* () {
      const error = yield* refusal(tex("\\def\\x{\\x}\\x"), { limits: { cpu: "1s" } })
      assert.include(error.message, "of processor time (limits.cpu)")
      const other = yield* refusal(new Uint8Array([0xff, 0xd8, 0xff]))
      assert.include(other.message, "none of those that the stage takes")
    })
  )
})

describe.skipIf(!hasOffice)(`LibreOffice${noOffice}`, () => {
  const written = example("libreoffice.json", "office")
  layer(PdfEngineLive.layer({ workers: 1 }), { excludeTestServices: true, timeout: 300_000 })((it) => {
    it.effect("makes PDFs of office files, of two at once, each with a profile of its own", () =>
      Effect.gen(function* () {
        const made = yield* Effect.all(
          ["first", "second"].map((word) =>
            makePdfOf(written, `${word}.docx`, docx([`The ${word} file of an office`]))
          ),
          { concurrency: 2 }
        )
        const texts = yield* Effect.forEach(made, textOfPdf)
        assert.deepStrictEqual(
          texts.map(([pages, text]) => [pages, text.trim()]),
          [
            [1, "The first file of an office"],
            [1, "The second file of an office"]
          ]
        )
      })
    )
  })

  it.live("gets no file that is none of an office, whatever its name", () =>
    Effect.gen(function* () {
      const refused: ReadonlyArray<StageError | { readonly message: string }> = yield* Effect.forEach(
        [Buffer.alloc(300, 7), Buffer.from("PK\u0003\u0004 but no office file")],
        (file) => Effect.flip(makePdfOf(written, "a.docx", file))
      )
      for (const { message } of refused) assert.include(message, "none of those that the stage takes")
    })
  )
})
