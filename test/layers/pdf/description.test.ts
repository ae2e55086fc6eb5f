import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { openPdf } from "../../../src/layers/pdf/worker/Reader.ts"
import { mostLineBytes, mostTextBytes } from "../../../src/layers/pdf/worker/TextBounds.ts"
import { emptyPage, makeEncryptedPdf, makePdf, outlineCycle, textPage } from "../../support/pdf.ts"
import { codesOf, onePage, readAll, shows, stream } from "./written.ts"

describe("describing files", () => {
  it.effect("gives metadata and the outline with depths and pages", () =>
    Effect.gen(function* () {
      const bytes = makePdf({
        pages: [textPage(["one"]), textPage(["two"])],
        info: { Title: "A title", Author: "Somebody", CreationDate: "D:20260102030405Z" },
        outline: [
          { title: "First", page: 1, items: [{ title: "Below", page: 2 }] },
          { title: "Nowhere" },
          { title: "Outside", page: 9 }
        ]
      })
      const reader = yield* openPdf(bytes, undefined)
      const { metadata, outline, pageCount } = yield* reader.describe
      assert.strictEqual(pageCount, 2)
      assert.deepInclude(metadata, {
        title: "A title",
        author: "Somebody",
        createdAt: "D:20260102030405Z",
        pdfVersion: "1.7",
        encrypted: false,
        hasJavaScript: false
      })
      assert.deepStrictEqual(outline, [
        { title: "First", depth: 0, page: 1 },
        { title: "Below", depth: 1, page: 2 },
        { title: "Nowhere", depth: 0 },
        { title: "Outside", depth: 0 }
      ])
    })
  )

  it.effect("reports scripts, attachments, forms and encryption without running anything", () =>
    Effect.gen(function* () {
      const bytes = makePdf({
        pages: [textPage(["one"])],
        objects: ["<< /T (field) /FT /Tx /Subtype /Widget /Rect [0 0 10 10] >>"],
        catalog:
          "/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (app.alert\\(1\\)) >>] >> " +
          "/EmbeddedFiles << /Names [(f) << /Type /Filespec /F (f.txt) >>] >> >> /AcroForm << /Fields [7 0 R] >>"
      })
      const plain = yield* (yield* openPdf(bytes, undefined)).describe
      assert.deepInclude(plain.metadata, { hasJavaScript: true, hasAttachments: true, hasForms: true, hasXfa: false })
      const encrypted = yield* (yield* openPdf(makeEncryptedPdf("pw"), "pw")).describe
      assert.isTrue(encrypted.metadata.encrypted)
    })
  )

  it.effect("ends on an outline that runs in a circle", () =>
    Effect.gen(function* () {
      const { outline } = yield* (yield* openPdf(outlineCycle(), undefined)).describe
      assert.isBelow(outline.length, 4)
    })
  )

  it.effect("reports scripts where there are some, and not for a signature", () =>
    Effect.gen(function* () {
      const script = "<< /S /JavaScript /JS (app.alert) >>"
      const field = (entries: string) => ({
        catalog: "/AcroForm << /Fields [6 0 R] /SigFlags 3 >>",
        page: "/Annots [6 0 R]",
        more: [`<< /Type /Annot /Subtype /Widget /T (field) /Rect [10 10 20 20] ${entries} >>`]
      })
      const hasJavaScript = (parts: Partial<Parameters<typeof onePage>[0]>) =>
        Effect.map(
          readAll(onePage({ content: shows("text"), ...parts })),
          ({ described }) => described.metadata.hasJavaScript
        )
      for (const scripted of [
        { catalog: `/OpenAction ${script}` },
        { catalog: `/Names << /JavaScript << /Names [(a) ${script}] >> >>` },
        { catalog: `/AA << /WC ${script} >>` },
        field(`/FT /Tx /V (1) /AA << /F ${script} >>`),
        field(`/FT /Btn /Ff 65536 /A ${script}`)
      ]) {
        assert.isTrue(yield* hasJavaScript(scripted), JSON.stringify(scripted))
      }
      for (const plain of [
        {},
        { catalog: "/OpenAction [3 0 R /Fit]" },
        field("/FT /Sig"),
        field("/FT /Tx /V (1)"),
        field("/FT /Btn /Ff 65536 /A << /S /URI /URI (https://example.org) >>")
      ]) {
        assert.isFalse(yield* hasJavaScript(plain), JSON.stringify(plain))
      }
    })
  )

  it.effect("cuts a title of megabytes, never through a character, and tells", () =>
    Effect.gen(function* () {
      const utf16 = (text: string) => `<FEFF${Buffer.from(text, "utf16le").swap16().toString("hex")}>`
      for (const title of [
        `(${"x".repeat(20_000_000)})`,
        utf16(`${"x".repeat(1_999)}${"😀".repeat(9)}`),
        utf16("😀".repeat(9_000))
      ]) {
        const { described, pages } = yield* readAll(
          onePage({ content: shows("text"), trailer: "/Info 6 0 R", more: [`<< /Title ${title} >>`] })
        )
        assert.isTrue(described.metadata.title?.isWellFormed())
        assert.isAtLeast(described.metadata.title?.length ?? 0, 1_990)
        assert.isAtMost(described.metadata.title?.length ?? 0, 2_000)
        assert.deepStrictEqual(codesOf(described), ["METADATA_CUT"])
        assert.strictEqual(pages[0]?.text, "text")
      }
    })
  )

  it.effect("bounds the bytes of an outline whose items share one long title", () =>
    Effect.gen(function* () {
      const count = 10_000
      const item = (index: number) =>
        `<< /Title 7 0 R /Parent 6 0 R ${index + 1 < count ? `/Next ${9 + index} 0 R` : ""} /Dest [3 0 R /Fit] >>`
      const outline = [`<< /First 8 0 R /Last ${7 + count} 0 R /Count ${count} >>`, `(${"ä".repeat(200_000)})`]
      const { described } = yield* readAll(
        onePage({
          content: shows("text"),
          catalog: "/Outlines 6 0 R",
          more: [...outline, ...Array.from({ length: count }, (_, index) => item(index))]
        })
      )
      assert.isAbove(described.outline.length, 100)
      assert.isBelow(Buffer.byteLength(JSON.stringify(described.outline)), 1024 * 1024)
      assert.deepStrictEqual(codesOf(described), ["OUTLINE_CUT"])
    })
  )

  it.effect("bounds the bytes of a page's text, lines and layout, and tells", () =>
    Effect.gen(function* () {
      const text = "W".repeat(50)
      const form = stream(
        Array.from({ length: 1_000 }, (_, row) => `1 0 0 1 0 ${row * 0.7} Tm (${row} ${text}) Tj`)
          .join("\n")
          .replace(/^/, "BT /F1 0.5 Tf ") + " ET",
        "/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >>"
      )
      const content = Array.from(
        { length: 100 },
        (_, column) => `q 1 0 0 1 ${column * 6} ${(column % 7) / 10} cm /Fm Do Q`
      )
      const { pages } = yield* readAll(
        onePage({ content: content.join("\n"), resources: "/XObject << /Fm 6 0 R >>", more: [form] })
      )
      const [page] = pages
      assert.strictEqual(page?.status, "ok")
      assert.isAtMost(Buffer.byteLength(page?.text ?? ""), mostTextBytes)
      assert.isAtMost(Buffer.byteLength(page?.lines ?? ""), mostLineBytes)
      assert.deepStrictEqual(codesOf(page ?? {}), ["TEXT_CUT", "LAYOUT_CUT"])
    })
  )

  it.effect("bounds a deep outline and a long one", () =>
    Effect.gen(function* () {
      let deep: { title: string; items?: ReadonlyArray<typeof deep> } = { title: "leaf" }
      for (let depth = 0; depth < 200; depth++) deep = { title: `level ${depth}`, items: [deep] }
      const many = Array.from({ length: 11_000 }, (_, index) => ({ title: `item ${index}` }))
      const read = Effect.fnUntraced(function* (outline: ReadonlyArray<typeof deep>) {
        return (yield* (yield* openPdf(makePdf({ pages: [emptyPage], outline }), undefined)).describe).outline
      })
      assert.lengthOf(yield* read([deep]), 64)
      assert.lengthOf(yield* read(many), 10_000)
    })
  )
})
