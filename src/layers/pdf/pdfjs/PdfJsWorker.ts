// pdf.js has two halves: an interface, and a worker that reads files. Here both run in one thread, and two things that cost
// more than a third of the time to read a page are done better than in pdf.js itself. The patches change what is read, and
// which losses are reported; PdfJsGlyphs.ts reports where glyphs stand.
import { Effect } from "effect"
import { registerHooks } from "node:module"
import { PDFWorker, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs"
import { LoopbackPort } from "./LoopbackPort.ts"
import { patches } from "./patches/All.ts"
import { applyPatches } from "./patches/Patch.ts"
import { reportGlyphs } from "./PdfJsGlyphs.ts"

/** Where each glyph stands: called two times a glyph, with arrays of four kinds, which V8 cannot make fast. */
const slowTransform = "return Util.transform(textState.ctm, Util.transform(textState.textMatrix, tsm));"

// The same products and sums in the same order, so each number comes out the same to the last bit.
const quickTransform = `
      const m = textState.textMatrix, m0 = m[0], m1 = m[1], m2 = m[2], m3 = m[3];
      const t0 = tsm[0], t3 = tsm[3], t5 = tsm[5];
      const a = m0 * t0 + m2 * 0, b = m1 * t0 + m3 * 0;
      const c = m0 * 0 + m2 * t3, d = m1 * 0 + m3 * t3;
      const e = m0 * 0 + m2 * t5 + m[4], f = m1 * 0 + m3 * t5 + m[5];
      const n = textState.ctm, n0 = n[0], n1 = n[1], n2 = n[2], n3 = n[3];
      return [
        n0 * a + n2 * b, n1 * a + n3 * b, n0 * c + n2 * d, n1 * c + n3 * d, n0 * e + n2 * f + n[4], n1 * e + n3 * f + n[5]
      ];`

// A glyph starts where the one before it ended, unless something moved the place between them: within a string of glyphs,
// a blank, character spacing or a glyph beside the page. That place has been worked out already.
const settledStart: ReadonlyArray<readonly [before: string, after: string]> = [
  ["prevTransform: null,", "prevTransform: null,\n      settled: false,"],
  [
    "const currentTransform = getCurrentTextTransform();",
    "const currentTransform = textContentItem.settled ? textContentItem.prevTransform : getCurrentTextTransform();"
  ],
  ["const baseCharSpacing = font", "textContentItem.settled = false;\n      const baseCharSpacing = font"],
  [
    "if (!keepWhiteSpace && category.isWhitespace) {",
    "if (!keepWhiteSpace && category.isWhitespace) {\n          textContentItem.settled = false;"
  ],
  [
    "if (!category.isZeroWidthDiacritic && !compareWithLastPosition(scaledDim)) {",
    "if (!category.isZeroWidthDiacritic && !compareWithLastPosition(scaledDim)) {\n          textContentItem.settled = false;"
  ],
  [
    "const glyphUnicode = glyph.unicode;",
    "textChunk.settled = charSpacing === 0 && (scaledDim !== 0 || textChunk.settled);\n        const glyphUnicode = glyph.unicode;"
  ]
]

const changes = [[slowTransform, quickTransform] as const, ...settledStart]

/** Whether each place that `quicken` changes is in the source, once. */
export const canQuicken = (source: string): boolean =>
  changes.every(([before]) => {
    const at = source.indexOf(before)
    return at >= 0 && source.indexOf(before, at + 1) < 0
  })

/** The source of pdf.js's worker, with what is done for each glyph made quicker; unchanged where that is not found. */
export const quicken = (source: string): string =>
  canQuicken(source) ? changes.reduce((text, [before, after]) => text.replace(before, () => after), source) : source

const url = import.meta.resolve("pdfjs-dist/legacy/build/pdf.worker.mjs")

interface MessageHandler {
  readonly initializeFromPort: (port: LoopbackPort) => void
}

const isMessageHandler = (value: unknown): value is MessageHandler =>
  typeof value === "function" && "initializeFromPort" in value && typeof value.initializeFromPort === "function"

const load = async (): Promise<MessageHandler> => {
  const hooks = registerHooks({
    load: (asked, context, next) => {
      const loaded = next(asked, context)
      if (asked !== url || loaded.source === undefined || loaded.source === null) return loaded
      const source = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source)
      return { ...loaded, source: applyPatches(reportGlyphs(quicken(source)), patches) }
    }
  })
  try {
    const module: unknown = await import(url)
    const handler: unknown = Reflect.get(Object(module), "WorkerMessageHandler")
    if (!isMessageHandler(handler)) throw new Error("This version of pdf.js has another worker.")
    return handler
  } finally {
    hooks.deregister()
  }
}

/** All messages of pdf.js: they are checked, not printed. */
export const verbosity = VerbosityLevel.INFOS

// A page worker that cannot load it is of no use, and reports why as it ends.
const handler = await load()

/** A worker for one document, until the scope ends. */
export const makePdfJsWorker = Effect.acquireRelease(
  Effect.sync(() => {
    const port = new LoopbackPort()
    handler.initializeFromPort(port)
    // By its types it takes only the ports of a browser.
    const worker: unknown = Reflect.construct(PDFWorker, [{ port, verbosity }])
    if (!(worker instanceof PDFWorker)) throw new Error("This version of pdf.js makes other workers.")
    return worker
  }),
  (worker) => Effect.sync(() => worker.destroy())
)
