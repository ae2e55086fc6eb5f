import { Clock, type Context, Effect, Option, Scheduler } from "effect"
import { BlobStore, BlobStoreUnavailable } from "../../src/services/BlobStore.ts"
import type { Fence } from "../../src/services/store/Fence.ts"
import { StoreUnavailable } from "../../src/services/store/StoreErrors.ts"
import { CurrentPermit } from "./GateWatch.ts"
import type { Asked, Ledger } from "./Ledger.ts"
import type { Store } from "../support/store.ts"
import type { Trouble } from "./Trouble.ts"

export type Blobs = Context.Service.Shape<typeof BlobStore>

/** One process of the simulated world. Once it is dead nothing it does has an effect. */
export interface Process {
  readonly name: string
  alive: boolean
  /** It is on its way out in order: documents go back to their queues. */
  stopping: boolean
  /** Under what name it holds its leases. */
  runner: string | undefined
}

/** Commits and the ledger's knowledge of them are one step: nothing comes between them. */
const atomic = Effect.provideService(Scheduler.PreventSchedulerYield, true)

/** The store as one process sees it: late, failing and gone as the trouble of the moment says, and watched by the ledger. */
export const simulatedStore = (store: Store, process: Process, trouble: Trouble, ledger: Ledger): Store => {
  const refuseWhenDown = (operation: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      process.alive && !trouble.storeFails(operation, now)
        ? Effect.void
        : Effect.fail(new StoreUnavailable({ operation, cause: "simulated" }))
    )

  const call = <A, E>(operation: string, commit: Effect.Effect<A, E>, committed: (answer: A, now: number) => void) =>
    refuseWhenDown(operation).pipe(
      Effect.andThen(trouble.waitBefore),
      // It may have died while it waited.
      Effect.andThen(refuseWhenDown("all")),
      Effect.andThen(
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.tap(commit, (answer) => Effect.sync(() => committed(answer, now)))
        ).pipe(atomic)
      ),
      Effect.tap(trouble.waitAfter)
    )

  const nothing = () => undefined

  /** When the fiber last took a permit of its tenant: then it looks whether anything is queued. */
  const permitAt = new Map<number, number>()

  const fenced = <A, E extends { readonly _tag: string }>(fence: Fence, write: Effect.Effect<A, E>) =>
    Effect.tapError(write, ({ _tag }) =>
      Effect.sync(() => {
        if (_tag === "StoreUnavailable") ledger.disturbed(fence.documentId)
      })
    )

  const asking = <A, E>(limits: Asked["limits"], ask: (asked: Asked) => Effect.Effect<A, E>) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => ask({ at, limits }))

  /** If the end of a run cannot be written, or nobody waits for the answer any more, the run is over all the same. */
  const abandon = (fence: Fence) => Effect.map(Clock.currentTimeMillis, (now) => ledger.abandoned(fence, now))

  return {
    ...store,
    accept: (document, limits, committed) =>
      asking(limits, (asked) =>
        call("accept", store.accept(document, limits), (stored) => {
          ledger.accepted(document, stored, asked)
          if (stored.id === document.id) committed?.(stored)
        })
      ),
    hasQueued: (tenant) =>
      Effect.withFiber((fiber) =>
        Effect.andThen(
          Effect.map(Clock.currentTimeMillis, (now) => permitAt.set(fiber.id, now)),
          call("hasQueued", store.hasQueued(tenant), nothing)
        )
      ),
    claim: (tenant, lease) =>
      Effect.withFiber((fiber) => {
        let claimed: Fence | undefined
        process.runner = lease.runner
        const since = permitAt.get(fiber.id) ?? lease.now
        return call("claim", store.claim(tenant, lease), (claim) => {
          if (Option.isNone(claim)) return
          claimed = claim.value.fence
          ledger.claimed(tenant, claim.value, lease, since)
        }).pipe(Effect.onInterrupt(() => (claimed === undefined ? Effect.void : abandon(claimed))))
      }),
    renew: (lease) => call("renew", store.renew(lease), (fences) => ledger.renewed(lease, fences)),
    fetched: (fence, blob) =>
      fenced(
        fence,
        call("fetched", store.fetched(fence, blob), () => ledger.fetched(fence))
      ),
    opened: (fence, pdf) =>
      fenced(
        fence,
        call("opened", store.opened(fence, pdf), () => ledger.opened(fence, pdf.pageCount))
      ),
    savePages: (fence, pages) =>
      fenced(
        fence,
        call("savePages", store.savePages(fence, pages), () => {
          for (const page of pages) ledger.saved(fence, page)
        })
      ),
    finish: (fence, outcome, at) =>
      call("finish", store.finish(fence, outcome, at), (ended) => ledger.finished(fence, outcome, ended, at)),
    finishWhole: (fence, whole, outcome, at) =>
      call("finish", store.finishWhole(fence, whole, outcome, at), (ended) => {
        ledger.opened(fence, whole.pdf.pageCount)
        for (const page of whole.pages) ledger.saved(fence, page)
        ledger.finished(fence, outcome, ended, at)
      }),
    release: (fence) =>
      Effect.flatMap(CurrentPermit, (permit) =>
        call("release", store.release(fence), () =>
          ledger.released(fence, permit?.isRequested === true && !process.stopping)
        ).pipe(Effect.tapErrorTag("StoreUnavailable", () => abandon(fence)))
      ),
    reclaimExpired: (now) => call("reclaimExpired", store.reclaimExpired(now), () => ledger.reclaimed(now)),
    queueDue: (now) => call("queueDue", store.queueDue(now), () => ledger.becameDue(now)),
    tenantsWithQueued: call("tenantsWithQueued", store.tenantsWithQueued, nothing),
    cancel: (tenant, id, at) =>
      call("cancel", store.cancel(tenant, id, at), (ended) => ledger.cancelled(id, ended, at)),
    remove: (tenant, id) => call("remove", store.remove(tenant, id), () => ledger.removed(id)),
    recordFault: (fence, page, fault) =>
      fenced(fence, call("recordFault", store.recordFault(fence, page, fault), nothing)),
    expireQueued: (queuedBefore, at, limit) =>
      call("expireQueued", store.expireQueued(queuedBefore, at, limit), (ended) =>
        ledger.expired(ended, queuedBefore, at)
      ),
    withdraw: (tenant, id, shares) =>
      call("withdraw", store.withdraw(tenant, id, shares), (removed) => {
        if (Option.isSome(removed)) ledger.withdrawn(id)
      }),
    removeEnded: (finishedBefore, limit) =>
      call("removeEnded", store.removeEnded(finishedBefore, limit), (removed) => {
        for (const { id } of removed) ledger.removed(id, finishedBefore)
      }),
    retry: (tenant, id, retry, limits) =>
      asking(limits, (asked) =>
        call("retry", store.retry(tenant, id, retry, limits), () => ledger.retried(id, retry.at, asked))
      ),
    setPaused: (tenant, paused) =>
      call("setPaused", store.setPaused(tenant, paused), () => ledger.paused(tenant, paused)),
    isPaused: (tenant) => call("isPaused", store.isPaused(tenant), nothing),
    find: (tenant, id, detail) => call("find", store.find(tenant, id, detail), nothing),
    list: (tenant, options) => call("list", store.list(tenant, options), nothing),
    pages: (tenant, id, options) => call("pages", store.pages(tenant, id, options), nothing),
    refersTo: (hash, tenant) => call("refersTo", store.refersTo(hash, tenant), nothing),
    stats: (tenant) => call("stats", store.stats(tenant), nothing)
  }
}

/** The blobs as one process sees them. */
export const simulatedBlobs = (blobs: Blobs, process: Process, trouble: Trouble): Blobs => {
  const up = (operation: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      process.alive && !trouble.blobsFail(now)
        ? Effect.void
        : Effect.fail(new BlobStoreUnavailable({ operation, cause: "simulated" }))
    )
  return BlobStore.of({
    ...blobs,
    put: (bytes, limit) => Effect.andThen(up("put"), blobs.put(bytes, limit)),
    touch: (hash) => Effect.andThen(up("touch"), blobs.touch(hash)),
    locate: (hash) => Effect.andThen(up("locate"), blobs.locate(hash)),
    remove: (hash, putBefore) => Effect.andThen(up("remove"), blobs.remove(hash, putBefore))
  })
}
