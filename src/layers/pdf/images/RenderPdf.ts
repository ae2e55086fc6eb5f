// Draws pages of one PDF with pdf.js. Runs in a child of its own: it may loop, die or exhaust memory without harm to others. The
// configuration differs from that for reading text: with it scans in JBIG2 and JPEG 2000 are decoded, and text is drawn in the
// standard fonts.
import { Effect, type Scope } from "effect"
import { fileURLToPath } from "node:url"
import type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs"
import { AnnotationMode, getDocument, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs"
import { failure, type Failure } from "../../../domain/Failure.ts"
import { isMemoryError } from "../pdfjs/MemoryError.ts"
import { answerPassword, describeError, unreadable } from "../pdfjs/PdfJs.ts"
import type { RenderTask } from "./RenderTask.ts"

// Plain paths that end in "/".
const base = fileURLToPath(new URL("../../", import.meta.resolve("pdfjs-dist/legacy/build/pdf.mjs")))

const largestImagePixels = 64_000_000

const webpQuality = 80

/** What pdf.js draws on, as the native package makes it. */
interface Surface {
  readonly canvas: {
    readonly width: number
    readonly height: number
    readonly toBuffer: (mediaType: string, quality?: number) => Uint8Array
  }
  readonly context: {
    readonly getImageData: (x: number, y: number, width: number, height: number) => { readonly data: Uint8ClampedArray }
  }
}

interface Surfaces {
  readonly create: (width: number, height: number) => Surface
  readonly destroy: (surface: Surface) => void
}

const isSurfaces = (value: unknown): value is Surfaces =>
  typeof value === "object" && value !== null && "create" in value && "destroy" in value

const foreign = <A>(promise: () => Promise<A>): Effect.Effect<A, unknown> =>
  Effect.tryPromise({ try: promise, catch: (cause) => cause })

const tooMuchMemory = failure("RESOURCE_LIMIT", "Drawing the page needs too much memory.")

/** Opens the file until the scope ends. The bytes are given away. */
export const openToDraw = (
  bytes: Uint8Array,
  password: string | undefined
): Effect.Effect<PDFDocumentProxy, Failure, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const task = getDocument({
        data: bytes,
        cMapUrl: `${base}cmaps/`,
        cMapPacked: true,
        standardFontDataUrl: `${base}standard_fonts/`,
        wasmUrl: `${base}wasm/`,
        iccUrl: `${base}iccs/`,
        useSystemFonts: false,
        useWorkerFetch: false,
        isOffscreenCanvasSupported: false,
        isImageDecoderSupported: false,
        enableXfa: false,
        verbosity: VerbosityLevel.WARNINGS,
        maxImageSize: largestImagePixels
      })
      answerPassword(task, password)
      return task
    }),
    (task) => Effect.ignore(Effect.tryPromise(() => task.destroy()))
  ).pipe(
    Effect.flatMap((task) => foreign((): Promise<PDFDocumentProxy> => task.promise)),
    Effect.mapError((cause) => unreadable(cause, bytes).failure)
  )

const encode = ({ canvas, context }: Surface, format: RenderTask["format"]): Uint8Array => {
  const { height, width } = canvas
  switch (format) {
    case "png":
      return canvas.toBuffer("image/png")
    case "webp":
      return canvas.toBuffer("image/webp", webpQuality)
    case "grey": {
      const { data } = context.getImageData(0, 0, width, height)
      const grey = new Uint8Array(width * height)
      for (let to = 0, from = 0; to < grey.length; to++, from += 4) {
        grey[to] = ((data[from] ?? 0) * 77 + (data[from + 1] ?? 0) * 150 + (data[from + 2] ?? 0) * 29) >> 8
      }
      return grey
    }
  }
}

/** What pdf.js says, and goes on, when an image of the page is left out. */
const lostImage = /unable to decode (inline )?image|jbig2|jpx|openjpeg|jpeg error|dependent image|image exceeded/i

const drawn = (surfaces: Surfaces, page: PDFPageProxy, task: RenderTask) => {
  const whole = page.getViewport({ scale: 1 })
  const scale = "dpi" in task.size ? task.size.dpi / 72 : task.size.width / Math.max(1, whole.width)
  const viewport = page.getViewport({ scale })
  const width = Math.max(1, Math.ceil(viewport.width))
  const height = Math.max(1, Math.ceil(viewport.height))
  // Before memory is taken for it.
  if (!(width * height <= task.maxPixels)) {
    return Effect.fail(
      failure("PAGE_TOO_LARGE", `The image would have ${width} × ${height} pixels; ${task.maxPixels} are allowed.`)
    )
  }
  return Effect.acquireUseRelease(
    Effect.sync(() => surfaces.create(width, height)),
    (surface) =>
      foreign(
        () =>
          page.render({
            canvas: surface.canvas,
            canvasContext: surface.context,
            viewport,
            annotationMode: AnnotationMode.ENABLE
          }).promise
      ).pipe(Effect.map(() => ({ width, height, bytes: encode(surface, task.format) }))),
    (surface) => Effect.sync(() => surfaces.destroy(surface))
  )
}

let losses = 0

/** From now on, what pdf.js writes to the console is listened to instead of printed. */
export const listenToLosses = (): void => {
  // oxlint-disable-next-line no-console -- pdf.js goes on without what it cannot decode, and says so there only
  console.warn = (...parts: ReadonlyArray<unknown>): void => {
    if (lostImage.test(String(parts[0]))) losses++
  }
}

/** Draws one page. */
export const drawPage = Effect.fnUntraced(
  function* (document: PDFDocumentProxy, task: RenderTask) {
    const surfaces: unknown = document.canvasFactory
    if (!isSurfaces(surfaces)) return yield* Effect.die(new Error("This version of pdf.js has no canvases."))
    if (task.page > document.numPages) {
      return yield* Effect.fail(failure("PAGE_UNREADABLE", `There is no page ${task.page}.`))
    }
    const before = losses
    const image = yield* Effect.acquireUseRelease(
      foreign(() => document.getPage(task.page)),
      (page) => drawn(surfaces, page, task),
      (page) => Effect.sync(() => page.cleanup())
    )
    if (losses > before)
      return yield* Effect.fail(failure("PAGE_UNREADABLE", "An image of the page cannot be decoded."))
    return image
  },
  Effect.catchDefect((cause) => Effect.fail(cause)),
  Effect.mapError((cause) =>
    isFailure(cause)
      ? cause
      : isMemoryError(cause)
        ? tooMuchMemory
        : failure("PAGE_UNREADABLE", `The page cannot be drawn: ${describeError(cause)}`)
  )
)

const isFailure = (cause: unknown): cause is Failure =>
  typeof cause === "object" && cause !== null && "code" in cause && "advice" in cause && "message" in cause
