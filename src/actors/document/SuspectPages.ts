/** Reads pages in doubt, each alone, until the page has a result or one of its budgets is used up. */
import { Data, Duration, Effect } from "effect"
import { failure, isPermanent } from "../../domain/Failure.ts"
import { failedPage, type PageResult } from "../../domain/document/Page.ts"
import type { PageFaults } from "../../services/store/Claim.ts"
import type { EngineUnavailable, PdfEngine, PdfUnreadable } from "../../services/PdfEngine.ts"
import type { CheckpointError, RangeEnd } from "./PageRange.ts"
import type { PageScheduler, SchedulerClosed } from "../scheduling/PageScheduler.ts"
import { pageDeathBudget, pageFailureBudget, pageRetry } from "../retries/RetryPolicies.ts"
import type { Preempted } from "../gates/Preemption.ts"
import type { RunTimeExceeded } from "./RunTimeBudget.ts"

export const noFaults: PageFaults = { failures: 0, deaths: 0 }

/** Reading the page again gives the same result. */
export const isFinal = (page: PageResult): boolean => page.error !== undefined && isPermanent(page.error.code)

export interface SuspectPages {
  readonly pageTimeout: Duration.Duration
  /** Reads one page in a turn of its own, which is never refused. */
  readonly read: (
    page: number,
    onPages: (pages: ReadonlyArray<PageResult>) => Effect.Effect<void, CheckpointError>
  ) => Effect.Effect<
    RangeEnd,
    CheckpointError | PdfUnreadable | EngineUnavailable | RunTimeExceeded | SchedulerClosed | Preempted,
    PdfEngine | PageScheduler
  >
  readonly checkpoint: (pages: ReadonlyArray<PageResult>) => Effect.Effect<void, CheckpointError>
  /** Makes durable that a page has to be read again, and why: its budgets hold over all runs. */
  readonly onFault: (page: number, fault: "failure" | "death") => Effect.Effect<void, CheckpointError>
}

/** The reading of a page alone failed. `verdict` becomes its result unless the page is read `again`. */
class PageFault extends Data.TaggedError("PageFault")<{ readonly verdict: PageResult; readonly again: boolean }> {}

/** Reads the page until it is checkpointed: with its content, or with the verdict that ends it. */
export const readSuspect = Effect.fnUntraced(function* (
  { checkpoint, onFault, pageTimeout, read }: SuspectPages,
  number: number,
  earlier: PageFaults
) {
  let { deaths, failures } = earlier

  const stalled = () => {
    const message = `page ${number} was not read within ${Duration.format(pageTimeout)}`
    const verdict = failedPage(number, "timeout", failure("PAGE_TIMEOUT", message), Duration.toMillis(pageTimeout))
    return new PageFault({ verdict, again: false })
  }

  const died = Effect.fnUntraced(function* ({ detail, memory }: Extract<RangeEnd, { _tag: "Died" }>) {
    const message = `page ${number} ended its worker: ${detail}`
    const verdict = failedPage(number, "failed", failure(memory ? "RESOURCE_LIMIT" : "CRASHED", message))
    const again = ++deaths < pageDeathBudget
    if (again) yield* onFault(number, "death")
    return yield* new PageFault({ verdict, again })
  })

  const failed = Effect.fnUntraced(function* (verdict: PageResult) {
    const again = ++failures < pageFailureBudget && !isFinal(verdict)
    if (again) yield* onFault(number, "failure")
    return yield* new PageFault({ verdict, again })
  })

  const attempt = Effect.gen(function* () {
    let faulty: PageResult | undefined
    const reading = read(number, (pages) => {
      faulty = pages.find(({ status }) => status === "failed")
      return faulty === undefined ? checkpoint(pages) : Effect.void
    })
    // Without an outcome, its reader was lost: that tells nothing of the page.
    const isLost = (end: RangeEnd) => end._tag === "Lost" && end.unfinished.length > 0
    const end = yield* Effect.repeat(reading, { while: isLost })
    if (end._tag === "Stalled") return yield* stalled()
    if (end._tag === "Died") return yield* died(end)
    if (faulty !== undefined) return yield* failed(faulty)
  })

  yield* attempt.pipe(
    Effect.retry({ schedule: pageRetry, while: (error) => error._tag === "PageFault" && error.again }),
    Effect.catchTag("PageFault", (fault) => checkpoint([fault.verdict]))
  )
})
