import { Effect } from "effect"
import type { PdfRef } from "../../services/PdfEngine.ts"
import type { DocumentInput } from "../../services/pipelines/Stage.ts"
import { Documents } from "../../services/store/Documents.ts"
import { retryingStore } from "../retries/RetryPolicies.ts"
import type { StagedRun } from "./StagedRun.ts"
import { madeBy } from "./artifacts/WriteArtifacts.ts"

const portion = { limit: 50, bytes: 1024 * 1024, detail: true, layout: true }

/** Takes the document as a whole through its stages, one after the other. All of its pages have their results. */
export const runDocumentStages = Effect.fnUntraced(function* (run: StagedRun, pdf: PdfRef, pageCount: number) {
  const documents = yield* Documents
  const { id, tenantId } = run.claim.document
  const missing = run.pipeline.document.filter(({ stage }) => run.stored.status(undefined, stage) === undefined)
  if (missing.length === 0) return
  const { outline } = yield* retryingStore(documents.find(tenantId, id, "outline")).pipe(
    // It is removed at this moment: the next write learns of it.
    Effect.catchTag("DocumentNotFound", () => Effect.succeed(run.claim.document))
  )
  const input: DocumentInput = {
    ...run.subject,
    pdf,
    pageCount,
    ...(outline === undefined ? {} : { outline }),
    pages: (from) => retryingStore(documents.pages(tenantId, id, { from, ...portion })),
    earlierOfPage: run.stored.content,
    earlier: (stage) => run.stored.content(undefined, stage)
  }
  for (const step of missing) {
    const end = yield* run.runBounded(step, "the document", (stage) => stage.run(input))
    yield* run.saveArtifacts([madeBy(step.stage, undefined, end)])
  }
})
