import { Cause, type Context, Effect, Exit, Option, Stream } from "effect"
import type { PageResult } from "../../domain/document/Page.ts"
import type { PdfEngine, PdfEngineError } from "../../services/PdfEngine.ts"
import { decorate } from "./Decorate.ts"
import type { Recorder } from "./Recorder.ts"
import type { CallEnd, TracedPage } from "./TraceRecord.ts"

type Engine = Context.Service.Shape<typeof PdfEngine>

const errorOf = (exit: Exit.Exit<unknown, PdfEngineError>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.findErrorOption(exit.cause))?.reason : undefined

const endOf = (exit: Exit.Exit<unknown, PdfEngineError>): CallEnd => {
  if (Exit.isSuccess(exit)) return "done"
  const error = errorOf(exit)
  if (error === undefined) return "interrupted"
  if (error._tag === "PdfUnreadable") return "unreadable"
  if (error._tag === "EngineUnavailable" || error._tag === "PoolLost") return "unavailable"
  return error.memory ? "died of memory" : "died"
}

/** To hundredths: the time of a call varies by more. */
const rounded = (millis: number) => Math.round(millis * 100) / 100

/**
 * A worker reads several pages of a call at once, so the pages' own times overlap and leave out the time between them. The time
 * of the call, up to its last page, is divided among its pages in proportion to their own times.
 */
const divided = (found: ReadonlyArray<PageResult>, millis: number): ReadonlyArray<TracedPage> => {
  const own = found.reduce((sum, { elapsedMillis }) => sum + elapsedMillis, 0)
  return found.map(({ elapsedMillis, error, number: page }) => ({
    page,
    millis: rounded(own > 0 ? (millis * elapsedMillis) / own : millis / found.length),
    ...(error !== undefined && { error: error.code })
  }))
}

const sumOf = (pages: ReadonlyArray<PageResult>) => pages.reduce((sum, { elapsedMillis }) => sum + elapsedMillis, 0)

const inOrder = (pages: ReadonlyArray<PageResult>) => pages.toSorted((a, b) => a.number - b.number)

/** Measures each call from its beginning to its end: the time that its turn is charged with. */
export const tracedPdfEngine = (engine: Engine, recorder: Recorder["Service"]) => {
  const millisSince = (start: bigint) => Number(recorder.nanos() - start) / 1e6
  const subject = (key: string) => ({ at: recorder.at(), document: recorder.alias(key) })

  return decorate<Engine>(engine, {
    open: (opening, pdf) =>
      Effect.suspend(() => {
        const start = recorder.nanos()
        return Effect.onExit(opening, (exit) =>
          Effect.sync(() => {
            const error = errorOf(exit)
            const millis = millisSince(start)
            const { head = [], headMillis = sumOf(head) } = Exit.isSuccess(exit) ? exit.value : {}
            // The two times are measured by the clocks of two processes.
            const ofHead = head.length === 0 ? 0 : Math.min(headMillis, millis)
            recorder.write({
              _tag: "Opened",
              ...subject(pdf.key),
              millis: rounded(millis - ofHead),
              end: endOf(exit),
              ...(Exit.isSuccess(exit) && { pages: exit.value.pageCount }),
              ...(head.length > 0 && { head: divided(inOrder(head), ofHead) }),
              ...(error?._tag === "PdfUnreadable" && { error: error.failure.code })
            })
          })
        )
      }),
    read: (reading, pdf, pages) =>
      Stream.suspend(() => {
        const start = recorder.nanos()
        const found: Array<PageResult> = []
        let last = 0
        return reading.pipe(
          Stream.map((page) => {
            found.push(page)
            last = millisSince(start)
            return page
          }),
          Stream.onExit((exit) =>
            Effect.sync(() => {
              const end = endOf(exit)
              const millis = millisSince(start)
              const read = new Set(found.map(({ number }) => number))
              recorder.write({
                _tag: "Read",
                ...subject(pdf.key),
                millis: rounded(millis),
                end,
                pages: divided(found, end === "done" ? millis : last),
                ...(end !== "done" && { unread: pages.filter((page) => !read.has(page)) })
              })
            })
          )
        )
      })
  })
}
