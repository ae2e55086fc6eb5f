import { Deferred, Effect, Exit } from "effect"
import type { PageResult } from "../../domain/document/Page.ts"
import type { BlobStoreUnavailable } from "../../services/BlobStore.ts"
import type { PdfRef } from "../../services/PdfEngine.ts"
import { Documents } from "../../services/store/Documents.ts"
import type { LeaseLost, StoreUnavailable } from "../../services/store/StoreErrors.ts"
import type { SavingPages } from "../document/SavePages.ts"
import { retryingStore } from "../retries/RetryPolicies.ts"
import { PagesInHand } from "./PagesInHand.ts"
import { makePageSteps } from "./PageSteps.ts"
import type { StagedRun } from "./StagedRun.ts"

/** The pages of one document that may be in their stages; beyond it no more are read. */
const mostInHand = 64
const portion = { limit: 16, bytes: 1024 * 1024, detail: true, layout: true }

type PageError = LeaseLost | StoreUnavailable | BlobStoreUnavailable

/**
 * Takes the pages of one document through their stages, side by side, in fibers that end with the scope. Nothing of it holds a
 * turn of a worker or a permit of the page gate.
 */
export const makePageStages = Effect.fnUntraced(function* (run: StagedRun, pdf: PdfRef, saving: SavingPages) {
  const documents = yield* Documents
  const scope = yield* Effect.scope
  const steps = makePageSteps(run, pdf, saving.saveWith)
  const inHand = new PagesInHand(mostInHand)
  const broken = Deferred.makeUnsafe<never, PageError>()
  let isLeft = false
  const { document, donePages } = run.claim

  const begin = (page: PageResult, hasResult: boolean) =>
    Effect.suspend(() => {
      inHand.begin()
      return steps.through(page, hasResult).pipe(
        Effect.catchTag("Withdrawn", () =>
          Effect.sync(() => {
            isLeft = true
          })
        ),
        Effect.onExit((exit) => {
          inHand.end()
          return Exit.isFailure(exit) ? Deferred.failCause(broken, exit.cause) : Effect.void
        }),
        Effect.forkIn(scope)
      )
    })

  const beginAll = (pages: ReadonlyArray<PageResult>, hasResult: boolean) =>
    Effect.forEach(pages, (page) => begin(page, hasResult), { discard: true })

  /** Saves the pages that no stage holds back, and takes all into their stages. */
  const checkpoint = Effect.fnUntraced(function* (pages: ReadonlyArray<PageResult>) {
    const atOnce = pages.filter((page) => !steps.holdsBack(page))
    yield* beginAll(
      pages.filter((page) => steps.holdsBack(page)),
      false
    )
    if (atOnce.length === 0) return
    yield* saving.save(atOnce)
    run.permit.saved()
    yield* beginAll(
      atOnce.filter((page) => steps.hasMore(page)),
      true
    )
  })

  /** Waits until more pages may be read. Meanwhile any other tenant may have the document's permit. */
  const room = Effect.suspend(() => {
    if (!inHand.isFull) return Effect.void
    run.permit.idles(true)
    return Effect.raceFirst(inHand.room, run.stop.stopped).pipe(
      Effect.ensuring(Effect.sync(() => run.permit.idles(false)))
    )
  })

  /** Takes pages that got their result in earlier runs into the stages that they have not been through. */
  const resume = Effect.gen(function* () {
    if (donePages.size === 0 || !run.pipeline.pages.some(({ stage }) => stage.provides === "artifact")) return
    for (let from = 1; ;) {
      const pages = yield* retryingStore(documents.pages(document.tenantId, document.id, { from, ...portion }))
      const last = pages.at(-1)
      if (last === undefined) return
      from = last.number + 1
      for (const page of pages.filter((page) => donePages.has(page.number) && steps.hasMore(page))) {
        yield* room
        yield* begin(page, true)
      }
    }
  }).pipe(
    // What is left is told by `settled`, so that ranges that are being read may end.
    Effect.catchTag(["Preempted", "SchedulerClosed"], () =>
      Effect.sync(() => {
        isLeft = true
      })
    )
  )

  return {
    checkpoint,
    room,
    resume,
    count: () => inHand.count,
    /** Succeeds when no page is in hand; fails if the stages were stopped before all were through. */
    settled: Effect.andThen(
      inHand.ended,
      Effect.suspend(() => (isLeft && run.stop.reason !== undefined ? Effect.fail(run.stop.reason) : Effect.void))
    ),
    /** Fails as soon as something could not be made durable. */
    broken: Deferred.await(broken)
  }
})
