// Tells whether a page paints an image, without decoding one and without holding the page's operators in memory.
import { Effect } from "effect"
import type { ReadableStream, ReadableStreamDefaultReader } from "node:stream/web"
import type { PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs"
import { OPS } from "pdfjs-dist/legacy/build/pdf.mjs"
import { describeError } from "../pdfjs/PdfJs.ts"

const imageOperators: ReadonlySet<number> = new Set([
  OPS.paintImageMaskXObject,
  OPS.paintImageMaskXObjectGroup,
  OPS.paintImageMaskXObjectRepeat,
  OPS.paintImageXObject,
  OPS.paintImageXObjectRepeat,
  OPS.paintInlineImageXObject,
  OPS.paintInlineImageXObjectGroup,
  OPS.paintSolidColorImageMask
])

// A page that has drawn this much without one image is a drawing.
const mostOperators = 200_000

interface OperatorChunk {
  readonly fnArray: ReadonlyArray<number>
}

interface Transport {
  readonly messageHandler: {
    readonly sendWithStream: (action: "GetOperatorList", request: object) => ReadableStream<OperatorChunk>
  }
}

const isTransport = (value: unknown): value is Transport =>
  typeof value === "object" && value !== null && "messageHandler" in value

// `page.getOperatorList()` keeps every operator, and when the page breaks off it resolves with what came before. The
// stream below it reports both, but pdf.js does not publish it; the version of pdf.js is pinned.
const operators = (page: PDFPageProxy): ReadableStream<OperatorChunk> => {
  const transport: unknown = Reflect.get(page, "_transport")
  if (!isTransport(transport)) throw new Error("This version of pdf.js keeps its operators elsewhere.")
  const annotationsDisabled = 1 << 6
  const display = 1 << 1
  return transport.messageHandler.sendWithStream("GetOperatorList", {
    pageId: page.pageNumber - 1,
    pageIndex: page.pageNumber - 1,
    pageProxyId: Reflect.get(page, "_id"),
    intent: display | annotationsDisabled,
    cacheKey: "images",
    annotationStorage: null,
    modifiedIds: null
  })
}

// In the strict manner an image is refused by its size before anything of it is decoded; the refusal shows that it is there.
const isRefusedImage = (cause: unknown): boolean => describeError(cause).includes("exceeded maximum allowed size")

const scan = Effect.fnUntraced(function* (reader: ReadableStreamDefaultReader<OperatorChunk>) {
  for (let seen = 0; seen < mostOperators;) {
    const chunk = yield* Effect.tryPromise({ try: () => reader.read(), catch: (cause) => cause })
    if (chunk.done) return false
    if (chunk.value.fnArray.some((operator) => imageOperators.has(operator))) return true
    seen += chunk.value.fnArray.length
  }
  return false
})

/** Fails with what pdf.js threw, if that was before an image was met. */
export const hasImage = (page: PDFPageProxy): Effect.Effect<boolean, unknown> =>
  Effect.acquireUseRelease(
    Effect.try({ try: () => operators(page).getReader(), catch: (cause) => cause }),
    scan,
    // pdf.js goes on making operators for a reader that has left, unless it is given an error as the reason.
    (reader) => Effect.ignore(Effect.tryPromise(() => reader.cancel(new Error("enough seen"))))
  ).pipe(Effect.catch((cause) => (isRefusedImage(cause) ? Effect.succeed(true) : Effect.fail(cause))))
