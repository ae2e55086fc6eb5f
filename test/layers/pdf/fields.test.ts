import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { openPdf } from "../../../src/layers/pdf/worker/Reader.ts"
import { writeObjects } from "../../support/pdf.ts"

const field = (entries: string) => `<< /Type /Annot /Subtype /Widget /P 3 0 R ${entries} >>`

/** A page that says "Name:" and "City:", with what was filled in beside them. */
const form = (fields: ReadonlyArray<string>) => {
  const content = "BT /F1 12 Tf 72 700 Td (Name:) Tj 0 -40 Td (City:) Tj ET"
  const references = fields.map((_, index) => `${6 + index} 0 R`).join(" ")
  return writeObjects([
    `<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [${references}] /DA (/F1 12 Tf) >> >>`,
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [${references}]
       /Resources << /Font << /F1 5 0 R >> >> >>`,
    { entries: "", bytes: new TextEncoder().encode(content) },
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ...fields
  ])
}

const readOne = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const reader = yield* openPdf(bytes, undefined)
  return yield* reader.readPage(1)
})

describe("filled-in forms", () => {
  it.effect("reads values on the lines on which they stand", () =>
    Effect.gen(function* () {
      const page = yield* readOne(
        form([
          field("/FT /Tx /T (name) /V (Ada Lovelace) /Rect [120 696 400 714]"),
          field("/FT /Ch /Ff 131072 /T (city) /V (London) /Opt [(London) (Paris)] /Rect [120 656 400 674]")
        ])
      )
      assert.deepStrictEqual(page.text.split(/\n+/), ["Name: Ada Lovelace", "City: London"])
    })
  )

  it.effect("keeps the lines of a value apart", () =>
    Effect.gen(function* () {
      const page = yield* readOne(
        form([field("/FT /Tx /Ff 4096 /T (note) /V (first line\\nsecond line) /Rect [72 400 400 460]")])
      )
      assert.include(page.text, "first line\nsecond line")
    })
  )

  it.effect("shows neither hidden values, nor passwords, nor the marks of boxes", () =>
    Effect.gen(function* () {
      const page = yield* readOne(
        form([
          field("/FT /Tx /F 2 /T (hidden) /V (invisible) /Rect [120 696 400 714]"),
          field("/FT /Tx /Ff 8192 /T (secret) /V (hunter2) /Rect [120 656 400 674]"),
          field("/FT /Btn /T (box) /V /Yes /AS /Yes /Rect [120 616 132 628]")
        ])
      )
      assert.deepStrictEqual(page.text.split(/\n+/), ["Name:", "City:"])
    })
  )
})
