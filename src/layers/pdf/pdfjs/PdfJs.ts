// Everything that is particular to pdf.js as a library: how it is set up, how a file is opened, and what its errors mean.
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import type { PDFDocumentLoadingTask, PDFDocumentProxy, PDFWorker } from "pdfjs-dist/legacy/build/pdf.mjs"
import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs"
import { failure } from "../../../domain/Failure.ts"
import { cutText } from "../../../domain/Text.ts"
import { PdfUnreadable } from "../../../services/PdfEngine.ts"
import { isMemoryError, textOfError } from "./MemoryError.ts"
import { makePdfJsWorker, verbosity } from "./PdfJsWorker.ts"

// pdf.js reads character maps from a plain path that ends in "/". Given anything else it silently loses CJK text.
const cMapUrl = fileURLToPath(new URL("../../cmaps/", import.meta.resolve("pdfjs-dist/legacy/build/pdf.mjs")))

/**
 * `strict` reports the first fault of a page and refuses to decode any image; `lenient` reads around damage, as a viewer does,
 * and never reports it.
 */
export type Manner = "strict" | "lenient"

const largestImagePixels = 64_000_000

/** Gives the password when one is needed: one given at once to a file with an empty user password would be refused as wrong. */
export const answerPassword = (task: PDFDocumentLoadingTask, password: string | undefined): void => {
  task.onPassword = (answer: (password: string | Error) => void, reason: number) => {
    const isNeeded = reason === 1 && password !== undefined
    answer(isNeeded ? password : Object.assign(new Error("no password"), { name: "PasswordException", code: reason }))
  }
}

const load = (
  worker: PDFWorker,
  data: Uint8Array,
  password: string | undefined,
  manner: Manner
): PDFDocumentLoadingTask => {
  const task = getDocument({
    worker,
    data,
    cMapUrl,
    cMapPacked: true,
    useWorkerFetch: false,
    // Left to itself pdf.js then takes glyph widths from its own tables. With standard font data it turns some text to garbage.
    useSystemFonts: true,
    verbosity,
    enableXfa: false,
    isOffscreenCanvasSupported: false,
    isImageDecoderSupported: false,
    stopAtErrors: manner === "strict",
    maxImageSize: manner === "strict" ? 0 : largestImagePixels
  })
  answerPassword(task, password)
  return task
}

/** Opens the file until the scope ends. The bytes are given away. */
export const openDocument = Effect.fnUntraced(function* (
  bytes: Uint8Array,
  password: string | undefined,
  manner: Manner
) {
  const worker = yield* makePdfJsWorker
  const task = yield* Effect.acquireRelease(
    Effect.try({ try: () => load(worker, bytes, password, manner), catch: (cause) => cause }),
    (task) => Effect.ignore(Effect.tryPromise(() => task.destroy()))
  )
  return yield* Effect.tryPromise({ try: (): Promise<PDFDocumentProxy> => task.promise, catch: (cause) => cause })
})

/** Cut to so many characters, with an ellipsis if it was cut. */
export const cut = (text: string, length: number): string =>
  text.length > length ? `${cutText(text, length)}…` : text.toWellFormed()

/** What went wrong, in pdf.js's own words, cut to a length that may be stored. */
export const describeError = (cause: unknown): string => {
  const message = textOfError(cause, "message") || textOfError(cause, "name") || "unknown error"
  return cut(message, 300)
}

const hasHeader = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes("%PDF")

/** The failure of a file that did not open. `bytes` may be a copy: they are only searched for a header. */
export const unreadable = (cause: unknown, bytes: Uint8Array): PdfUnreadable => {
  if (textOfError(cause, "name") === "PasswordException") {
    const code: unknown = typeof cause === "object" && cause !== null ? Reflect.get(cause, "code") : undefined
    return new PdfUnreadable({
      failure:
        code === 2
          ? failure("PASSWORD_INVALID", "The password does not open this file.")
          : failure("PASSWORD_REQUIRED", "The file is encrypted and needs a password.")
    })
  }
  if (isMemoryError(cause)) {
    return new PdfUnreadable({ failure: failure("RESOURCE_LIMIT", "Opening the file needs too much memory.") })
  }
  if (
    /unknown encryption method|unsupported encryption/.test(
      textOfError(cause, "message") + textOfError(cause, "details")
    )
  ) {
    return new PdfUnreadable({
      failure: failure(
        "ENCRYPTION_UNSUPPORTED",
        "The file is not encrypted with a password, but for the holders of certificates or by a method that is not known."
      )
    })
  }
  if (bytes.length === 0) return new PdfUnreadable({ failure: failure("NOT_PDF", "The file is empty.") })
  return new PdfUnreadable({
    failure: hasHeader(bytes)
      ? failure("CORRUPT", describeError(cause))
      : failure("NOT_PDF", "The file has no %PDF header.")
  })
}
