/**
 * `DocumentStore` in memory, for tests and simulations: the same answers as the durable one, and nothing survives it.
 * Each call is one step, so no two can interleave.
 */
import { Effect, Layer, Option } from "effect"
import { isTerminal } from "../../../domain/document/Document.ts"
import { failure } from "../../../domain/Failure.ts"
import type { BlobHash, DocumentId, TenantId } from "../../../domain/Ids.ts"
import { isFailed, type PageResult } from "../../../domain/document/Page.ts"
import { hasWarnings } from "../../../domain/document/Warning.ts"
import {
  type BacklogLimits,
  DocumentNotFound,
  DocumentStore,
  type Fence,
  LeaseLost,
  type NewDocument,
  NotRetryable,
  type Outcome,
  QueueFull,
  QuotaReached,
  type Removed,
  StoreUnavailable
} from "../DocumentStore.ts"
import { answersMemory } from "./Answers.ts"
import { changesMemory } from "./Changes.ts"
import { queueQueriesMemory } from "./QueueQueries.ts"
import { Documents, pageBytes, shownPage, type Stored, toDocument, toDocumentWithOutline } from "./Records.ts"
import { webhooksMemory } from "./Webhooks.ts"
import { documentSize, pageSize, upTo } from "../Portions.ts"

const make = Effect.sync(() => {
  const documents = new Documents()
  const webhooks = webhooksMemory(documents)

  const located = <A>(tenant: TenantId, id: DocumentId, step: (stored: Stored) => A) =>
    Effect.suspend((): Effect.Effect<A, DocumentNotFound> => {
      const stored = documents.byId.get(id)
      return stored === undefined || stored.accepted.tenantId !== tenant
        ? Effect.fail(new DocumentNotFound({ documentId: id }))
        : Effect.succeed(step(stored))
    })

  const held = <A>({ attempt, documentId }: Fence, step: (stored: Stored) => A) =>
    Effect.suspend((): Effect.Effect<A, LeaseLost> => {
      const stored = documents.byId.get(documentId)
      return stored === undefined || stored.status !== "running" || stored.attempt !== attempt
        ? Effect.fail(new LeaseLost({ documentId, attempt }))
        : Effect.succeed(step(stored))
    })

  const end = (stored: Stored, outcome: Outcome | { readonly status: "cancelled" }, at: number): void => {
    documents.move(stored, outcome.status)
    stored.finishedAt = at
    stored.queuedAt = undefined
    stored.sealedPassword = undefined
    stored.callbackDue = webhooks.owes(stored) ? at : undefined
    if (outcome.status === "failed") stored.failure = outcome.failure
    if (outcome.status === "cancelled") stored.failure = failure("CANCELLED", "The document was cancelled.")
  }

  const refersTo = (hash: BlobHash, tenant: TenantId | undefined): boolean =>
    Array.from(documents.byId.values()).some(
      (stored) => stored.blob?.hash === hash && (tenant === undefined || stored.accepted.tenantId === tenant)
    )

  const requeue = (stored: ReadonlyArray<Stored>, change: (stored: Stored) => void): ReadonlyArray<TenantId> => {
    for (const one of stored) {
      documents.move(one, "queued")
      change(one)
    }
    return Array.from(new Set(stored.map((one) => one.accepted.tenantId)))
  }

  const interrupted = (stored: Stored): void => {
    stored.interruptions++
  }

  const fullQueue = (tenant: TenantId, limits: BacklogLimits): QueueFull | undefined => {
    const { counters } = documents.tenant(tenant)
    if (counters.waiting >= limits.tenant) return new QueueFull({ scope: "tenant", limit: limits.tenant })
    if (documents.all.waiting >= limits.global) return new QueueFull({ scope: "global", limit: limits.global })
    return undefined
  }

  const quotaReached = ({ source, tenantId }: NewDocument, { storedBytes: limit }: BacklogLimits) => {
    const { storedBytes } = documents.tenant(tenantId).counters
    const size = source._tag === "Blob" ? source.size : 1
    return limit !== undefined && storedBytes + size > limit ? new QuotaReached({ limit, storedBytes }) : undefined
  }

  const standInFor = ({ acceptedAt, callback, name, notBefore, passwordKey, source, tenantId }: NewDocument) =>
    Array.from(documents.byId.values()).findLast(
      ({ accepted, blob, passwordKey: ownKey, status }) =>
        source._tag === "Blob" &&
        blob?.hash === source.hash &&
        accepted.tenantId === tenantId &&
        accepted.name === name &&
        ownKey === passwordKey &&
        status !== "failed" &&
        status !== "cancelled" &&
        (callback === undefined || accepted.callback === callback) &&
        (status !== "scheduled" || (accepted.notBefore ?? 0) <= Math.max(notBefore ?? 0, acceptedAt))
    )

  const removed = (stored: Stored): Removed => {
    documents.remove(stored)
    const hash = stored.blob?.hash
    return {
      id: stored.accepted.id,
      tenantId: stored.accepted.tenantId,
      attempt: stored.attempt,
      status: stored.status,
      unusedBlob: hash === undefined || refersTo(hash, undefined) ? undefined : hash
    }
  }

  return DocumentStore.of({
    accept: Effect.fn("DocumentStore.accept")(function* (document, limits) {
      const standIn = document.reuse ? standInFor(document) : undefined
      if (standIn !== undefined) {
        standIn.shared++
        return toDocument(standIn)
      }
      const full = fullQueue(document.tenantId, limits) ?? quotaReached(document, limits)
      if (full !== undefined) return yield* full
      if (documents.byId.has(document.id)) {
        return yield* new StoreUnavailable({ operation: "accept a document", cause: "its id is taken" })
      }
      const later = document.notBefore !== undefined && document.notBefore > document.acceptedAt
      return toDocument(documents.add(document, later ? "scheduled" : "queued"))
    }),
    claim: Effect.fn("DocumentStore.claim")((tenant, lease) =>
      Effect.sync(() =>
        Option.map(Option.fromUndefinedOr(documents.next(tenant)), (stored) => {
          documents.move(stored, "running")
          stored.attempt++
          stored.lease = { runner: lease.runner, until: lease.until }
          stored.startedAt ??= lease.now
          stored.queuedAt = undefined
          return {
            fence: { documentId: stored.accepted.id, attempt: stored.attempt },
            document: toDocument(stored),
            sealedPassword: stored.sealedPassword,
            donePages: new Set(stored.pages.keys()),
            faults: new Map(Array.from(stored.faults).filter(([page]) => !stored.pages.has(page)))
          }
        })
      )
    ),
    renew: Effect.fn("DocumentStore.renew")((lease) =>
      Effect.sync(() => {
        const held = Array.from(documents.running).filter((stored) => stored.lease?.runner === lease.runner)
        return held.map((stored) => {
          stored.lease = { runner: lease.runner, until: lease.until }
          return { documentId: stored.accepted.id, attempt: stored.attempt }
        })
      })
    ),
    fetched: Effect.fn("DocumentStore.fetched")((fence, blob) =>
      held(fence, (stored) => {
        stored.blob = blob
        documents.setBytes(stored, { original: blob.size })
      })
    ),
    opened: Effect.fn("DocumentStore.opened")((fence, pdf) =>
      held(fence, (stored) => documents.setOpened(stored, pdf))
    ),
    savePages: (fence, pages) =>
      held(fence, (stored) => {
        for (const page of pages) documents.addPage(stored, page)
      }),
    recordFault: Effect.fn("DocumentStore.recordFault")((fence, page, fault) =>
      held(fence, (stored) => {
        const { deaths, failures } = stored.faults.get(page) ?? { deaths: 0, failures: 0 }
        stored.faults.set(
          page,
          fault === "death" ? { deaths: deaths + 1, failures } : { deaths, failures: failures + 1 }
        )
      })
    ),
    finish: Effect.fn("DocumentStore.finish")((fence, outcome, at) =>
      held(fence, (stored) => {
        end(stored, outcome, at)
        return toDocument(stored)
      })
    ),
    finishWhole: Effect.fn("DocumentStore.finishWhole")((fence, { pages, pdf }, outcome, at) =>
      held(fence, (stored) => {
        documents.setOpened(stored, pdf)
        for (const page of pages) documents.addPage(stored, page)
        end(stored, outcome, at)
        return toDocument(stored)
      })
    ),
    release: Effect.fn("DocumentStore.release")((fence) =>
      Effect.asVoid(held(fence, (stored) => requeue([stored], interrupted)))
    ),
    reclaimExpired: Effect.fn("DocumentStore.reclaimExpired")((now) =>
      Effect.sync(() =>
        requeue(
          Array.from(documents.running).filter(({ lease }) => lease !== undefined && lease.until <= now),
          interrupted
        )
      )
    ),
    queueDue: Effect.fn("DocumentStore.queueDue")((now) =>
      Effect.sync(() =>
        requeue(
          Array.from(documents.scheduled).filter(({ accepted }) => (accepted.notBefore ?? 0) <= now),
          (stored) => {
            stored.queuedAt = now
          }
        )
      )
    ),
    expireQueued: Effect.fn("DocumentStore.expireQueued")((queuedBefore, at, limit) =>
      Effect.sync(() =>
        Array.from(documents.byId.values())
          .flatMap((stored) =>
            stored.queuedAt !== undefined && stored.queuedAt < queuedBefore ? [{ stored, since: stored.queuedAt }] : []
          )
          .toSorted((a, b) => a.since - b.since)
          .slice(0, limit)
          .map(({ stored }) => {
            const reason = failure("EXPIRED", "The document waited too long for its turn.")
            end(stored, { status: "failed", failure: reason }, at)
            return toDocument(stored)
          })
      )
    ),
    hasQueued: Effect.fn("DocumentStore.hasQueued")((tenant) =>
      Effect.sync(() => documents.next(tenant) !== undefined)
    ),
    tenantsWithQueued: Effect.sync(() => documents.tenantsWithQueued),
    cancel: Effect.fn("DocumentStore.cancel")((tenant, id, at) =>
      located(tenant, id, (stored) => {
        if (!isTerminal(stored.status)) {
          end(stored, { status: "cancelled" }, at)
          stored.attempt++
        }
        return toDocument(stored)
      })
    ),
    remove: Effect.fn("DocumentStore.remove")((tenant, id) =>
      located(tenant, id, (stored) => {
        documents.remove(stored)
        return Option.filter(Option.fromUndefinedOr(stored.blob?.hash), (hash) => !refersTo(hash, undefined))
      })
    ),
    withdraw: Effect.fn("DocumentStore.withdraw")((tenant, id, shares) =>
      Effect.sync(() => {
        const stored = documents.byId.get(id)
        return stored === undefined || stored.accepted.tenantId !== tenant || stored.shared > shares
          ? Option.none()
          : Option.some(removed(stored))
      })
    ),
    removeEnded: Effect.fn("DocumentStore.removeEnded")((finishedBefore, limit) =>
      Effect.sync(() =>
        Array.from(documents.byId.values())
          .flatMap((stored) =>
            stored.finishedAt !== undefined && stored.finishedAt < finishedBefore && stored.callbackDue === undefined
              ? [{ stored, finishedAt: stored.finishedAt }]
              : []
          )
          .toSorted((a, b) => a.finishedAt - b.finishedAt)
          .slice(0, limit)
          .map(({ stored }) => removed(stored))
      )
    ),
    retry: Effect.fn("DocumentStore.retry")(function* (tenant, id, { at, passwordKey, sealedPassword }, limits) {
      const stored = yield* located(tenant, id, (found) => found)
      const { status } = stored
      if (status !== "partial" && status !== "failed") {
        return yield* new NotRetryable({ documentId: id, why: "status", status })
      }
      if (stored.passwordKey !== undefined && passwordKey === undefined) {
        return yield* new NotRetryable({ documentId: id, why: "password", status })
      }
      const full = fullQueue(tenant, limits)
      if (full !== undefined) return yield* full
      for (const page of stored.pages.values()) {
        if (!isFailed(page.status)) continue
        stored.pages.delete(page.number)
        if (hasWarnings(page)) stored.pagesWarned--
        documents.setBytes(stored, { pages: stored.bytes.pages - pageBytes(page) })
        stored.pageChanges.delete(page.number)
      }
      stored.faults.clear()
      stored.pagesFailed = 0
      stored.retries++
      stored.failure = undefined
      stored.finishedAt = undefined
      stored.queuedAt = at
      stored.retriedAt = at
      stored.callbackDue = undefined
      stored.deliveries = 0
      stored.sealedPassword = sealedPassword
      stored.passwordKey = passwordKey
      documents.move(stored, "queued")
      return toDocument(stored)
    }),
    setPaused: Effect.fn("DocumentStore.setPaused")((tenant, paused) =>
      Effect.sync(() => {
        if (paused) documents.paused.add(tenant)
        else documents.paused.delete(tenant)
      })
    ),
    isPaused: Effect.fn("DocumentStore.isPaused")((tenant) => Effect.sync(() => documents.paused.has(tenant))),
    find: Effect.fn("DocumentStore.find")((tenant, id, detail) =>
      located(tenant, id, detail === "outline" ? toDocumentWithOutline : toDocument)
    ),
    list: Effect.fn("DocumentStore.list")((tenant, { before, bytes = Number.POSITIVE_INFINITY, limit, status }) =>
      Effect.sync(() => {
        const found = Array.from(documents.byId.values())
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
    pages: Effect.fn("DocumentStore.pages")((tenant, id, options) =>
      located(tenant, id, (stored): ReadonlyArray<PageResult> => {
        const { bytes = Number.POSITIVE_INFINITY, from, limit } = options
        const found = Array.from(stored.pages.values())
          .filter((page) => page.number >= from)
          .toSorted((a, b) => a.number - b.number)
          .slice(0, limit)
          .map((page) => shownPage(page, options))
        return upTo(found, bytes, pageSize)
      }).pipe(Effect.catchTag("DocumentNotFound", () => Effect.succeed([])))
    ),
    refersTo: Effect.fn("DocumentStore.refersTo")((hash, tenant) => Effect.sync(() => refersTo(hash, tenant))),
    // A copy, because the counters move on.
    stats: Effect.fn("DocumentStore.stats")((tenant) =>
      Effect.sync(() => ({ ...(tenant === undefined ? documents.all : documents.tenant(tenant).counters) }))
    ),
    ...queueQueriesMemory(documents),
    ...changesMemory(documents),
    ...answersMemory(),
    ...webhooks.records
  })
})

export const layerMemory: Layer.Layer<DocumentStore> = Layer.effect(DocumentStore, make)
