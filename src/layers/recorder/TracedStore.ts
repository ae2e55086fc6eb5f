import { type Context, Effect, Option } from "effect"
import { type Document, type DocumentStatus, isTerminal } from "../../domain/document/Document.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { Documents } from "../../services/store/Documents.ts"
import { decorate } from "./Decorate.ts"
import type { Recorder } from "./Recorder.ts"

type Queue = Context.Service.Shape<typeof DocumentQueue>
type Records = Context.Service.Shape<typeof Documents>

interface Tenants {
  readonly seen: (tenant: TenantId) => Effect.Effect<void>
  readonly describe: (tenant: TenantId) => Effect.Effect<void>
}

const noting = (recorder: Recorder["Service"]) => {
  const subject = (id: string) => ({ at: recorder.at(), document: recorder.alias(id) })
  const ended = (id: string, status: DocumentStatus) => {
    if (isTerminal(status)) recorder.write({ _tag: "Ended", ...subject(id), status })
  }
  const noted = (document: Document) => {
    ended(document.id, document.status)
    return document
  }
  return { subject, ended, noted }
}

/** Records submissions, starts and ends of documents, once they are durable. */
export const tracedQueue = (queue: Queue, recorder: Recorder["Service"], tenants: Tenants) => {
  const { noted, subject } = noting(recorder)
  return decorate<Queue>(queue, {
    accept: (accepting, { id: own, notBefore, priority, tenantId: tenant }) =>
      Effect.tap(accepting, ({ id }) => {
        // An existing document stands in for it.
        if (id !== own) return Effect.void
        const from = notBefore === undefined ? {} : { notBefore: recorder.since(notBefore) }
        recorder.write({ _tag: "Accepted", ...subject(id), tenant, priority, ...from })
        return tenants.seen(tenant)
      }),
    claim: (claiming, tenant) =>
      Effect.tap(claiming, (claim) => {
        if (Option.isNone(claim)) return Effect.void
        const { id, priority } = claim.value.document
        recorder.write({ _tag: "Started", ...subject(id), tenant, priority })
        return tenants.seen(tenant)
      }),
    finish: (finishing) => Effect.map(finishing, noted),
    finishWhole: (finishing) => Effect.map(finishing, noted),
    expireQueued: (expiring) => Effect.map(expiring, (documents) => documents.map(noted)),
    setPaused: (pausing, tenant) => Effect.tap(pausing, () => tenants.describe(tenant))
  })
}

/** Records what ends or begins again outside a run, once it is durable. */
export const tracedDocuments = (documents: Records, recorder: Recorder["Service"]) => {
  const { ended, noted, subject } = noting(recorder)
  return decorate<Records>(documents, {
    cancel: (cancelling) =>
      Effect.map(cancelling, (document) => (document.status === "cancelled" ? noted(document) : document)),
    withdraw: (withdrawing) =>
      Effect.map(withdrawing, (removed) => {
        if (Option.isSome(removed) && !isTerminal(removed.value.status)) ended(removed.value.id, "cancelled")
        return removed
      }),
    retry: (retrying) =>
      Effect.map(retrying, (document) => {
        recorder.write({ _tag: "Retried", ...subject(document.id) })
        return document
      })
  })
}
