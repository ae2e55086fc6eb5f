import { type Context, Effect, Option } from "effect"
import { type DocumentStatus, isTerminal } from "../../domain/Document.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { DocumentStore } from "../../services/DocumentStore.ts"
import type { Recorder } from "./Recorder.ts"

type Store = Context.Service.Shape<typeof DocumentStore>

/** Writes down what comes, starts and ends, once it is durable. */
export const tracedDocumentStore = (
  store: Store,
  recorder: Recorder["Service"],
  tenants: {
    readonly seen: (tenant: TenantId) => Effect.Effect<void>
    readonly describe: (tenant: TenantId) => Effect.Effect<void>
  }
) => {
  const subject = (id: string) => ({ at: recorder.at(), document: recorder.alias(id) })
  const ended = (id: string, status: DocumentStatus) => {
    if (isTerminal(status)) recorder.write({ _tag: "Ended", ...subject(id), status })
  }

  return DocumentStore.of({
    ...store,
    accept: (document, limits, committed) =>
      Effect.tap(store.accept(document, limits, committed), ({ id }) => {
        const { notBefore, priority, tenantId: tenant } = document
        // Another one stands in for it.
        if (id !== document.id) return Effect.void
        const from = notBefore === undefined ? {} : { notBefore: recorder.since(notBefore) }
        recorder.write({ _tag: "Accepted", ...subject(id), tenant, priority, ...from })
        return tenants.seen(tenant)
      }),
    claim: (tenant, lease) =>
      Effect.tap(store.claim(tenant, lease), (claim) => {
        if (Option.isNone(claim)) return Effect.void
        const { id, priority } = claim.value.document
        recorder.write({ _tag: "Started", ...subject(id), tenant, priority })
        return tenants.seen(tenant)
      }),
    finish: (fence, outcome, at) =>
      Effect.map(store.finish(fence, outcome, at), (document) => {
        ended(document.id, document.status)
        return document
      }),
    finishWhole: (fence, whole, outcome, at) =>
      Effect.map(store.finishWhole(fence, whole, outcome, at), (document) => {
        ended(document.id, document.status)
        return document
      }),
    cancel: (tenant, id, at) =>
      Effect.map(store.cancel(tenant, id, at), (document) => {
        if (document.status === "cancelled") ended(document.id, document.status)
        return document
      }),
    withdraw: (tenant, id, shares) =>
      Effect.map(store.withdraw(tenant, id, shares), (removed) => {
        if (Option.isSome(removed) && !isTerminal(removed.value.status)) ended(removed.value.id, "cancelled")
        return removed
      }),
    expireQueued: (queuedBefore, at, limit) =>
      Effect.map(store.expireQueued(queuedBefore, at, limit), (documents) => {
        for (const { id, status } of documents) ended(id, status)
        return documents
      }),
    retry: (tenant, id, retry, limits) =>
      Effect.map(store.retry(tenant, id, retry, limits), (document) => {
        recorder.write({ _tag: "Retried", ...subject(id) })
        return document
      }),
    setPaused: (tenant, paused) => Effect.tap(store.setPaused(tenant, paused), () => tenants.describe(tenant))
  })
}
