import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { PdfEngine } from "../../src/services/PdfEngine.ts"
import { postPdf } from "../http/client.ts"
import { isRunning } from "../layers/pdf/engine.ts"
import {
  activeContent,
  giantImage,
  lzwBomb,
  manyImages,
  manyOperators,
  objectStreamBomb,
  pageTreeBomb,
  runLengthBomb,
  type3Cycle,
  xrefCycle
} from "../support/hostile.ts"
import {
  flateBomb,
  makePdf,
  manyPages,
  outlineCycle,
  pageTreeCycle,
  spinningPage,
  textPage,
  truncated
} from "../support/pdf.ts"
import { acceptedId, allPagesOf, finished, pagesOf, Premises, service, until } from "../support/service.ts"

const gibibyte = 1024 ** 3
/** Less than each bomb would take of this process, and far more than tests take. */
const mostGrowth = gibibyte / 2

const post = (tenant: string, pdf: Uint8Array) =>
  Effect.flatMap(postPdf("/v1/documents", { "x-tenant-id": tenant }, pdf), acceptedId)

/** Posts the file and tells how it ended: the document's state and code, and each page's. */
const fate = Effect.fnUntraced(function* (pdf: Uint8Array, tenant = "hostile") {
  const id = yield* post(tenant, pdf)
  const { attempt, error, interruptions, progress, status } = yield* finished(id, tenant)
  const pages = yield* allPagesOf(id, tenant)
  return {
    document: error === undefined ? status : `${status}: ${error.code}`,
    pages: pages.map((page) => (page.error === undefined ? page.status : `${page.status}: ${page.error.code}`)),
    // Not counting those in which it only made room for another document.
    attempt: attempt - interruptions,
    progress
  }
})

const beside = [textPage(["a page beside it"]), textPage(["another"])]

layer(service({ env: { PAGE_WORKER_MEMORY: "400MB" } }), { excludeTestServices: true })("A file", (it) => {
  it.effect("that inflates without end costs its own page, not this process's memory and not its neighbours", () =>
    Effect.gen(function* () {
      yield* fate(manyPages(20), "warm-up")
      const before = process.memoryUsage.rss()
      const bombs = {
        flate: flateBomb(8 * gibibyte, beside),
        lzw: lzwBomb(4 * gibibyte, beside),
        runLength: runLengthBomb(gibibyte, beside)
      }
      const neighbours = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 10 }), (_, index) => fate(manyPages(10 + index), "neighbour"), {
          concurrency: "unbounded"
        })
      )
      // Bombs go off for as long as the neighbours have work: how quick this machine is at either does not decide.
      do {
        const bombed = yield* Effect.forEach(Object.values(bombs), (pdf) => fate(pdf), { concurrency: "unbounded" })
        for (const { document, pages } of bombed) {
          assert.deepStrictEqual([document, pages], ["partial", ["ok", "ok", "failed: RESOURCE_LIMIT"]])
        }
      } while (neighbours.pollUnsafe() === undefined)
      for (const { attempt, document } of yield* Fiber.join(neighbours)) {
        assert.deepStrictEqual([document, attempt], ["completed", 1])
      }
      assert.isBelow(process.memoryUsage.rss() - before, mostGrowth)
    })
  )

  it.effect("that inflates without end while it is opened fails, and so does one with nothing but such a page", () =>
    Effect.gen(function* () {
      const before = process.memoryUsage.rss()
      const opened = yield* fate(objectStreamBomb(gibibyte / 4))
      assert.strictEqual(opened.document, "failed: RESOURCE_LIMIT")
      const alone = yield* fate(flateBomb(8 * gibibyte))
      assert.deepStrictEqual([alone.document, alone.pages], ["failed: RESOURCE_LIMIT", ["failed: RESOURCE_LIMIT"]])
      assert.isBelow(process.memoryUsage.rss() - before, mostGrowth)
    })
  )
})

layer(service({ env: { PAGE_TIMEOUT: "3s", MAX_PAGES: "500" } }), { excludeTestServices: true })("A file", (it) => {
  it.effect("with a page that never ends loses that page to its time limit, and its worker to nobody", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const before = yield* until(engine.status, ({ workers }) => workers.length === 3)
      const id = yield* post("spinner", spinningPage(beside))
      const { progress, status } = yield* finished(id, "spinner")
      assert.deepStrictEqual([status, progress], ["partial", { pages: 3, done: 3, failed: 1 }])
      const [, , last] = yield* allPagesOf(id, "spinner")
      assert.deepStrictEqual([last?.status, last?.error?.code], ["timeout", "PAGE_TIMEOUT"])
      const after = yield* until(
        engine.status,
        ({ replaced, workers }) =>
          replaced > before.replaced && workers.length === 3 && !workers.some(({ busy }) => busy)
      )
      // Whoever had the page in hand is gone, so that no processor time is spent on it any more.
      const kept = new Set(after.workers.map(({ pid }) => pid))
      const gone = before.workers.map(({ pid }) => pid).filter((pid) => !kept.has(pid))
      assert.isNotEmpty(gone)
      yield* until(
        Effect.sync(() => gone.some(isRunning)),
        (some) => !some
      )
    })
  )

  it.effect("with a page of a million operators, or of thousands of images, delivers the other pages", () =>
    Effect.gen(function* () {
      for (const pdf of [manyOperators(1_000_000, beside), manyImages(5_000, beside)]) {
        const { document, pages } = yield* fate(pdf)
        assert.deepStrictEqual(pages.slice(0, 2), ["ok", "ok"])
        // Read in time or not, which depends on the machine; but never taken for anything else.
        assert.include(["empty", "scanned", "timeout: PAGE_TIMEOUT"], pages[2])
        assert.strictEqual(document, pages[2] === "timeout: PAGE_TIMEOUT" ? "partial" : "completed")
      }
    })
  )

  it.effect("that runs in a circle is read, or fails for that reason", () =>
    Effect.gen(function* () {
      const fates = yield* Effect.forEach([pageTreeCycle(), outlineCycle(), xrefCycle(), type3Cycle()], (pdf) =>
        Effect.map(fate(pdf), ({ document }) => document)
      )
      assert.deepStrictEqual(fates, ["failed: PAGE_UNREADABLE", "completed", "completed", "completed"])
    })
  )

  it.effect("with an absurd number of pages is refused before any of them is read", () =>
    Effect.gen(function* () {
      const { document, pages, progress } = yield* fate(pageTreeBomb(9))
      assert.deepStrictEqual([document, pages, progress.pages], ["failed: TOO_MANY_PAGES", [], undefined])
      assert.strictEqual((yield* fate(manyPages(501))).document, "failed: TOO_MANY_PAGES")
    })
  )

  it.effect("with a false number of pages ends in a typed state", () =>
    Effect.gen(function* () {
      const claiming = (count: number) =>
        Effect.map(fate(makePdf({ pages: [textPage(["the only page"])], count })), ({ document, pages }) => [
          document,
          ...pages
        ])
      assert.deepStrictEqual(yield* claiming(5), ["completed", "ok"])
      assert.deepStrictEqual(yield* claiming(1_000_000_000), ["completed", "ok"])
      assert.deepStrictEqual(yield* claiming(0), ["completed", "ok"])
      assert.deepStrictEqual(yield* claiming(-3), ["completed", "ok"])
      assert.strictEqual((yield* fate(pageTreeBomb(9, false))).document, "completed")
    })
  )

  it.effect("with a page or an image larger than any memory is read without painting it", () =>
    Effect.gen(function* () {
      const text = textPage(["far out"]).text ?? []
      const page = yield* fate(makePdf({ pages: [{ mediaBox: [0, 0, 1e12, 1e12], text }] }))
      assert.deepStrictEqual([page.document, page.pages], ["completed", ["ok"]])
      const image = yield* fate(giantImage())
      assert.deepStrictEqual([image.document, image.pages], ["completed", ["scanned"]])
    })
  )

  it.effect("with numbers beyond all bounds, and with text that is none, ends in a state that can be shown", () =>
    Effect.gen(function* () {
      const digits = "9".repeat(400)
      const text = textPage(["shown"]).text ?? []
      const contents = [
        `BT /F1 ${digits} Tf 1 0 0 1 72 700 Tm (too large) Tj ET`,
        `BT /F1 11 Tf 1 0 0 1 ${digits} -${digits} Tm (too far) Tj ET`,
        `BT /F1 11 Tf ${digits} ${digits} ${digits} -${digits} 0 0 Tm (too skewed) Tj ET`,
        `BT /F1 11 Tf 0 0 0 0 0 0 Tm (too flat) Tj ET`,
        `${digits} Tc ${digits} Tw BT /F1 11 Tf 1 0 0 1 72 700 Tm (too wide) Tj (x) Tj ET`,
        `BT /F1 11 Tf 1 0 0 1 72 700 Tm (NUL \\000 and \\001) Tj ET`
      ]
      const huge = Number(digits.slice(0, 308))
      const pages = [
        ...contents.map((content) => ({ content, text })),
        { text, mediaBox: [0, 0, huge, huge] as const },
        { text, mediaBox: [-huge, -huge, huge, huge] as const },
        { text, rotate: 45 }
      ]
      const pdf = Buffer.from(makePdf({ pages })).toString("latin1")
      const infinite = pdf.replaceAll(/\d(\.\d+)?e\+\d+/g, digits)
      const id = yield* post("numbers", new Uint8Array(Buffer.from(infinite, "latin1")))
      const { attempt, progress, status } = yield* finished(id, "numbers")
      assert.include(["completed", "partial"], status)
      assert.deepStrictEqual([attempt, progress.done], [1, pages.length])
      const shown = yield* pagesOf(id, "?detail=lines&limit=100", "numbers")
      assert.strictEqual(shown.pages.length, pages.length)
      assert.isTrue(shown.pages.filter((page) => page.status === "ok").every((page) => page.text.includes("shown")))
      assert.isAtLeast(shown.pages.filter((page) => page.status === "ok").length, 5)
    })
  )

  it.effect("that is damaged fails at once, without a second try", () =>
    Effect.gen(function* () {
      const { attempt, document } = yield* fate(truncated(manyPages(5), 0.01))
      assert.deepStrictEqual([document, attempt], ["failed: CORRUPT", 1])
    })
  )

  it.effect("with scripts, attachments, forms and launch actions has them told of, and none of them run", () =>
    Effect.gen(function* () {
      const { directory } = yield* Premises
      const marker = join(directory, "marker")
      const id = yield* post("active", activeContent(marker))
      const { metadata, status } = yield* finished(id, "active")
      assert.strictEqual(status, "completed")
      assert.deepInclude(metadata, { hasJavaScript: true, hasAttachments: true, hasForms: true, hasXfa: true })
      assert.isFalse(existsSync(marker))
    })
  )
})
