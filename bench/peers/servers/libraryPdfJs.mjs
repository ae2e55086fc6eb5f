// Loaded before a processor that is to read with pdf.js as its package comes. Everything else is the same: what is held
// open, how many pages at once, and how text becomes lines.
import { Effect } from "effect"
import { registerHooks } from "node:module"
import { PDFWorker, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs"

registerHooks({
  resolve: (specifier, context, next) =>
    specifier.endsWith("/PdfJsWorker.ts") ? { url: import.meta.url, shortCircuit: true } : next(specifier, context)
})

export const verbosity = VerbosityLevel.INFOS

export const makePdfJsWorker = Effect.acquireRelease(
  Effect.sync(() => new PDFWorker({ verbosity })),
  (worker) => Effect.sync(() => worker.destroy())
)
