/** `Documents` of the store in memory. */
import { Clock, type Context, Duration, Effect, Option } from "effect"
import { type DocumentStatus, isTerminal } from "../../../domain/document/Document.ts"
import { isFailed, type PageResult } from "../../../domain/document/Page.ts"
import { hasWarnings } from "../../../domain/document/Warning.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import type { Artifact } from "../../../domain/pipeline/Artifact.ts"
import { Documents, rerunStates, retriedStates } from "../Documents.ts"
import type { BacklogLimits, Rerun, Retry } from "../NewDocument.ts"
import { documentSize, pageSize, upTo } from "../../../domain/document/Portions.ts"
import { NotRetryable } from "../StoreErrors.ts"
import { pageBytes, type Records, shownPage, type Stored, toDocument, toDocumentWithOutline } from "./Records.ts"
import { blobsOf } from "./ArtifactRows.ts"
import { removeArtifacts } from "./Artifacts.ts"
import { claimRemovals, end, fullQueue, located, type Owes, remove } from "./Steps.ts"

type Methods = Context.Service.Shape<typeof Documents>

const reading = (records: Records): Pick<Methods, "find" | "list" | "pages"> => ({
  find: Effect.fn("Documents.find")((tenant, id, detail) =>
    located(records, tenant, id, detail === "outline" ? toDocumentWithOutline : toDocument)
  ),
  list: Effect.fn("Documents.list")((tenant, { before, bytes = Number.POSITIVE_INFINITY, limit, status }) =>
    Effect.sync(() => {
      const found = Array.from(records.byId.values())
        .filter(
          ({ accepted, status: own }) =>
            accepted.tenantId === tenant &&
            (status === undefined || status.includes(own)) &&
            (before === undefined || accepted.id < before)
        )
        .toSorted((a, b) => (a.accepted.id < b.accepted.id ? 1 : -1))
        .slice(0, limit)
        .map(toDocument)
      return upTo(found, bytes, documentSize)
    })
  ),
  pages: Effect.fn("Documents.pages")((tenant, id, options) =>
    located(records, tenant, id, (stored): ReadonlyArray<PageResult> => {
      const { bytes = Number.POSITIVE_INFINITY, from, limit } = options
      const found = Array.from(stored.pages.values())
        .filter((page) => page.number >= from)
        .toSorted((a, b) => a.number - b.number)
        .slice(0, limit)
        .map((page) => shownPage(page, options))
      return upTo(found, bytes, pageSize)
    }).pipe(Effect.catchTag("DocumentNotFound", () => Effect.succeed([])))
  )
})

const ending = (records: Records, owes: Owes): Pick<Methods, "cancel" | "remove" | "withdraw" | "removeEnded"> => ({
  cancel: Effect.fn("Documents.cancel")((tenant, id) =>
    located(records, tenant, id, (stored, now) => {
      if (!isTerminal(stored.status)) {
        end(records, owes, stored, { status: "cancelled" }, now)
        stored.attempt++
      }
      return toDocument(stored)
    })
  ),
  remove: Effect.fn("Documents.remove")((tenant, id) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      located(records, tenant, id, (stored) => remove(records, stored, now).unusedBlobs)
    )
  ),
  withdraw: Effect.fn("Documents.withdraw")((tenant, id, shares) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const stored = records.byId.get(id)
      return stored === undefined || stored.accepted.tenantId !== tenant || stored.shared > shares
        ? Option.none()
        : Option.some(remove(records, stored, now))
    })
  ),
  removeEnded: Effect.fn("Documents.removeEnded")((endedLongerAgo, limit) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      Array.from(records.byId.values())
        .flatMap((stored) =>
          stored.finishedAt !== undefined &&
          now - stored.finishedAt > Duration.toMillis(endedLongerAgo) &&
          stored.callbackDue === undefined
            ? [{ stored, finishedAt: stored.finishedAt }]
            : []
        )
        .toSorted((a, b) => a.finishedAt - b.finishedAt)
        .slice(0, limit)
        .map(({ stored }) => remove(records, stored, now))
    )
  )
})

const forgetPages = (records: Records, stored: Stored, isMeant: (page: PageResult) => boolean): number => {
  const before = stored.pages.size
  for (const page of stored.pages.values()) {
    if (!isMeant(page)) continue
    stored.pages.delete(page.number)
    stored.faults.delete(page.number)
    if (isFailed(page.status)) stored.pagesFailed--
    if (hasWarnings(page)) stored.pagesWarned--
    records.setBytes(stored, { pages: stored.bytes.pages - pageBytes(page) })
    stored.pageChanges.delete(page.number)
  }
  return before - stored.pages.size
}

/** The pages of which there is such an artifact. */
const pagesOf = (stored: Stored, isMeant: (artifact: Artifact) => boolean): ReadonlySet<number> =>
  new Set(
    Array.from(stored.artifacts.values()).flatMap(({ artifact }) => (isMeant(artifact) ? (artifact.page ?? []) : []))
  )

/**
 * Without its failed pages and those on which a stage was skipped that gives text, without the artifacts that failed or were
 * skipped, and without what was made of the document as a whole if there are such pages.
 */
const forgetFailed = (records: Records, stored: Stored, { givers = [], whole = [] }: Retry): void => {
  const skipped = pagesOf(stored, ({ stage, status }) => status === "skipped" && givers.includes(stage))
  const forgotten = forgetPages(records, stored, ({ number, status }) => isFailed(status) || skipped.has(number))
  stored.faults.clear()
  removeArtifacts(
    records,
    stored,
    ({ page, stage, status }) => status !== "done" || (forgotten > 0 && page === undefined && whole.includes(stage))
  )
}

/** Answers with the blobs of the artifacts that are to be made again. */
const forgetStage = (records: Records, stored: Stored, { later = [], pages = false, stage, version }: Rerun) => {
  const isMeant = (each: Artifact) => each.stage === stage && (version === undefined || each.version === version)
  const made = pagesOf(stored, isMeant)
  const isReadAgain = ({ number, source }: Pick<PageResult, "number" | "source">) =>
    pages && (made.has(number) || (source === stage && version === undefined))
  const readAgain = new Set(Array.from(stored.pages.values()).flatMap((page) => (isReadAgain(page) ? page.number : [])))
  forgetPages(records, stored, isReadAgain)
  const removed = removeArtifacts(
    records,
    stored,
    (each) => isMeant(each) || (later.includes(each.stage) && readAgain.has(each.page ?? 0))
  )
  return blobsOf(removed)
}

const queueAgain = (records: Records, stored: Stored, { passwordKey, sealedPassword }: Retry, now: number): void => {
  stored.retries++
  stored.failure = undefined
  stored.finishedAt = undefined
  stored.queuedAt = now
  stored.retriedAt = now
  stored.callbackDue = undefined
  stored.deliveries = 0
  stored.sealedPassword = sealedPassword
  stored.passwordKey = passwordKey
  records.move(stored, "queued")
}

/** The document, if it ended in one of these states and may be queued again. */
const retryable = Effect.fnUntraced(function* (
  records: Records,
  tenant: TenantId,
  id: DocumentId,
  retry: Retry,
  limits: BacklogLimits,
  states: ReadonlySet<DocumentStatus>
) {
  const stored = yield* located(records, tenant, id, (found) => found)
  const { status } = stored
  if (!states.has(status)) return yield* new NotRetryable({ documentId: id, why: "status", status })
  if (stored.passwordKey !== undefined && retry.passwordKey === undefined) {
    return yield* new NotRetryable({ documentId: id, why: "password", status })
  }
  const full = fullQueue(records, tenant, limits)
  return full === undefined ? stored : yield* full
})

const retrying = (records: Records): Pick<Methods, "retry" | "rerun"> => ({
  retry: Effect.fn("Documents.retry")(function* (tenant, id, retry, limits) {
    const stored = yield* retryable(records, tenant, id, retry, limits, retriedStates)
    forgetFailed(records, stored, retry)
    queueAgain(records, stored, retry, yield* Clock.currentTimeMillis)
    return toDocument(stored)
  }),
  rerun: Effect.fn("Documents.rerun")(function* (tenant, id, rerun, retry, limits) {
    const stored = yield* retryable(records, tenant, id, retry, limits, rerunStates)
    const now = yield* Clock.currentTimeMillis
    const blobs = forgetStage(records, stored, rerun)
    queueAgain(records, stored, retry, now)
    return { document: toDocument(stored), unusedBlobs: claimRemovals(records, blobs, now) }
  })
})

export const documentsMemory = (records: Records, owes: Owes) =>
  Documents.of({ ...reading(records), ...ending(records, owes), ...retrying(records) })
