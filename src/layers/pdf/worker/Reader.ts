// Reads one PDF with pdf.js. Runs inside a page worker: it may loop, die or exhaust memory without harm to other processes.
import { Clock, Effect } from "effect"
import * as Scope from "effect/Scope"
import type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs"
import { failure } from "../../../domain/Failure.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import { failedPage } from "../../../domain/document/Page.ts"
import type { OpenedPdf, PdfUnreadable } from "../../../services/PdfEngine.ts"
import { type Warning, warningsField } from "../../../domain/document/Warning.ts"
import { listenToPdfjs, memoryFailuresSoFar } from "../pdfjs/MemoryFailures.ts"
import { describeDocument } from "./Description.ts"
import { type FieldTexts, readFieldTexts } from "./Fields.ts"
import { hasImage } from "./Images.ts"
import { type LayerVisibility, layerVisibility } from "./Layers.ts"
import { damageWarning, distinct, hasOtherItems, onlyText, shownItems } from "./PageItems.ts"
import { sortMatter } from "./PageMatter.ts"
import { isMemoryError } from "../pdfjs/MemoryError.ts"
import { describeError, openDocument, unreadable } from "../pdfjs/PdfJs.ts"
import { boundedLayout, boundedText } from "./TextBounds.ts"
import { layoutPage, layoutText } from "../text/Layout.ts"

export interface ReadOptions {
  /** Whether results have layouts. */
  readonly layout: boolean
}

export interface PdfReader {
  readonly pageCount: number
  readonly describe: Effect.Effect<OpenedPdf, PdfUnreadable>
  readonly readPage: (number: number) => Effect.Effect<PageResult>
}

const foreign = <A>(promise: () => Promise<A>): Effect.Effect<A, unknown> =>
  Effect.tryPromise({ try: promise, catch: (cause) => cause })

const withPage = <A>(
  document: PDFDocumentProxy,
  number: number,
  use: (page: PDFPageProxy) => Effect.Effect<A, unknown>
): Effect.Effect<A, unknown> =>
  Effect.acquireUseRelease(
    foreign(() => document.getPage(number)),
    use,
    (page) => Effect.sync(() => page.cleanup())
  )

/** A tree that cannot be read is none. */
const readTags = (page: PDFPageProxy) =>
  foreign(() => page.getStructTree()).pipe(
    Effect.catch((cause) => (isMemoryError(cause) ? Effect.fail(cause) : Effect.succeed(undefined)))
  )

/** An open document and what its pages need of it as a whole, each found when it is first asked for. */
interface OpenDocument {
  readonly document: PDFDocumentProxy
  readonly options: ReadOptions
  readonly fields: Effect.Effect<FieldTexts>
  readonly layers: Effect.Effect<LayerVisibility>
  /** Whether the file is known to have no tags at all: the other pages then need not be asked. */
  isUntagged: boolean
}

const readMatter = Effect.fnUntraced(function* (page: PDFPageProxy, opened: OpenDocument) {
  const tags = opened.isUntagged ? undefined : yield* readTags(page)
  if (tags === null) opened.isUntagged = true
  const includeMarkedContent = tags !== undefined && tags !== null && tags.children.length > 0
  // Not normalised: the letters of an Arabic ligature would come out reversed.
  const { items, styles } = yield* foreign(() =>
    page.getTextContent({ disableNormalization: true, includeMarkedContent })
  )
  return { ...sortMatter(items), fonts: styles, tags }
})

const readFrom = (opened: OpenDocument, number: number) =>
  withPage(
    opened.document,
    number,
    Effect.fnUntraced(function* (page) {
      const { fields, layers, options } = opened
      const viewport = page.getViewport({ scale: 1 })
      const { items: found, ...beside } = yield* readMatter(page, opened)
      const filledIn = (yield* fields).get(number) ?? []
      const { isDamaged, items, warnings } = hasOtherItems(found)
        ? shownItems(found, filledIn, found.some(isLayer) ? yield* layers : () => true)
        : onlyText(found, filledIn)
      const laidOut = options.layout ? layoutPage(items, { viewport, ...beside }) : undefined
      const bounded = boundedText(laidOut ?? layoutText(items, { viewport, ...beside }))
      const layout = laidOut && boundedLayout(laidOut.layout)
      const result: Omit<PageResult, "number" | "elapsedMillis"> = {
        status: bounded.text !== "" ? "ok" : (yield* hasImage(page)) ? "scanned" : "empty",
        width: round(viewport.width),
        height: round(viewport.height),
        rotation: viewport.rotation,
        text: bounded.text,
        lines: bounded.lines,
        ...layout?.field,
        error: undefined
      }
      return { result, isDamaged, warnings: [...warnings, ...bounded.warnings, ...(layout?.warnings ?? [])] }
    })
  )

const isLayer = (item: object): boolean => "type" in item && item.type === "beginOptionalContent"

const aboutFont = "Font cannot be read: "

/**
 * Adds the reason for which the strict reading failed to the warnings of the lenient one, unless one of them has it already.
 */
const withReason = (warnings: ReadonlyArray<Warning>, reason: unknown): ReadonlyArray<Warning> => {
  const words = describeError(reason)
  const isFont = words.startsWith(aboutFont)
  const why = isFont ? words.slice(aboutFont.length) : words
  return warnings.some(({ message }) => message.includes(why))
    ? warnings
    : distinct([...warnings, damageWarning(isFont ? "font" : "content", why)])
}

// A file can push a place beyond all numbers. It becomes 0: neither JSON nor the store can hold infinity.
const round = (value: number): number => (Number.isFinite(value * 100) ? Math.round(value * 100) / 100 : 0)

const outOfMemory = new Error("out of memory")

const withParts = Effect.fnUntraced(function* (document: PDFDocumentProxy, options: ReadOptions) {
  const opened: OpenDocument = {
    document,
    options,
    fields: yield* Effect.cached(readFieldTexts(document)),
    layers: yield* Effect.cached(layerVisibility(document)),
    isUntagged: false
  }
  return opened
})

/**
 * Opens a PDF until the scope ends. A copy of the bytes is handed to pdf.js; the caller's are neither kept nor changed.
 *
 * A page is first read in the strict manner, because the lenient one turns every failure, even of memory, into a page
 * with less text or none. Only when that fails is the file opened once more and the page read leniently. What is found
 * then counts; a page on which nothing is found has failed, for the reason that the strict manner gave.
 */
export const openPdf = Effect.fn("Reader.openPdf")(function* (
  bytes: Uint8Array,
  password: string | undefined,
  options: ReadOptions = { layout: true }
) {
  yield* listenToPdfjs
  const failuresBefore = yield* memoryFailuresSoFar
  const document = yield* openDocument(new Uint8Array(bytes), password, "strict").pipe(
    Effect.catch((cause) =>
      Effect.flatMap(memoryFailuresSoFar, (failures) =>
        // pdf.js hides why it could not read the structure.
        Effect.fail(unreadable(failures > failuresBefore ? outOfMemory : cause, bytes))
      )
    ),
    // Where memory was missing, the structure that was found may not be all there is.
    Effect.tap(() =>
      Effect.flatMap(memoryFailuresSoFar, (failures) =>
        failures > failuresBefore ? Effect.fail(unreadable(outOfMemory, bytes)) : Effect.void
      )
    )
  )
  const strict = yield* withParts(document, options)
  const scope = yield* Effect.scope
  const lenient = yield* Effect.cached(
    foreign(() => document.getData()).pipe(
      Effect.flatMap((copy) => openDocument(copy, password, "lenient")),
      Effect.flatMap((copy) => withParts(copy, options)),
      Scope.provide(scope)
    )
  )

  const readDamaged = Effect.fnUntraced(function* (number: number, reason: unknown) {
    if (isMemoryError(reason)) {
      return yield* Effect.fail(reason)
    }
    const { result, warnings } = yield* Effect.flatMap(lenient, (opened) => readFrom(opened, number))
    if (result.status === "empty") return yield* Effect.fail(reason)
    return { ...result, ...warningsField(withReason(warnings, reason)) }
  })

  const readStrict = Effect.fnUntraced(function* (number: number) {
    const { isDamaged, result, warnings } = yield* readFrom(strict, number)
    if (result.status === "empty" && isDamaged) {
      return yield* Effect.fail(new Error("The page's content cannot be decoded."))
    }
    return { ...result, ...warningsField(warnings) }
  })

  const readPage = Effect.fnUntraced(function* (number: number) {
    const started = yield* Clock.currentTimeNanos
    const result = yield* readStrict(number).pipe(
      Effect.catch((reason) => readDamaged(number, reason)),
      Effect.catchDefect((reason) => Effect.fail(reason)),
      Effect.result
    )
    const elapsedMillis = round(Number((yield* Clock.currentTimeNanos) - started) / 1e6)
    if (result._tag === "Success") return { number, ...result.success, elapsedMillis }
    const error = isMemoryError(result.failure)
      ? failure("RESOURCE_LIMIT", "Reading the page needs too much memory.")
      : failure("PAGE_UNREADABLE", describeError(result.failure))
    return failedPage(number, "failed", error, elapsedMillis)
  })

  const reader: PdfReader = { pageCount: document.numPages, describe: describeDocument(document), readPage }
  return reader
})
