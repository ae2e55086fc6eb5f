/**
 * `DocumentStore` in memory, for tests and simulations: the same answers as the durable one, and nothing survives it.
 * Each call is one step, so no two can interleave.
 */
import { Effect, Layer, Option } from "effect"
import { isTerminal } from "../domain/Document.ts"
import { failure } from "../domain/Failure.ts"
import type { BlobHash, DocumentId, TenantId } from "../domain/Ids.ts"
import { isFailed, noLines, type PageResult } from "../domain/Page.ts"
import {
  DocumentNotFound,
  DocumentStore,
  type Fence,
  LeaseLost,
  type Outcome,
  QueueFull,
  StoreUnavailable
} from "./DocumentStore.ts"
import { Documents, type Stored, toDocument } from "./DocumentStoreMemoryRecords.ts"

const make = Effect.sync(() => {
  const documents = new Documents()

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
    stored.sealedPassword = undefined
    stored.callbackDue = stored.accepted.callback === undefined ? undefined : at
    if (outcome.status === "failed") stored.failure = outcome.failure
    if (outcome.status === "cancelled") stored.failure = failure("CANCELLED", "The document was cancelled.")
  }

  const refersTo = (hash: BlobHash, tenant: TenantId | undefined): boolean =>
    Array.from(documents.byId.values()).some(
      (stored) => stored.blob?.hash === hash && (tenant === undefined || stored.accepted.tenantId === tenant)
    )

  const requeue = (stored: ReadonlyArray<Stored>): ReadonlyArray<TenantId> => {
    for (const one of stored) documents.move(one, "queued")
    return Array.from(new Set(stored.map((one) => one.accepted.tenantId)))
  }

  return DocumentStore.of({
    accept: Effect.fn("DocumentStore.accept")(function* (document, limits) {
      const { counters } = documents.tenant(document.tenantId)
      if (counters.waiting >= limits.tenant) return yield* new QueueFull({ scope: "tenant", limit: limits.tenant })
      if (documents.all.waiting >= limits.global) return yield* new QueueFull({ scope: "global", limit: limits.global })
      if (documents.byId.has(document.id)) {
        return yield* new StoreUnavailable({ operation: "accept a document", cause: "its id is taken" })
      }
      const later = document.notBefore !== undefined && document.notBefore > document.acceptedAt
      return toDocument(documents.add(document, later ? "scheduled" : "queued"))
    }),
    claim: Effect.fn("DocumentStore.claim")((tenant, lease) =>
      Effect.sync(() =>
        Option.map(Option.fromUndefinedOr(documents.tenant(tenant).backlog.first), (stored) => {
          documents.move(stored, "running")
          stored.attempt++
          stored.lease = { runner: lease.runner, until: lease.until }
          stored.startedAt ??= lease.now
          return {
            fence: { documentId: stored.accepted.id, attempt: stored.attempt },
            document: toDocument(stored),
            sealedPassword: stored.sealedPassword,
            donePages: new Set(stored.pages.keys())
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
      })
    ),
    opened: Effect.fn("DocumentStore.opened")((fence, pdf) =>
      held(fence, (stored) => {
        stored.pageCount = pdf.pageCount
        stored.metadata = pdf.metadata
        stored.outline = pdf.outline
      })
    ),
    savePage: Effect.fn("DocumentStore.savePage")((fence, page) =>
      held(fence, (stored) => {
        if (stored.pages.has(page.number)) return
        stored.pages.set(page.number, page)
        if (isFailed(page.status)) stored.pagesFailed++
      })
    ),
    finish: Effect.fn("DocumentStore.finish")((fence, outcome, at) =>
      held(fence, (stored) => {
        end(stored, outcome, at)
        return toDocument(stored)
      })
    ),
    release: Effect.fn("DocumentStore.release")((fence) => held(fence, (stored) => documents.move(stored, "queued"))),
    reclaimExpired: Effect.fn("DocumentStore.reclaimExpired")((now) =>
      Effect.sync(() =>
        requeue(Array.from(documents.running).filter(({ lease }) => lease !== undefined && lease.until <= now))
      )
    ),
    queueDue: Effect.fn("DocumentStore.queueDue")((now) =>
      Effect.sync(() =>
        requeue(Array.from(documents.scheduled).filter(({ accepted }) => (accepted.notBefore ?? 0) <= now))
      )
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
    find: Effect.fn("DocumentStore.find")((tenant, id) => located(tenant, id, toDocument)),
    list: Effect.fn("DocumentStore.list")((tenant, { before, limit, status }) =>
      Effect.sync(() =>
        Array.from(documents.byId.values())
          .filter(
            ({ accepted, status: own }) =>
              accepted.tenantId === tenant &&
              (status === undefined || own === status) &&
              (before === undefined || accepted.id < before)
          )
          .toSorted((a, b) => (a.accepted.id < b.accepted.id ? 1 : -1))
          .slice(0, limit)
          .map(toDocument)
      )
    ),
    pages: Effect.fn("DocumentStore.pages")((tenant, id, { detail, from, limit }) =>
      located(tenant, id, (stored): ReadonlyArray<PageResult> =>
        Array.from(stored.pages.values())
          .filter((page) => page.number >= from)
          .toSorted((a, b) => a.number - b.number)
          .slice(0, limit)
          .map((page) => (detail ? page : { ...page, lines: noLines }))
      ).pipe(Effect.catchTag("DocumentNotFound", () => Effect.succeed([])))
    ),
    refersTo: Effect.fn("DocumentStore.refersTo")((hash, tenant) => Effect.sync(() => refersTo(hash, tenant))),
    // A copy, because the counters move on.
    stats: Effect.fn("DocumentStore.stats")((tenant) =>
      Effect.sync(() => ({ ...(tenant === undefined ? documents.all : documents.tenant(tenant).counters) }))
    ),
    pendingCallbacks: Effect.fn("DocumentStore.pendingCallbacks")((now, limit) =>
      Effect.sync(() =>
        Array.from(documents.byId.values())
          .flatMap((stored) =>
            stored.callbackDue === undefined || stored.callbackDue > now ? [] : [{ stored, due: stored.callbackDue }]
          )
          .toSorted((a, b) => a.due - b.due)
          .slice(0, limit)
          .map(({ stored }) => ({
            document: toDocument(stored),
            url: stored.accepted.callback ?? "",
            deliveries: stored.deliveries
          }))
      )
    ),
    recordCallback: Effect.fn("DocumentStore.recordCallback")((id, outcome) =>
      Effect.sync(() => {
        const stored = documents.byId.get(id)
        if (stored?.callbackDue === undefined) return
        stored.deliveries++
        stored.callbackDue = outcome.settled ? undefined : outcome.nextAt
      })
    )
  })
})

export const layerMemory: Layer.Layer<DocumentStore> = Layer.effect(DocumentStore, make)
