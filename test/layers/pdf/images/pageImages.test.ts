import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Redacted, References } from "effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { BlobHash } from "../../../../src/domain/Ids.ts"
import * as PageImagesLive from "../../../../src/layers/pdf/images/PageImagesLive.ts"
import { type ImageRequest, type PageImage, PageImages } from "../../../../src/services/PageImages.ts"
import { acme, downstreamsLayer } from "../../../support/downstreams.ts"
import { makeEncryptedPdf, makePdf, spinningPage, textPage } from "../../../support/pdf.ts"
import { firstExtraObject } from "../../../../examples/pdf-writer.ts"
import { inMemory, pdfOf } from "../engine.ts"

// The tests' own priority, so that they pass beside busy processes.
const images = PageImagesLive.layer({ niceness: 0, timeoutMillis: 1_500 }).pipe(
  Layer.provideMerge(downstreamsLayer({ images: { concurrency: 2 } })),
  Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
)

const call = { tenant: acme, class: "online" } as const
const grey: ImageRequest = { size: { dpi: 72 }, format: "grey" }

let files = 0
const draw = (bytes: Uint8Array, page = 1, request = grey, hash?: string) =>
  PageImages.use((service) =>
    service.render(
      pdfOf(`images${++files}`, { ...inMemory(bytes), ...(hash !== undefined && { hash: BlobHash.make(hash) }) }),
      page,
      request,
      call
    )
  )

/** Dark pixels in a part of a grey image. */
const ink = ({ bytes, height, width }: PageImage, top = 0, bottom = height): number =>
  bytes.subarray(top * width, bottom * width).reduce((sum, value) => sum + (value < 128 ? 1 : 0), 0)

/** One page that shows an image of these bytes. */
const withImage = (entries: string, bytes: Uint8Array) =>
  makePdf({
    pages: [{ content: "q 300 0 0 300 100 300 cm /X Do Q", xObjects: `/X ${firstExtraObject} 0 R` }],
    objects: [{ entries: `/Type /XObject /Subtype /Image ${entries}`, bytes }]
  })

const bilevel = "/Width 32 /Height 32 /BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /JBIG2Decode"

/** A JBIG2 stream: one segment, which makes a page of 32 × 32 black pixels. */
const blackPage = Buffer.from("000000003000010000001300000020000000200000000000000000040000", "hex")

const childrenOf = (title: string) =>
  execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => {
      const [pid = "", , ...args] = line.trim().split(/\s+/)
      return args[0] === title ? [Number(pid)] : []
    })

describe("images of pages", () => {
  layer(images, { excludeTestServices: true, timeout: 120_000 })((it) => {
    it.effect("show text in the standard fonts, as grey pixels of the page as displayed", () =>
      Effect.gen(function* () {
        const text = textPage(["Hello"])
        const image = yield* draw(makePdf({ pages: [{ ...text, mediaBox: [0, 0, 400, 800], rotate: 90 }] }))
        assert.deepStrictEqual([image.width, image.height], [800, 400])
        assert.strictEqual(image.bytes.length, 800 * 400)
        assert.isAbove(ink(image), 20)
      })
    )

    it.effect("come as PNG and as WebP, by resolution and by width", () =>
      Effect.gen(function* () {
        const bytes = makePdf({ pages: [textPage(["Hello"])] })
        const png = yield* draw(bytes, 1, { size: { dpi: 36 }, format: "png" })
        const webp = yield* draw(bytes, 1, { size: { width: 240 }, format: "webp" })
        assert.deepStrictEqual([png.width, png.height], [298, 421])
        assert.strictEqual(Buffer.from(png.bytes.subarray(1, 4)).toString(), "PNG")
        assert.strictEqual(webp.width, 240)
        assert.strictEqual(Buffer.from(webp.bytes.subarray(8, 12)).toString(), "WEBP")
      })
    )

    it.effect("show scans in JBIG2", () =>
      Effect.gen(function* () {
        const image = yield* draw(withImage(bilevel, blackPage))
        assert.isAbove(ink(image), 80_000)
      })
    )

    it.effect(
      "are refused, by code, when they would be too large, when there is no such page, and when nothing opens",
      () =>
        Effect.gen(function* () {
          const bytes = makePdf({ pages: [{ ...textPage(["wide"]), mediaBox: [0, 0, 14_000, 14_000] }] })
          const tooLarge = yield* Effect.flip(draw(bytes, 1, { size: { dpi: 300 }, format: "png" }))
          const missing = yield* Effect.flip(draw(bytes, 2))
          const garbage = yield* Effect.flip(draw(new TextEncoder().encode("no PDF")))
          const locked = yield* Effect.flip(draw(makeEncryptedPdf("secret")))
          const codes = [tooLarge, missing, garbage, locked].map((error) => "failure" in error && error.failure.code)
          assert.deepStrictEqual(codes, ["PAGE_TOO_LARGE", "PAGE_UNREADABLE", "NOT_PDF", "PASSWORD_REQUIRED"])
        })
    )

    it.effect("of a file with a password are drawn with it", () =>
      PageImages.use((service) =>
        service.render(
          { key: "locked", location: inMemory(makeEncryptedPdf("secret")), password: Redacted.make("secret") },
          1,
          grey,
          call
        )
      ).pipe(Effect.map((image) => assert.isAbove(ink(image), 20)))
    )

    it.effect("say that an image of the page cannot be decoded, instead of leaving it white", () =>
      Effect.gen(function* () {
        const grey = "/Width 32 /Height 32 /BitsPerComponent 8 /ColorSpace /DeviceGray"
        const noImage = Buffer.from("this is no image at all, but text")
        const scans = [
          [`${grey} /Filter /DCTDecode`, noImage],
          [`${grey} /Filter /JPXDecode`, noImage],
          [bilevel, blackPage.subarray(0, 20)]
        ] as const
        for (const [entries, bytes] of scans) {
          const failed = yield* Effect.flip(draw(withImage(entries, bytes)))
          assert.strictEqual("failure" in failed && failed.failure.code, "PAGE_UNREADABLE", entries)
        }
      })
    )

    it.effect("that spin are given up, and the next is drawn", () =>
      Effect.gen(function* () {
        const spun = yield* Effect.flip(draw(spinningPage()))
        assert.strictEqual("failure" in spun && spun.failure.code, "PAGE_TIMEOUT")
        assert.isAbove(ink(yield* draw(makePdf({ pages: [textPage(["next"])] }))), 20)
      })
    )

    it.effect("are kept, and given again without being drawn", () =>
      Effect.gen(function* () {
        const bytes = makePdf({ pages: [textPage(["kept"])] })
        const hash = createHash("sha256").update(bytes).digest("hex")
        const request: ImageRequest = { size: { width: 100 }, format: "png" }
        const first = yield* draw(bytes, 1, request, hash)
        // These bytes would not be drawn: they do not have the hash.
        const again = yield* draw(new Uint8Array([1]), 1, request, hash)
        assert.strictEqual(again, first)
        const other = yield* Effect.flip(draw(new Uint8Array([1]), 1, { ...request, format: "webp" }, hash))
        assert.strictEqual("failure" in other && other.failure.code, "BLOB_LOST")
      })
    )

    it.effect("survive the death of the process that draws them", () =>
      Effect.gen(function* () {
        yield* draw(makePdf({ pages: [textPage(["first"])] }))
        const pids = childrenOf("sluice-page-images")
        assert.isNotEmpty(pids)
        for (const pid of pids) process.kill(pid, "SIGKILL")
        assert.isAbove(ink(yield* draw(makePdf({ pages: [textPage(["second"])] }))), 20)
      })
    )
  })
})
