import { Clock, type Context, Duration, Effect, Option, Scheduler } from "effect"
import { BlobReferences } from "../../src/services/store/BlobReferences.ts"
import { BlobStore, BlobStoreUnavailable } from "../../src/services/BlobStore.ts"
import type { LeaseRequest } from "../../src/services/store/Claim.ts"
import type { Fence } from "../../src/services/store/Fence.ts"
import { StoreUnavailable } from "../../src/services/store/StoreErrors.ts"
import { CurrentPermit } from "./GateWatch.ts"
import type { Asked, Lease, Ledger } from "./Ledger.ts"
import type { Store } from "../support/store.ts"
import type { Trouble } from "./Trouble.ts"

export type References = Context.Service.Shape<typeof BlobReferences>
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

const leaseFrom = ({ lease, runner }: LeaseRequest, now: number): Lease => ({
  runner,
  now,
  until: now + Duration.toMillis(lease)
})

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
    accept: (document, limits) =>
      asking(limits, (asked) =>
        call("accept", store.accept(document, limits), (stored) => ledger.accepted(document, stored, asked))
      ),
    hasQueued: (tenant, most) =>
      Effect.withFiber((fiber) =>
        Effect.andThen(
          Effect.map(Clock.currentTimeMillis, (now) => permitAt.set(fiber.id, now)),
          call("hasQueued", store.hasQueued(tenant, most), nothing)
        )
      ),
    claim: (tenant, request, most) =>
      Effect.withFiber((fiber) => {
        let claimed: Fence | undefined
        process.runner = request.runner
        return call("claim", store.claim(tenant, request, most), (claim, now) => {
          if (Option.isNone(claim)) return
          claimed = claim.value.fence
          ledger.claimed(tenant, claim.value, leaseFrom(request, now), permitAt.get(fiber.id) ?? now)
        }).pipe(Effect.onInterrupt(() => (claimed === undefined ? Effect.void : abandon(claimed))))
      }),
    renew: (request) =>
      call("renew", store.renew(request), (fences, now) => ledger.renewed(leaseFrom(request, now), fences)),
    fetched: (fence, blob, reference) =>
      fenced(
        fence,
        call("fetched", store.fetched(fence, blob, reference), () => ledger.fetched(fence))
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
    saveArtifacts: (fence, artifacts, pages = []) =>
      fenced(
        fence,
        call("saveArtifacts", store.saveArtifacts(fence, artifacts, pages), () => {
          for (const page of pages) ledger.saved(fence, page)
          for (const artifact of artifacts) ledger.savedArtifact(fence, artifact)
        })
      ),
    finish: (fence, outcome) =>
      call("finish", store.finish(fence, outcome), (ended, now) => ledger.finished(fence, outcome, ended, now)),
    finishWhole: (fence, whole, outcome) =>
      call("finish", store.finishWhole(fence, whole, outcome), (ended, now) => {
        ledger.opened(fence, whole.pdf.pageCount)
        for (const page of whole.pages) ledger.saved(fence, page)
        ledger.finished(fence, outcome, ended, now)
      }),
    release: (fence) =>
      Effect.flatMap(CurrentPermit, (permit) =>
        call("release", store.release(fence), () =>
          ledger.released(fence, permit?.isRequested === true && !process.stopping)
        ).pipe(Effect.tapErrorTag("StoreUnavailable", () => abandon(fence)))
      ),
    reclaimExpired: call("reclaimExpired", store.reclaimExpired, (_, now) => ledger.reclaimed(now)),
    queueDue: call("queueDue", store.queueDue, (_, now) => ledger.becameDue(now)),
    reclaimAll: (tenant) => call("reclaimAll", store.reclaimAll(tenant), nothing),
    tenantsWithRunning: call("tenantsWithRunning", store.tenantsWithRunning, nothing),
    tenantsWithQueued: call("tenantsWithQueued", store.tenantsWithQueued, nothing),
    cancel: (tenant, id) => call("cancel", store.cancel(tenant, id), (ended, now) => ledger.cancelled(id, ended, now)),
    remove: (tenant, id) => call("remove", store.remove(tenant, id), () => ledger.removed(id)),
    recordFault: (fence, page, fault) =>
      fenced(fence, call("recordFault", store.recordFault(fence, page, fault), nothing)),
    expireQueued: (waitedLongerThan, limit) =>
      call("expireQueued", store.expireQueued(waitedLongerThan, limit), (ended, now) =>
        ledger.expired(ended, now - Duration.toMillis(waitedLongerThan), now)
      ),
    withdraw: (tenant, id, shares) =>
      call("withdraw", store.withdraw(tenant, id, shares), (removed) => {
        if (Option.isSome(removed)) ledger.withdrawn(id)
      }),
    removeEnded: (endedLongerAgo, limit) =>
      call("removeEnded", store.removeEnded(endedLongerAgo, limit), (removed, now) => {
        for (const { id } of removed) ledger.removed(id, now - Duration.toMillis(endedLongerAgo))
      }),
    retry: (tenant, id, retry, limits) =>
      asking(limits, (asked) =>
        call("retry", store.retry(tenant, id, retry, limits), (_, now) => ledger.retried(id, now, asked))
      ),
    setPaused: (tenant, paused) =>
      call("setPaused", store.setPaused(tenant, paused), () => ledger.paused(tenant, paused)),
    isPaused: (tenant) => call("isPaused", store.isPaused(tenant), nothing),
    find: (tenant, id, detail) => call("find", store.find(tenant, id, detail), nothing),
    list: (tenant, options) => call("list", store.list(tenant, options), nothing),
    pages: (tenant, id, options) => call("pages", store.pages(tenant, id, options), nothing),
    stats: (tenant) => call("stats", store.stats(tenant), nothing)
  }
}

/** References to blobs as one process sees them. */
export const simulatedReferences = (references: References, process: Process, trouble: Trouble): References => {
  const up = <A>(operation: string, call: Effect.Effect<A, StoreUnavailable>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<A, StoreUnavailable> =>
      process.alive && !trouble.storeFails(operation, now)
        ? call
        : Effect.fail(new StoreUnavailable({ operation, cause: "simulated" }))
    )
  return BlobReferences.of({
    reserve: (hash, expiry) => Effect.andThen(trouble.waitBefore, up("reserve", references.reserve(hash, expiry))),
    release: (reference) => up("release", references.release(reference)),
    refersTo: (hash, tenant) => up("refersTo", references.refersTo(hash, tenant)),
    claimRemoval: (hash) => up("claimRemoval", references.claimRemoval(hash)),
    endRemoval: (removal) => up("endRemoval", references.endRemoval(removal)),
    forgetExpired: up("forgetExpired", references.forgetExpired)
  })
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
    put: (bytes, limit, options) => Effect.andThen(up("put"), blobs.put(bytes, limit, options)),
    receive: (bytes, limit, options) => Effect.andThen(up("put"), blobs.receive(bytes, limit, options)),
    touch: (hash) => Effect.andThen(up("touch"), blobs.touch(hash)),
    locate: (hash) =>
      Effect.map(Effect.andThen(up("locate"), blobs.locate(hash)), (location) => ({ ...location, hash })),
    remove: (...which) => Effect.andThen(up("remove"), blobs.remove(...which))
  })
}
