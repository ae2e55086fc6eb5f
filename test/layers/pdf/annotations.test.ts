import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PdfObject } from "../../support/pdf.ts"
import { codesOf, firstMore, onePage, readFirst, shows, stream } from "./written.ts"

interface Annotation {
  readonly entries: string
  /** What its appearance paints, and what its dictionary has beside that. */
  readonly shows?: string
  readonly form?: string
}

const annotated = (annotations: ReadonlyArray<Annotation>, catalog = "", more: ReadonlyArray<PdfObject> = []) => {
  const appearance = (index: number) => firstMore + annotations.length + index
  return onePage({
    content: shows("body", 740),
    catalog,
    page: `/Annots [${annotations.map((_, index) => `${firstMore + index} 0 R`).join(" ")}]`,
    more: [
      ...annotations.map(
        ({ entries, shows }, index) =>
          `<< /Type /Annot ${entries} ${shows === undefined ? "" : `/AP << /N ${appearance(index)} 0 R >>`} >>`
      ),
      ...annotations.map(({ form = "", shows = "" }) =>
        stream(
          `BT /F1 12 Tf 2 4 Td (${shows}) Tj ET`,
          `/Type /XObject /Subtype /Form /BBox [0 0 340 20] /Resources << /Font << /F1 5 0 R >> >> ${form}`
        )
      ),
      ...more
    ]
  })
}

const rect = (row: number) => `/Rect [72 ${680 - 20 * row} 412 ${700 - 20 * row}]`
const linesOf = (bytes: Uint8Array) => Effect.map(readFirst(bytes), ({ text }) => text.split(/\n+/))

describe("annotations", () => {
  it.effect("are text of the page as far as they are shown", () =>
    Effect.gen(function* () {
      const shown = ["FreeText", "Stamp", "Line", "Watermark", "Square", "Text"].map((type, row) => ({
        entries: `/Subtype /${type} ${rect(row)} /Contents (not this)`,
        shows: `shown by ${type}`
      }))
      const unseen = [
        { entries: `/Subtype /FreeText /F 2 ${rect(10)}`, shows: "hidden" },
        { entries: `/Subtype /Stamp /F 32 ${rect(11)}`, shows: "not viewed" },
        { entries: `/Subtype /Popup ${rect(12)}`, shows: "popup" },
        { entries: `/Subtype /Text ${rect(13)} /Contents (a comment)` },
        { entries: `/Subtype /Link ${rect(14)} /Contents (a link)` }
      ]
      assert.deepStrictEqual(yield* linesOf(annotated([...shown, ...unseen])), [
        "body",
        ...shown.map(({ shows }) => shows)
      ])
    })
  )

  it.effect("are shown or hidden by their layer", () =>
    Effect.gen(function* () {
      const layers = ["<< /Type /OCG /Name (off) >>", "<< /Type /OCG /Name (on) >>"]
      const [off, on] = [10, 11].map((number) => `${number} 0 R`)
      const bytes = annotated(
        [
          { entries: `/Subtype /Stamp ${rect(0)} /OC ${off}`, shows: "in the layer that is off" },
          { entries: `/Subtype /Stamp ${rect(1)} /OC ${on}`, shows: "in the layer that is on" }
        ],
        `/OCProperties << /OCGs [${off} ${on}] /D << /OFF [${off}] >> >>`,
        layers
      )
      assert.deepStrictEqual(yield* linesOf(bytes), ["body", "in the layer that is on"])
    })
  )

  it.effect("stand where their rectangle puts them, scaled and turned", () =>
    Effect.gen(function* () {
      const page = yield* readFirst(
        annotated([
          { entries: "/Subtype /Stamp /Rect [72 100 242 110]", shows: "half as large" },
          { entries: "/Subtype /Stamp /Rect [500 100 520 440]", shows: "turned", form: "/Matrix [0 1 -1 0 20 0]" }
        ])
      )
      assert.include(page.lines, '"text":"half as large","x":73,"y":')
      assert.match(page.lines, /"text":"turned","x":5\d\d/)
    })
  )

  it.effect("are free text also without an appearance", () =>
    Effect.gen(function* () {
      const bytes = annotated([{ entries: `/Subtype /FreeText ${rect(0)} /DA (/Helv 12 Tf) /Contents (Approved)` }])
      assert.deepStrictEqual(yield* linesOf(bytes), ["body", "Approved"])
    })
  )

  it.effect("that cannot be read are told of", () =>
    Effect.gen(function* () {
      const page = yield* readFirst(
        annotated([
          { entries: `/Subtype /Stamp ${rect(0)}`, shows: "in itself", form: `/Filter /NoSuchDecode` },
          { entries: `/Subtype /Stamp ${rect(1)}`, shows: "beside it" }
        ])
      )
      assert.include(page.text, "beside it")
      assert.include(codesOf(page), "CONTENT_CUT")
    })
  )
})

const widget = (row: number, entries: string, shows?: string): Annotation => ({
  entries: `/Subtype /Widget /P 3 0 R /T (field ${row}) ${rect(row)} ${entries}`,
  ...(shows === undefined ? {} : { shows })
})

const form = (fields: ReadonlyArray<Annotation>, entries = "") =>
  annotated(
    fields,
    `/AcroForm << /Fields [${fields.map((_, index) => `${firstMore + index} 0 R`).join(" ")}] /DA (/F1 12 Tf)
      /DR << /Font << /F1 5 0 R >> >> ${entries} >>`
  )

const options = "/Opt [[(a) (Apples)] [(b) (Bananas)] [(c) (Cherries)]]"

describe("fields", () => {
  it.effect("are read as they are shown, once", () =>
    Effect.gen(function* () {
      const bytes = form([
        widget(0, "/FT /Tx /V (1234.5)", "EUR 1,234.50"),
        widget(1, "/FT /Tx /V (2026-11-30)", "30 November 2026"),
        widget(2, `/FT /Ch /Ff 131072 /V (b) ${options}`, "Bananas"),
        widget(3, "/FT /Tx /V (the same)", "the same"),
        widget(4, "/FT /Sig", "Signed by Jane Example"),
        widget(5, "/FT /Btn /Ff 65536", "Send")
      ])
      const shown = ["EUR 1,234.50", "30 November 2026", "Bananas", "the same", "Signed by Jane Example", "Send"]
      assert.deepStrictEqual(yield* linesOf(bytes), ["body", ...shown])
    })
  )

  it.effect("that have no appearance are read by their values, called as they are shown", () =>
    Effect.gen(function* () {
      const bytes = form([
        widget(0, "/FT /Tx /V (typed in)"),
        widget(1, `/FT /Ch /Ff 131072 /V (b) ${options}`),
        widget(3, `/FT /Ch /Ff 2097152 /V [(a) (c)] ${options}`),
        widget(5, "/FT /Tx /V (behind an empty look)", "")
      ])
      const shown = ["typed in", "Bananas", "Apples", "Cherries", "behind an empty look"]
      assert.deepStrictEqual(yield* linesOf(bytes), ["body", ...shown])
    })
  )

  it.effect("are read by their values when the file says that their appearances are out of date", () =>
    Effect.gen(function* () {
      const bytes = form([widget(0, "/FT /Tx /V (new)", "old")], "/NeedAppearances true")
      assert.deepStrictEqual(yield* linesOf(bytes), ["body", "new"])
    })
  )

  it.effect("show neither passwords, nor marks, nor what is hidden", () =>
    Effect.gen(function* () {
      const bytes = form([
        widget(0, "/FT /Tx /Ff 8192 /V (hunter2)", "hunter2"),
        widget(1, "/FT /Btn /V /Yes /AS /Yes", "4"),
        widget(2, "/FT /Tx /F 2 /V (hidden)", "hidden"),
        widget(3, "/FT /Tx /F 32 /V (not viewed)")
      ])
      assert.deepStrictEqual(yield* linesOf(bytes), ["body"])
    })
  )
})
