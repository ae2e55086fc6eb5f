import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { firstMore, onePage, readFirst, shows, stream } from "./written.ts"

const [off, on, allOn, anyOn, notOff, form] = [0, 1, 2, 3, 4, 5].map((index) => `${firstMore + index} 0 R`)
const layers = [
  "<< /Type /OCG /Name (off) >>",
  "<< /Type /OCG /Name (on) >>",
  `<< /Type /OCMD /OCGs [${off} ${on}] /P /AllOn >>`,
  `<< /Type /OCMD /OCGs [${off} ${on}] /P /AnyOn >>`,
  `<< /Type /OCMD /VE [/Not ${off}] >>`,
  stream(
    shows("hidden form", 300),
    `/Type /XObject /Subtype /Form /BBox [0 0 612 792] /OC ${off} /Resources << /Font << /F1 5 0 R >> >>`
  )
]
const resources = `/Properties << /Off ${off} /On ${on} /All ${allOn} /Any ${anyOn} /Not ${notOff} >> /XObject << /Fm ${form} >>`

const read = (content: string, configuration = `/OFF [${off}]`) =>
  Effect.map(
    readFirst(
      onePage({
        content,
        resources,
        more: layers,
        catalog: `/OCProperties << /OCGs [${off} ${on}] /D << ${configuration} >> >>`
      })
    ),
    ({ text }) => text.split(/\n+/)
  )

const inLayer = (name: string, content: string) => `/OC /${name} BDC ${content} EMC\n`

describe("layers", () => {
  it.effect("show what is on, and leave out what is off, whatever is in it", () =>
    Effect.gen(function* () {
      const nested = shows("off", 700) + inLayer("On", shows("on in off", 680)) + `/Span BMC ${shows("span", 660)} EMC `
      const content =
        shows("plain", 740) +
        inLayer("Off", nested) +
        inLayer("On", shows("on", 640)) +
        "/Fm Do\n" +
        shows("after", 600)
      assert.deepStrictEqual(yield* read(content), ["plain", "on", "after"])
    })
  )

  it.effect("are shown by rules over several of them", () =>
    Effect.gen(function* () {
      const content =
        inLayer("All", shows("all", 700)) + inLayer("Any", shows("any", 680)) + inLayer("Not", shows("not off", 660))
      assert.deepStrictEqual(yield* read(content), ["any", "not off"])
    })
  )

  it.effect("are off when the configuration turns on only some", () =>
    Effect.gen(function* () {
      const content = inLayer("Off", shows("off", 700)) + inLayer("On", shows("on", 680))
      assert.deepStrictEqual(yield* read(content, `/BaseState /OFF /ON [${on}]`), ["on"])
    })
  )

  it.effect("that do not end hide no more than their content", () =>
    Effect.gen(function* () {
      const more = stream(
        shows("annotated"),
        "/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >>"
      )
      const page = yield* readFirst(
        onePage({
          content: `${shows("plain", 740)}/OC /Off BDC ${shows("off to the end", 600)}`,
          resources,
          more: [...layers, more],
          page: `/Annots [<< /Type /Annot /Subtype /Stamp /Rect [0 0 612 792] /AP << /N ${firstMore + layers.length} 0 R >> >>]`,
          catalog: `/OCProperties << /OCGs [${off} ${on}] /D << /OFF [${off}] >> >>`
        })
      )
      assert.deepStrictEqual(page.text.split(/\n+/), ["plain", "annotated"])
    })
  )

  it.effect("that the file does not know are shown", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read(inLayer("Nowhere", shows("shown", 700))), ["shown"])
    })
  )
})
