// Opens and reads documents as their scripts say. Time passes only on the `Clock`, so a test clock drives it.
import { Clock, Duration, Effect } from "effect"
import type { PdfMetadata } from "../../domain/document/Document.ts"
import type { Failure } from "../../domain/Failure.ts"
import { failedPage, noLines, type PageResult } from "../../domain/document/Page.ts"
import {
  type HeadRequest,
  type OpenedPdf,
  type OpenedWithHead,
  PdfEngineError,
  type PdfRef,
  PdfUnreadable,
  WorkerDied
} from "../PdfEngine.ts"
import type { ScriptedCounts } from "./ScriptedCounts.ts"
import type { ScriptedDocument } from "./ScriptedDocument.ts"

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

export const unreadable = (failure: Failure) => new PdfEngineError({ reason: new PdfUnreadable({ failure }) })

const died = (memory = false) =>
  new PdfEngineError({ reason: new WorkerDied({ memory, detail: "the script says so" }) })

export const makeScriptedReader = (scriptOf: (pdf: PdfRef) => ScriptedDocument, counts: ScriptedCounts) => {
  const die = (memory: boolean | undefined) =>
    Effect.suspend(() => {
      counts.died()
      return Effect.fail(died(memory))
    })

  const reading = Effect.fnUntraced(function* (pdf: PdfRef, number: number) {
    const step = scriptOf(pdf).page(number, counts.beginPage(pdf.key, number))
    if (step._tag === "Hang") return yield* Effect.never
    yield* Effect.sleep(step.takes ?? 0)
    if (step._tag === "Death") return yield* die(step.memory)
    counts.endPage()
    const elapsedMillis = Duration.toMillis(step.takes ?? 0)
    return step._tag === "Failed"
      ? failedPage(number, "failed", step.error, elapsedMillis)
      : { ...plainPage(number), elapsedMillis, ...step.result, number }
  })

  const opening = Effect.fnUntraced(function* (pdf: PdfRef, head: HeadRequest | undefined) {
    const step = scriptOf(pdf).open(counts.openings.add(pdf.key))
    if (step._tag === "Hang") return yield* Effect.never
    yield* Effect.sleep(step.takes ?? 0)
    if (step._tag === "Death") return yield* die(step.memory)
    if (step._tag === "Unreadable") return yield* unreadable(step.failure)
    const opened: OpenedPdf = { pageCount: step.pageCount, metadata: plainMetadata, outline: [], ...step.opened }
    const most = Math.min(head?.pages ?? 0, step.head ?? Infinity, opened.pageCount)
    const start = yield* Clock.currentTimeMillis
    const until = step.head === undefined ? start + mostHeadMillis : Infinity
    const results: Array<PageResult> = []
    while (results.length < most && (yield* Clock.currentTimeMillis) < until) {
      results.push(yield* reading(pdf, results.length + 1))
    }
    const answer: OpenedWithHead = { ...opened, head: results, headMillis: (yield* Clock.currentTimeMillis) - start }
    return answer
  })

  return { opening, reading }
}
