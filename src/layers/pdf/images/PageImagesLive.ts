// Draws pages in child processes, which are started when an image is asked for, and ended when none was for a while.
import { Effect, Layer, Redacted } from "effect"
import { failure } from "../../../domain/Failure.ts"
import { Downstreams } from "../../../services/downstreams/Downstreams.ts"
import { PdfUnreadable, type PdfRef, type WorkerDied } from "../../../services/PdfEngine.ts"
import {
  imagesDownstream,
  type ImageRequest,
  mostPixels,
  PageImageError,
  PageImages
} from "../../../services/PageImages.ts"
import { WorkersConfig } from "../../config/Config.ts"
import { ImagesConfig } from "../../config/OcrConfig.ts"
import { makeChildren, type TaskFailed, type TaskTimeout } from "../../children/Children.ts"
import { findSandbox, requireAll, type SandboxMode } from "../pool/Sandbox.ts"
import { ImageCache } from "./ImageCache.ts"
import { renderProgram } from "./RenderProgram.ts"
import { imageIn, mostAnswerBytes, type RenderTask } from "./RenderTask.ts"

export interface PageImagesOptions {
  readonly sandbox: SandboxMode
  /** Font files that stand in for fonts that a PDF does not have in it. */
  readonly fonts: ReadonlyArray<string>
  /** What each process may use. */
  readonly memoryBytes: number
  /** Processes of each class at most. */
  readonly processes: number
  /** Of images that are kept in memory. */
  readonly cacheBytes: number
  /** What one page may take: milliseconds without the wait for a processor. */
  readonly timeoutMillis: number
  /** Of the processes that draw for stages. */
  readonly niceness: number
}

export const defaultOptions: PageImagesOptions = {
  sandbox: "auto",
  fonts: [],
  memoryBytes: 800 * 1024 * 1024,
  processes: 1,
  cacheBytes: 32 * 1024 * 1024,
  timeoutMillis: 30_000,
  niceness: 19
}

/** Like page workers: a person waits for these. */
const onlineNiceness = 5

const idle = "1 minute"

/** Failures of the page alone, not of its file. */
const ofPage: ReadonlySet<string> = new Set(["PAGE_TOO_LARGE", "PAGE_UNREADABLE", "RESOURCE_LIMIT"])

const pageError = (code: Parameters<typeof failure>[0], message: string, again = false) =>
  new PageImageError({ failure: failure(code, message), again })

const errorOf = (error: TaskFailed | TaskTimeout | WorkerDied): PdfUnreadable | PageImageError => {
  switch (error._tag) {
    case "TaskFailed":
      return ofPage.has(error.failure.code)
        ? new PageImageError({ failure: error.failure, again: false })
        : new PdfUnreadable({ failure: error.failure })
    case "TaskTimeout":
      return pageError("PAGE_TIMEOUT", "the page was not drawn in time")
    case "WorkerDied":
      return error.memory
        ? pageError("RESOURCE_LIMIT", "Drawing the page needs too much memory.")
        : pageError("CRASHED", `the process that draws pages died: ${error.detail}`, true)
  }
}

/** Under what an image is kept; undefined for one that is not. Images of a file with a password are shown only with it. */
const cacheKey = ({ location, password }: PdfRef, page: number, { format, size }: ImageRequest): string | undefined =>
  location.hash === undefined || password !== undefined || format === "grey"
    ? undefined
    : `${location.hash} ${page} ${"dpi" in size ? `dpi ${size.dpi}` : `width ${size.width}`} ${format}`

/** Undefined where what draws pages is not installed. */
const make = Effect.fnUntraced(function* (options: PageImagesOptions) {
  const sandbox = yield* Effect.cached(findSandbox(options.sandbox))
  if (options.sandbox === "require") yield* Effect.flatMap(sandbox, requireAll)
  const cache = new ImageCache(options.cacheBytes)
  const childrenOf = (niceness: number) => {
    const program = renderProgram(options.fonts, niceness)
    if (program === undefined) return Effect.undefined
    const { memoryBytes, processes, timeoutMillis } = options
    return makeChildren({ program, memoryBytes, sandbox, most: processes, idle, timeoutMillis, mostAnswerBytes })
  }
  const children = { online: yield* childrenOf(onlineNiceness), batch: yield* childrenOf(options.niceness) }

  return PageImages.of({
    render: Effect.fn("PageImages.render")(function* (pdf, page, request, call) {
      const key = cacheKey(pdf, page, request)
      const kept = key === undefined ? undefined : cache.find(key)
      if (kept !== undefined) return kept
      const pool = children[call.class ?? "batch"]
      if (pool === undefined)
        return yield* pageError("PAGE_UNREADABLE", "pages cannot be drawn: @napi-rs/canvas is not installed")
      const password = pdf.password === undefined ? undefined : Redacted.value(pdf.password)
      const { format, maxPixels = mostPixels, size } = request
      const task: RenderTask = { password, page, size, format, maxPixels: Math.min(maxPixels, mostPixels) }
      const drawn = pool.run(task, pdf).pipe(
        Effect.mapError(errorOf),
        Effect.flatMap((value) => {
          const image = imageIn(value, task)
          return image === undefined ? pageError("CRASHED", "what was drawn is no image", true) : Effect.succeed(image)
        })
      )
      const downstreams = yield* Downstreams
      const image = yield* downstreams.call(imagesDownstream, call)(drawn)
      if (key !== undefined) cache.add(key, image)
      return image
    })
  })
})

/** Fails only with `sandbox: "require"`, if a wall around the processes is not available. */
export const layer = (options: Partial<PageImagesOptions> = {}) =>
  Layer.effect(PageImages, make({ ...defaultOptions, ...options }))

/** As the environment says: `RENDER_FONTS`, `SANDBOX`. With `IMAGES=off` its downstream is not there, so that every call fails. */
export const layerFromEnv = Layer.unwrap(
  Effect.gen(function* () {
    const { fonts } = yield* ImagesConfig
    const { sandbox } = yield* WorkersConfig
    return layer({ fonts, sandbox })
  })
)
