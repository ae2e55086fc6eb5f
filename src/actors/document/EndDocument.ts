import { Effect, Fiber, Option } from "effect"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { Documents } from "../../services/store/Documents.ts"
import { SearchIndex } from "../../services/search/SearchIndex.ts"
import type { DocumentNotFound, StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"
import { makeUnusedBlobs } from "../upkeep/UnusedBlobs.ts"
import { announceEnd } from "./FinishDocument.ts"

/** Ends or removes documents for their tenants, outside their runs. */
export const makeEndDocument = Effect.gen(function* () {
  const documents = yield* Documents
  const directory = yield* TenantDirectory
  const blobs = yield* makeUnusedBlobs
  const index = yield* SearchIndex
  const scope = yield* Effect.scope
  const services = yield* Effect.context<Effect.Services<ReturnType<typeof announceEnd>>>()

  const announce = (document: Parameters<typeof announceEnd>[0]) =>
    Effect.provideContext(announceEnd(document), services)

  const end = Effect.fnUntraced(function* (tenant: TenantId, id: DocumentId) {
    const before = yield* documents.find(tenant, id)
    if (isTerminal(before.status)) return before
    const document = yield* documents.cancel(tenant, id)
    yield* directory.tell(tenant, { _tag: "Stop", documentId: id, attempt: document.attempt })
    if (document.status === "cancelled") yield* announce(document)
    return document
  })

  /** Cancels in progress. A second cancel of the same document joins the first, so that the end is announced once. */
  const ending = new Map<string, Fiber.Fiber<Document, DocumentNotFound | StoreUnavailable>>()
  /** Runs to its end even if the caller goes away: the tenant's actor has to learn of a committed cancel. */
  const cancel = Effect.fn("Ingestion.cancel")(function* (tenant: TenantId, id: DocumentId) {
    const key = `${tenant} ${id}`
    const started =
      ending.get(key) ??
      (yield* end(tenant, id).pipe(
        Effect.ensuring(Effect.sync(() => ending.delete(key))),
        Effect.uninterruptible,
        Effect.forkIn(scope)
      ))
    if (started.pollUnsafe() === undefined) ending.set(key, started)
    return yield* Fiber.join(started)
  })

  /** Searches leave out what the store no longer has, so that a failure shows nothing; the sweep tries again. */
  const forget = (tenant: TenantId, document: DocumentId) =>
    Effect.ignore(index.remove({ tenant, document }), { log: "Warn" })

  const remove = Effect.fn("Ingestion.remove")(function* (tenant: TenantId, id: DocumentId) {
    yield* cancel(tenant, id)
    const unused = yield* documents.remove(tenant, id)
    yield* forget(tenant, id)
    yield* blobs.removeAll(unused)
  })

  const withdraw = Effect.fn("Ingestion.withdraw")(function* (tenant: TenantId, id: DocumentId, shares = 0) {
    const removed = yield* documents.withdraw(tenant, id, shares)
    if (Option.isNone(removed)) return
    const { attempt, status, unusedBlobs } = removed.value
    yield* forget(tenant, id)
    yield* directory.tell(tenant, { _tag: "Stop", documentId: id, attempt })
    if (!isTerminal(status)) yield* announce({ tenantId: tenant, id, status: "cancelled" })
    yield* blobs.removeAll(unusedBlobs)
  }, Effect.uninterruptible)

  return { cancel, remove, withdraw }
})
