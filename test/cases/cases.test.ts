// Small files that were once read wrongly, one folder a kind, with what is right of them. `SLUICE_CASES` names another folder
// with the same files in it.
import { assert, describe, it } from "@effect/vitest"
import { Config, Effect, Option } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { OpenedPdf } from "../../src/services/PdfEngine.ts"
import type { PageResult } from "../../src/domain/document/Page.ts"
import { codesOf, readAll } from "../layers/pdf/written.ts"

const folder = Option.getOrElse(Effect.runSync(Config.option(Config.String("SLUICE_CASES"))), () =>
  fileURLToPath(new URL("files", import.meta.url))
)

interface Read {
  readonly described: OpenedPdf
  readonly pages: ReadonlyArray<PageResult>
}

const linesOf = ({ pages }: Read): ReadonlyArray<string> => (pages[0]?.text ?? "").split(/\n+/)

/** The first page is `ok` and has these lines. */
const reads =
  (...lines: ReadonlyArray<string>) =>
  (read: Read): void => {
    assert.strictEqual(read.pages[0]?.status, "ok")
    assert.deepStrictEqual(linesOf(read), lines)
  }

const pagesAre =
  (...texts: ReadonlyArray<string | undefined>) =>
  ({ pages }: Read): void => {
    assert.deepStrictEqual(
      pages.map(({ status, text }) => (status === "failed" ? undefined : text)),
      texts
    )
  }

const [first, second, third] = ["first page of the file", "second page of the file", "third page of the file"]
const fortyLines = Array.from({ length: 40 }, (_, index) => `line ${index} of the page`)

const right: Readonly<Record<string, Readonly<Record<string, (read: Read) => void>>>> = {
  "annotation-text": {
    "freetext-annot.pdf": reads("Body text of the page", "Approved by the board on Monday"),
    "freetext-only.pdf": reads("Approved by the board on Monday")
  },
  "bad-kid-loses-later-pages": {
    "kid-null-mid.pdf": pagesAre(first, undefined, second, third),
    "kid-null-first.pdf": pagesAre(undefined, first, second, third)
  },
  "fake-bold-by-letter": { "bold-glyphs.pdf": reads("BOLD TEXT") },
  "field-as-shown": {
    "date-format.pdf": reads("Date: 30 November 2026"),
    "form-checkbox.pdf": reads("Agree:", "Jane Example", "Greece")
  },
  "font-refused-by-strict": {
    "enc-array.pdf": (read) => {
      reads("Invoice 1042", "Total due 1,250.00 EUR")(read)
      assert.deepStrictEqual(read.pages.flatMap(codesOf), ["FONT_DAMAGED"])
    },
    "enc-number.pdf": reads("Invoice 1042", "Total due 1,250.00 EUR")
  },
  "hidden-layer": { "ocg-off.pdf": reads("Visible layer") },
  "letterspaced-words": { "tc-1.5.pdf": reads("RING PHYSICS ISSUES") },
  "lone-surrogate-where-cut": {
    "outline-cut.pdf": ({ described }) => {
      assert.isTrue(described.outline.every(({ title }) => title.isWellFormed() && title.length > 1_900))
      assert.deepStrictEqual(codesOf(described), ["OUTLINE_CUT"])
    },
    "meta-cut.pdf": ({ described }) => {
      assert.isTrue(described.metadata.title?.isWellFormed())
      assert.deepStrictEqual(codesOf(described), ["METADATA_CUT"])
    }
  },
  "page-cut-at-damage-is-ok": {
    "paren-mid.pdf": (read) => {
      reads(...fortyLines)(read)
      assert.deepStrictEqual(read.pages.flatMap(codesOf), ["CONTENT_CUT"])
    }
  },
  "partial-tounicode": { "partial-tounicode-builtin.pdf": reads("Temperature −20 C, 3 × 10, 14′48") },
  "rtl-brackets": {
    "hebrew-numbers.pdf": (read) => {
      const [line = ""] = linesOf(read)
      assert.match(line, /\(רבעון 3\)/)
    }
  },
  "signed-is-not-javascript": {
    "signature-appearance.pdf": ({ described, pages }) => {
      assert.isFalse(described.metadata.hasJavaScript)
      assert.include(pages[0]?.text, "Digitally signed by Jane Example")
    }
  },
  "soft-hyphen-is-a-hyphen": {
    "hyphen-as-shy.pdf": (read) =>
      reads("Reference 0046071415-0060 e-mail state-of-the-art -20 C")({
        ...read,
        pages: read.pages.map((page) => ({ ...page, text: page.text.replaceAll("\u00ad", "-") }))
      })
  },
  "subscript-below-line": {
    "sub-2.5-7.pdf": reads("The H2SO4 bath"),
    "sub-4-7.pdf": reads("The H2SO4 bath")
  },
  "vertical-positioned": { "tategaki-positioned.pdf": reads("いつもおせわに", "なっております") }
}

describe.each(Object.entries(right))("%s", (kind, files) => {
  for (const [name, check] of Object.entries(files)) {
    const path = join(folder, kind, name)
    // Another folder than the project's own may lack some.
    it.effect.skipIf(!existsSync(path))(`reads ${name} right`, () =>
      Effect.map(readAll(new Uint8Array(readFileSync(path))), check)
    )
  }
})
