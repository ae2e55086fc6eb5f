// An engine that reads nothing: it answers from a script. Time passes only on the `Clock`, so a test clock drives it.
import { Clock, Duration, Effect, Layer, Option, Stream } from "effect"
import type { PageResult } from "../domain/document/Page.ts"
import { type HeadRequest, PdfEngine, type PdfEngineError, type PdfRef } from "./PdfEngine.ts"
import { ScriptedCounts } from "./scripted/ScriptedCounts.ts"
import type { ScriptedDocument } from "./scripted/ScriptedDocument.ts"
import { makeScriptedReader, unreadable } from "./scripted/ScriptedReader.ts"
import { makeScriptedWorkers } from "./scripted/ScriptedWorkers.ts"

export {
  type ScriptedDocument,
  type ScriptedOpening,
  type ScriptedPage,
  soundDocument
} from "./scripted/ScriptedDocument.ts"

export interface ScriptedEngine {
  readonly layer: Layer.Layer<PdfEngine>
  readonly timesOpened: (key: string) => number
  /** How often reading this page began, with any outcome. */
  readonly timesRead: (key: string, page: number) => number
  /** Calls that run now, and the most that ever ran at once. */
  readonly working: () => number
  readonly peak: () => number
  readonly closed: () => ReadonlySet<string>
}

/** Reads the pages one after another. Results that are ready within `gathering` after the one before come together. */
const readTogether = (
  pages: ReadonlyArray<number>,
  gathering: Duration.Input,
  read: (page: number) => Effect.Effect<PageResult, PdfEngineError>
) => {
  const longest = Duration.toMillis(Duration.fromInputUnsafe(gathering))
  let sentAt = Number.NEGATIVE_INFINITY
  return Stream.paginate(
    0,
    Effect.fnUntraced(function* (from: number) {
      const found: Array<PageResult> = []
      let next = from
      for (let page = pages[next]; page !== undefined; page = pages[next]) {
        next++
        found.push(yield* read(page))
        const now = yield* Clock.currentTimeMillis
        if (now - sentAt < longest) continue
        sentAt = now
        break
      }
      return [found, next < pages.length ? Option.some(next) : Option.none()] as const
    })
  )
}

/**
 * `scriptOf` finds the script of a document. A worker is one processor: it reads the pages of a call, and of a head, one
 * after another, however many may be begun at a time.
 */
export const makeScriptedEngine = (
  scriptOf: (pdf: PdfRef) => ScriptedDocument,
  options: {
    readonly capacity?: number
    /** How long a worker takes to start: at first, and after a death. */
    readonly starting?: Duration.Input
    /** Results that are ready within this time after the one before come together. A death or a hang loses those that wait. */
    readonly gathering?: (pdf: PdfRef) => Duration.Input
  } = {}
): ScriptedEngine => {
  const capacity = options.capacity ?? 2
  const counts = new ScriptedCounts()
  const { opening, reading } = makeScriptedReader(scriptOf, counts)

  const work = Effect.acquireRelease(
    Effect.sync(() => counts.begin()),
    () => Effect.sync(() => counts.end())
  )

  const make = Effect.gen(function* () {
    const { onReady, ready, replacing, take } = yield* makeScriptedWorkers(capacity, options.starting ?? 0)
    const borrow = Effect.andThen(take, work)

    const startRead = Effect.fnUntraced(function* (pdf: PdfRef, pages: ReadonlyArray<number>) {
      yield* borrow
      // A real engine opens a file before it reads pages: a file that does not open cannot be read either.
      const open = scriptOf(pdf).open(counts.openings.of(pdf.key))
      if (open._tag === "Unreadable") return Stream.fail(unreadable(open.failure))
      return readTogether(pages, options.gathering?.(pdf) ?? 0, (page) => replacing(reading(pdf, page)))
    })

    return PdfEngine.of({
      capacity,
      ready,
      onReady,
      open: Effect.fn("PdfEngine.open")(
        (pdf: PdfRef, head?: HeadRequest) => Effect.andThen(borrow, replacing(opening(pdf, head))),
        Effect.scoped
      ),
      read: (pdf, pages) => Stream.unwrap(startRead(pdf, pages)),
      close: (key) => Effect.sync(() => counts.closed.add(key)),
      status: Effect.sync(() => ({
        workers: Array.from({ length: ready() }, (_, index) => ({
          pid: index + 1,
          busy: index < counts.working,
          rssBytes: 0,
          pagesRead: index === 0 ? counts.pagesRead : 0
        })),
        replaced: counts.deaths
      }))
    })
  })

  return {
    layer: Layer.effect(PdfEngine, make),
    timesOpened: (key) => counts.openings.of(key),
    timesRead: (key, page) => counts.timesRead(key, page),
    working: () => counts.working,
    peak: () => counts.peak,
    closed: () => counts.closed
  }
}
