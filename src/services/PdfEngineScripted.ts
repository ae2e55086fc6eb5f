// An engine that reads nothing: it answers from a script. Time passes only on the `Clock`, so a test clock drives it.
import { Clock, Duration, Effect, Layer, Option, Semaphore, Stream } from "effect"
import type { PdfMetadata } from "../domain/document/Document.ts"
import type { Failure } from "../domain/Failure.ts"
import { failedPage, noLines, type PageResult } from "../domain/document/Page.ts"
import {
  type HeadWanted,
  type OpenedPdf,
  type OpenedWithHead,
  PdfEngine,
  PdfEngineError,
  type PdfRef,
  PdfUnreadable,
  WorkerDied
} from "./PdfEngine.ts"

export type ScriptedPage =
  /** A page with text; `result` overrides fields of its result. */
  | { readonly _tag: "Page"; readonly takes?: Duration.Input; readonly result?: Partial<Omit<PageResult, "number">> }
  | { readonly _tag: "Failed"; readonly takes?: Duration.Input; readonly error: Failure }
  /** The worker dies on it, and the rest of the call with it. */
  | { readonly _tag: "Death"; readonly takes?: Duration.Input; readonly memory?: boolean }
  | { readonly _tag: "Hang" }

export type ScriptedOpening =
  | {
      readonly _tag: "Opens"
      readonly takes?: Duration.Input
      readonly pageCount: number
      readonly opened?: Partial<OpenedPdf>
      /** How many pages of the head are read if the call asks for them, however long they take. */
      readonly head?: number
    }
  | { readonly _tag: "Unreadable"; readonly takes?: Duration.Input; readonly failure: Failure }
  | { readonly _tag: "Death"; readonly takes?: Duration.Input; readonly memory?: boolean }
  | { readonly _tag: "Hang" }

export interface ScriptedDocument {
  /** `before` counts the earlier openings. */
  readonly open: (before: number) => ScriptedOpening
  /** `before` counts the earlier readings of this page. */
  readonly page: (number: number, before: number) => ScriptedPage
}

/** A sound document: page 3 of 9 says "Page 3 of 9". */
export const soundDocument = (pageCount: number, takes: Duration.Input = 0): ScriptedDocument => ({
  open: () => ({ _tag: "Opens", pageCount, takes }),
  page: (number) => ({ _tag: "Page", takes, result: { text: `Page ${number} of ${pageCount}` } })
})

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

/** Unless the script says otherwise, a page of the head begins only within this time after the file was opened. */
const mostHeadMillis = 24

const plainMetadata: PdfMetadata = {
  encrypted: false,
  hasJavaScript: false,
  hasAttachments: false,
  hasForms: false,
  hasXfa: false
}

const plainPage = (number: number): PageResult => ({
  number,
  status: "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text: `Page ${number}`,
  lines: noLines,
  error: undefined,
  elapsedMillis: 0
})

const unreadable = (failure: Failure) => new PdfEngineError({ reason: new PdfUnreadable({ failure }) })

const died = (memory = false) =>
  new PdfEngineError({ reason: new WorkerDied({ memory, detail: "the script says so" }) })

/** Increments the count of a key and answers with the count before. */
const makeTally = () => {
  const counts = new Map<string, number>()
  return {
    of: (key: string): number => counts.get(key) ?? 0,
    add: (key: string): number => {
      const before = counts.get(key) ?? 0
      counts.set(key, before + 1)
      return before
    }
  }
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
  const starting = options.starting ?? 0
  const startsAtOnce = Duration.isZero(Duration.fromInputUnsafe(starting))
  const openings = makeTally()
  const readings = makeTally()
  const closed = new Set<string>()
  let working = 0
  let peak = 0
  let replaced = 0
  let pagesRead = 0

  const pageKey = (key: string, page: number) => `${page} ${key}`

  const die = (memory: boolean | undefined) =>
    Effect.suspend(() => {
      replaced += 1
      return Effect.fail(died(memory))
    })

  const work = Effect.acquireRelease(
    Effect.sync(() => {
      working += 1
      peak = Math.max(peak, working)
    }),
    () => Effect.sync(() => (working -= 1))
  )

  const opening = Effect.fnUntraced(function* (pdf: PdfRef, wanted: HeadWanted | undefined) {
    const step = scriptOf(pdf).open(openings.add(pdf.key))
    if (step._tag === "Hang") return yield* Effect.never
    yield* Effect.sleep(step.takes ?? 0)
    if (step._tag === "Death") return yield* die(step.memory)
    if (step._tag === "Unreadable") return yield* unreadable(step.failure)
    const opened: OpenedPdf = { pageCount: step.pageCount, metadata: plainMetadata, outline: [], ...step.opened }
    const most = Math.min(wanted?.pages ?? 0, step.head ?? Infinity, opened.pageCount)
    const start = yield* Clock.currentTimeMillis
    const until = step.head === undefined ? start + mostHeadMillis : Infinity
    const head: Array<PageResult> = []
    while (head.length < most && (yield* Clock.currentTimeMillis) < until) {
      head.push(yield* reading(pdf, head.length + 1))
    }
    const answer: OpenedWithHead = { ...opened, head, headMillis: (yield* Clock.currentTimeMillis) - start }
    return answer
  })

  const reading = Effect.fnUntraced(function* (pdf: PdfRef, number: number) {
    const step = scriptOf(pdf).page(number, readings.add(pageKey(pdf.key, number)))
    if (step._tag === "Hang") return yield* Effect.never
    yield* Effect.sleep(step.takes ?? 0)
    if (step._tag === "Death") return yield* die(step.memory)
    pagesRead += 1
    const elapsedMillis = Duration.toMillis(step.takes ?? 0)
    return step._tag === "Failed"
      ? failedPage(number, "failed", step.error, elapsedMillis)
      : { ...plainPage(number), elapsedMillis, ...step.result, number }
  })

  const make = Effect.gen(function* () {
    const scope = yield* Effect.scope
    const listeners = new Set<() => void>()
    let ready = startsAtOnce ? capacity : 0
    const workers = yield* Semaphore.make(ready)

    const setReady = (count: number) =>
      Effect.suspend(() => {
        const risen = count > ready
        ready = count
        return Effect.map(workers.resize(count), () => {
          if (risen) for (const listener of listeners) listener()
        })
      })
    const startWorker = Effect.suspend(() => setReady(ready + 1)).pipe(
      Effect.delay(starting),
      Effect.forkIn(scope, { startImmediately: true })
    )
    if (!startsAtOnce) yield* Effect.replicateEffect(startWorker, capacity, { discard: true })

    const replacing = <A>(call: Effect.Effect<A, PdfEngineError>) =>
      Effect.tapError(call, ({ reason }) =>
        startsAtOnce || reason._tag !== "WorkerDied"
          ? Effect.void
          : Effect.andThen(
              Effect.suspend(() => setReady(ready - 1)),
              startWorker
            )
      )

    const readTogether = (pdf: PdfRef, pages: ReadonlyArray<number>) => {
      const gathering = Duration.toMillis(Duration.fromInputUnsafe(options.gathering?.(pdf) ?? 0))
      let told = Number.NEGATIVE_INFINITY
      return Stream.paginate(
        0,
        Effect.fnUntraced(function* (from: number) {
          const found: Array<PageResult> = []
          let next = from
          for (let page = pages[next]; page !== undefined; page = pages[next]) {
            next++
            found.push(yield* replacing(reading(pdf, page)))
            const now = yield* Clock.currentTimeMillis
            if (now - told < gathering) continue
            told = now
            break
          }
          return [found, next < pages.length ? Option.some(next) : Option.none()] as const
        })
      )
    }

    const borrow = Effect.andThen(Semaphore.takeScoped(workers, 1), work)

    const startRead = Effect.fnUntraced(function* (pdf: PdfRef, pages: ReadonlyArray<number>) {
      yield* borrow
      // A real engine opens a file before it reads pages: a file that does not open cannot be read either.
      const open = scriptOf(pdf).open(openings.of(pdf.key))
      if (open._tag === "Unreadable") return Stream.fail(unreadable(open.failure))
      return readTogether(pdf, pages)
    })

    return PdfEngine.of({
      capacity,
      ready: () => ready,
      onReady: (listener) =>
        Effect.acquireRelease(
          Effect.sync(() => listeners.add(listener)),
          () => Effect.sync(() => listeners.delete(listener))
        ),
      open: Effect.fn("PdfEngine.open")(
        (pdf: PdfRef, head?: HeadWanted) => Effect.andThen(borrow, replacing(opening(pdf, head))),
        Effect.scoped
      ),
      read: (pdf, pages) => Stream.unwrap(startRead(pdf, pages)),
      close: (key) => Effect.sync(() => closed.add(key)),
      status: Effect.sync(() => ({
        workers: Array.from({ length: ready }, (_, index) => ({
          pid: index + 1,
          busy: index < working,
          rssBytes: 0,
          pagesRead: index === 0 ? pagesRead : 0
        })),
        replaced
      }))
    })
  })

  return {
    layer: Layer.effect(PdfEngine, make),
    timesOpened: openings.of,
    timesRead: (key, page) => readings.of(pageKey(key, page)),
    working: () => working,
    peak: () => peak,
    closed: () => closed
  }
}
