import { Effect, Result } from "effect"
import type { PdfRef } from "../../services/PdfEngine.ts"
import { makePageStages } from "../stages/PageStages.ts"
import type { StagedRun } from "../stages/StagedRun.ts"
import { StagePlaces } from "../stages/StagePlaces.ts"
import type { ReadPages } from "./ReadPages.ts"
import type { SavingPages } from "./SavePages.ts"

/**
 * Reads the pages that have no result, and takes all pages through their stages meanwhile. When no page is left to be read, the
 * document gives its global permit to others, if it may: it needs no worker any more.
 */
export const readThroughStages = Effect.fnUntraced(function* <E extends { readonly _tag: string }, R>(
  staged: StagedRun,
  pdf: PdfRef,
  saving: SavingPages,
  read: (reading: Pick<ReadPages, "checkpoint" | "room">) => Effect.Effect<void, E, R>
) {
  const { permit, pipeline } = staged
  const pages = yield* makePageStages(staged, pdf, saving)
  const reading = Effect.all([pages.resume, read(pages)], { concurrency: "unbounded", discard: true })
  const result = yield* Effect.result(Effect.raceFirst(reading, pages.broken))
  if (Result.isFailure(result)) {
    const { _tag } = result.failure
    if (_tag !== "Preempted" && _tag !== "SchedulerClosed") return yield* Effect.fail(result.failure)
    permit.leave()
  } else if ((pages.count() > 0 || pipeline.document.length > 0) && (yield* (yield* StagePlaces).enter)) {
    permit.leave()
  }
  // Of a document that is stopped, too: calls that are under way may have to be paid, so what they bring is saved.
  yield* Effect.raceFirst(pages.settled, pages.broken)
  if (Result.isFailure(result)) return yield* Effect.fail(result.failure)
}, Effect.scoped)
