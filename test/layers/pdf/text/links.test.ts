import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PageLayout } from "../../../../src/domain/document/PageLayout.ts"
import { writeObjects } from "../../../support/pdf.ts"
import { onePage, shows } from "../written.ts"
import { read } from "./laidOut.ts"

const linksIn = ({ blocks }: PageLayout) =>
  blocks.flatMap((block) =>
    "lines" in block
      ? block.lines.flatMap(({ spans }) =>
          spans.flatMap(({ link, text }) => (link === undefined ? [] : [[text.trim(), link]]))
        )
      : []
  )

describe("links", () => {
  it.effect("are parts of lines, with their addresses or pages", () =>
    Effect.gen(function* () {
      const link = (rect: string, rest: string): string => `<< /Type /Annot /Subtype /Link /Rect [${rect}] ${rest} >>`
      const bytes = onePage({
        content: `${shows("See example for more", 700)}${shows("Chapter two", 650)}${shows("Named place", 600)}${shows("Hidden", 550)}${shows("Dangerous", 500)}`,
        catalog: "/Dests << /place [3 0 R /Fit] >>",
        page: `/Annots [${[
          link("95 695 144 712", "/A << /S /URI /URI (https://example.org/a) >>"),
          link("70 645 140 662", "/Dest [3 0 R /Fit]"),
          link("70 595 160 612", "/Dest /place"),
          link("70 545 160 562", "/F 2 /A << /S /URI /URI (https://example.org/hidden) >>"),
          link("70 495 160 512", "/A << /S /URI /URI (javascript:alert) >>")
        ].join(" ")}]`
      })
      const { layout } = yield* read(bytes)
      assert.deepStrictEqual(linksIn(layout), [
        ["example", "https://example.org/a"],
        ["Chapter two", "#page=1"],
        ["Named place", "#page=1"]
      ])
    })
  )

  it.effect("are found in bounded time: thousands of them to pages of a flat tree", () =>
    Effect.gen(function* () {
      const pages = 3_000
      const kids = Array.from({ length: pages }, (_, index) => `${4 + index} 0 R`)
      const annotations = Array.from(
        { length: 4_000 },
        (_, index) => `<< /Type /Annot /Subtype /Link /Rect [70 690 90 715] /Dest [${4 + (index % pages)} 0 R /Fit] >>`
      )
      const bytes = writeObjects([
        "<< /Type /Catalog /Pages 2 0 R >>",
        `<< /Type /Pages /Kids [${kids.join(" ")}] /Count ${pages} >>`,
        { entries: "", bytes: Buffer.from(shows("Many links").replace("/F1", "/F1")) },
        ...kids.map((_, index) =>
          index === 0
            ? `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R /Annots [${annotations.join(" ")}] /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>`
            : "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>"
        )
      ])
      const started = process.cpuUsage()
      const { layout } = yield* read(bytes)
      assert.deepStrictEqual(linksIn(layout)[0]?.[1], "#page=1")
      assert.isBelow(process.cpuUsage(started).user, 20_000_000)
    })
  )
})
