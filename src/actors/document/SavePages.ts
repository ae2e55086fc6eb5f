import { type Context, Duration, Effect } from "effect"
import type { Failure } from "../../domain/Failure.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { isFailed, type PageResult } from "../../domain/document/Page.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { NewArtifact } from "../../services/store/Artifacts.ts"
import type { BlobReferenceExpired } from "../../services/store/BlobReferences.ts"
import type { Fence } from "../../services/store/Fence.ts"
import type { LeaseLost, StoreUnavailable } from "../../services/store/StoreErrors.ts"
import type { WholeDocument } from "../../services/store/Outcome.ts"
import { Events } from "../../services/Events.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { retryingStore } from "../retries/RetryPolicies.ts"

export interface Subject {
  readonly tenantId: TenantId
  readonly documentId: DocumentId
}

/** Updates metrics of many pages in one step. */
const measure = (update: (context: Context.Context<never>) => void) =>
  Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => update(context)))

/** Records the duration of the checkpoint once for each page. */
const trackCheckpoint = <A, E, R>(pages: number, checkpoint: Effect.Effect<A, E, R>) =>
  Effect.clockWith((clock) => {
    const start = clock.monotonicTimeNanosUnsafe()
    return Effect.onExit(checkpoint, () =>
      measure((context) => {
        const took = Duration.nanos(clock.monotonicTimeNanosUnsafe() - start)
        for (let page = 0; page < pages; page++) Telemetry.checkpointDuration.updateUnsafe(took, context)
      })
    )
  })

const announcePages = Effect.fnUntraced(function* (subject: Subject, pages: ReadonlyArray<PageResult>) {
  const events = yield* Events
  yield* measure((context) => {
    for (const { elapsedMillis, status } of pages) {
      Telemetry.pagesRead.of(status).updateUnsafe(1, context)
      Telemetry.pageDuration.updateUnsafe(Duration.millis(elapsedMillis), context)
    }
  })
  for (const { number, status } of pages) yield* events.publish({ _tag: "PageDone", ...subject, page: number, status })
})

/** Announces a document that was opened, read and ended in one commit. */
export const announceWhole = Effect.fnUntraced(function* (subject: Subject, { pages, pdf }: WholeDocument) {
  const events = yield* Events
  yield* events.publish({ _tag: "DocumentOpened", ...subject, pages: pdf.pageCount })
  yield* announcePages(subject, pages)
})

/** Saves pages, and in the same commit what stages made of them. */
export type SavePages = (
  pages: ReadonlyArray<PageResult>,
  artifacts: ReadonlyArray<NewArtifact>
) => Effect.Effect<void, LeaseLost | StoreUnavailable | BlobReferenceExpired>

export type SavingPages = Effect.Success<ReturnType<typeof makeSavePages>>

/** Saves the pages of one run under its fence, and counts the pages that failed for good, also in earlier runs. */
export const makeSavePages = Effect.fnUntraced(function* (fence: Fence, subject: Subject, failedBefore: number) {
  const queue = yield* DocumentQueue
  const events = yield* Events
  let failed = failedBefore
  let lastFailure: Failure | undefined

  const announced = <E>(pages: ReadonlyArray<PageResult>, saving: Effect.Effect<void, E>) =>
    Effect.andThen(
      trackCheckpoint(pages.length, saving),
      Effect.suspend(() => {
        for (const { error, status } of pages) {
          if (!isFailed(status)) continue
          failed++
          lastFailure = error
        }
        return Effect.provideService(announcePages(subject, pages), Events, events)
      })
    )

  const save = (pages: ReadonlyArray<PageResult>) => announced(pages, retryingStore(queue.savePages(fence, pages)))
  const saveWith: SavePages = (pages, artifacts) =>
    artifacts.length === 0 ? save(pages) : announced(pages, retryingStore(queue.saveArtifacts(fence, artifacts, pages)))

  return { save, saveWith, failed: () => ({ count: failed, last: lastFailure }) }
})
