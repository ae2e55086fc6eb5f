import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { EncodedLines } from "../../../src/domain/document/Page.ts"
import { isMemoryError } from "../../../src/layers/pdf/pdfjs/MemoryError.ts"
import { unreadable } from "../../../src/layers/pdf/pdfjs/PdfJs.ts"
import { openPdf } from "../../../src/layers/pdf/worker/Reader.ts"
import type { Page } from "../../support/pdf.ts"
import { onePage, shows } from "./written.ts"
import {
  brokenPage,
  emptyPage,
  flateBomb,
  makeEncryptedPdf,
  makePdf,
  manyPages,
  nestedForms,
  pageTreeCycle,
  scannedPage,
  textPage,
  truncated
} from "../../support/pdf.ts"

const readAll = Effect.fnUntraced(function* (bytes: Uint8Array, password?: string) {
  const reader = yield* openPdf(bytes, password)
  const numbers = Array.from({ length: reader.pageCount }, (_, index) => index + 1)
  return yield* Effect.forEach(numbers, reader.readPage, { concurrency: 4 })
})

const readOne = Effect.fnUntraced(function* (page: Page) {
  const reader = yield* openPdf(makePdf({ pages: [page] }), undefined)
  return yield* reader.readPage(1)
})

const refusal = (bytes: Uint8Array, password?: string) =>
  Effect.map(Effect.flip(openPdf(bytes, password)), (error) => error.failure.code)

describe("reading pages", () => {
  it.effect("gives text, lines and the size of a page", () =>
    Effect.gen(function* () {
      const page = yield* readOne(textPage(["First line", "Second line"]))
      assert.deepInclude(page, { number: 1, status: "ok", width: 595, height: 842, rotation: 0, error: undefined })
      assert.strictEqual(page.text, "First line\nSecond line")
      const lines = yield* Schema.decodeEffect(EncodedLines)(page.lines)
      assert.deepStrictEqual(
        lines.map(({ text, x, y, height }) => ({ text, x, y, height })),
        [
          { text: "First line", x: 72, y: 63.2, height: 11 },
          { text: "Second line", x: 72, y: 78.6, height: 11 }
        ]
      )
    })
  )

  it.effect("tells text, scan, blank page and damage apart, side by side", () =>
    Effect.gen(function* () {
      const pages = yield* readAll(
        makePdf({ pages: [textPage(["one"]), scannedPage, brokenPage, emptyPage, textPage(["five"])] })
      )
      assert.deepStrictEqual(
        pages.map((page) => page.status),
        ["ok", "scanned", "failed", "empty", "ok"]
      )
      assert.strictEqual(pages[2]?.error?.code, "PAGE_UNREADABLE")
      assert.strictEqual(pages[4]?.text, "five")
    })
  )

  it.effect("takes text over a scan as the page's text", () =>
    Effect.gen(function* () {
      const page = yield* readOne({ ...scannedPage, ...textPage(["recognised"]) })
      assert.deepInclude(page, { status: "ok", text: "recognised" })
    })
  )

  it.effect("does not take a drawing for a scan", () =>
    Effect.gen(function* () {
      const page = yield* readOne({ content: "0 0 m 100 100 l S\n".repeat(5000) })
      assert.strictEqual(page.status, "empty")
    })
  )

  it.effect("finds an image drawn in the content itself", () =>
    Effect.gen(function* () {
      const page = yield* readOne({ content: "q 9 0 0 9 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q" })
      assert.strictEqual(page.status, "scanned")
    })
  )

  it.effect("reads around damage that leaves text", () =>
    Effect.gen(function* () {
      const page = yield* readOne({ ...textPage(["still here"]), content: "/Missing Do /Nothing gs" })
      assert.deepInclude(page, { status: "ok", text: "still here" })
    })
  )

  it.effect("fails a page that does not exist", () =>
    Effect.gen(function* () {
      const reader = yield* openPdf(manyPages(2), undefined)
      const page = yield* reader.readPage(3)
      assert.strictEqual(page.error?.code, "PAGE_UNREADABLE")
      assert.strictEqual(page.lines, "[]")
    })
  )

  it.effect("reads forms that draw forms to the end", () =>
    Effect.gen(function* () {
      const pages = yield* readAll(nestedForms(2, [textPage(["before"])]))
      assert.deepStrictEqual(
        pages.map((page) => page.status),
        ["ok", "empty"]
      )
    })
  )

  it.effect("reads a page that inflates to much more than its file", () =>
    Effect.gen(function* () {
      const bytes = flateBomb(4_000_000, [textPage(["before"])])
      assert.isBelow(bytes.length, 4_000)
      const pages = yield* readAll(bytes)
      assert.deepStrictEqual(
        pages.map((page) => page.status),
        ["ok", "empty"]
      )
    })
  )

  it.effect("gives the same results one by one and side by side", () =>
    Effect.gen(function* () {
      const bytes = manyPages(12)
      const timeless = (page: { readonly text: string; readonly lines: string }) => page.text + page.lines
      const together = yield* readAll(bytes)
      const reader = yield* openPdf(bytes, undefined)
      const apart = yield* Effect.forEach(together, (page) => reader.readPage(page.number))
      assert.deepStrictEqual(apart.map(timeless), together.map(timeless))
      assert.strictEqual(apart[11]?.text, "Page 12 of 12")
    })
  )

  it.effect("leaves the caller's bytes alone", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(manyPages(1))
      yield* readAll(bytes)
      const again = yield* readAll(bytes)
      assert.strictEqual(again[0]?.status, "ok")
    })
  )
})

describe("opening files", () => {
  it.effect("refuses what is no PDF", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* refusal(new Uint8Array(0)), "NOT_PDF")
      assert.strictEqual(yield* refusal(Buffer.from("<html><body>not here</body></html>")), "NOT_PDF")
    })
  )

  it.effect("tells a damaged PDF from what never was one", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* refusal(truncated(manyPages(5), 0.01)), "CORRUPT")
      assert.strictEqual(yield* refusal(Buffer.from("%PDF-1.7\nand nothing else")), "CORRUPT")
    })
  )

  it.effect("reads the pages that are left of a file that was cut off", () =>
    Effect.gen(function* () {
      const pages = yield* readAll(truncated(manyPages(5)))
      assert.include(
        pages.map(({ text }) => text),
        "Page 1 of 5"
      )
      for (const { status, text } of pages) assert.isTrue(status === "failed" || text !== "")
    })
  )

  it.effect("says of a file that is encrypted for certificates that no password opens it", () =>
    Effect.gen(function* () {
      for (const [filter, version] of [
        ["/Adobe.PubSec", 4],
        ["/Some.Handler", 1],
        ["/Standard", 9]
      ]) {
        const encryption = `/Encrypt << /Filter ${filter} /V ${version} /SubFilter /adbe.pkcs7.s5 >> /ID [<00> <00>]`
        const bytes = onePage({ content: shows("secret"), trailer: encryption })
        assert.strictEqual(yield* refusal(bytes), "ENCRYPTION_UNSUPPORTED")
      }
    })
  )

  it.effect("asks for a password, refuses a wrong one and takes the right one", () =>
    Effect.gen(function* () {
      const bytes = makeEncryptedPdf("open sesame")
      assert.strictEqual(yield* refusal(bytes), "PASSWORD_REQUIRED")
      assert.strictEqual(yield* refusal(bytes, "guess"), "PASSWORD_INVALID")
      const pages = yield* readAll(bytes, "open sesame")
      assert.strictEqual(pages[0]?.text, "Behind the password")
    })
  )

  it.effect("reads a damaged page of an encrypted file with the same password", () =>
    Effect.gen(function* () {
      const page = { ...textPage(["still here"]), content: "/Missing Do" }
      const pages = yield* readAll(makeEncryptedPdf("secret", [page]), "secret")
      assert.strictEqual(pages[0]?.text, "still here")
    })
  )

  it.effect("ignores a password that is not needed", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* readAll(manyPages(1), "whatever"))[0]?.status, "ok")
      assert.strictEqual((yield* readAll(makeEncryptedPdf(""), "whatever"))[0]?.status, "ok")
    })
  )

  it("knows a lack of memory by what V8 calls it, also when pdf.js has wrapped it", () => {
    const wrapped = {
      name: "UnknownErrorException",
      message: "wrapped",
      details: "RangeError: Array buffer allocation failed"
    }
    assert.isTrue(isMemoryError(wrapped))
    assert.isTrue(isMemoryError(new RangeError("Invalid typed array length: 9007199254740991")))
    assert.isFalse(isMemoryError(new Error("Invalid PDF structure.")))
    assert.strictEqual(unreadable(wrapped, Buffer.from("%PDF-1.7")).failure.code, "RESOURCE_LIMIT")
  })

  it.effect("reads a file with junk before its header", () =>
    Effect.gen(function* () {
      const pages = yield* readAll(Buffer.concat([Buffer.from("junk\n"), manyPages(1)]))
      assert.strictEqual(pages[0]?.text, "Page 1 of 1")
    })
  )

  it.effect("counts the pages that are there, whatever the file claims", () =>
    Effect.gen(function* () {
      const reader = yield* openPdf(makePdf({ pages: [textPage(["only"])], count: 1_000_000 }), undefined)
      assert.strictEqual(reader.pageCount, 1)
    })
  )

  it.effect("ends on a page tree that contains itself", () =>
    Effect.gen(function* () {
      const pages = yield* readAll(pageTreeCycle())
      assert.isTrue(pages.every((page) => page.status === "failed"))
    })
  )
})
