/**
 * Runs one tenant's documents in slots, up to the tenant's limit.
 *
 * A slot takes a permit of the tenant's gate, then one of the global gate, claims the tenant's next document and runs it as a
 * child fiber; then it gives both permits back and starts over, until there is nothing to claim, or no permit since the limit
 * was lowered. A slot that has claimed something opens another, so slots ramp up to the limit.
 *
 * No wake-up is lost: every wake moves `epoch` on. A slot that found nothing compares the epoch it saw before the query with
 * the one after it has given its permit back, and queries again when they differ.
 */
import { Clock, Duration, Effect, Exit, Fiber, FiberMap, FiberSet, Option, Semaphore } from "effect"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { Claim } from "../../services/store/Claim.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { documentAttributes } from "../../observability/Telemetry.ts"
import type { TenantLimits } from "../../services/TenantRegistry.ts"
import { runDocument, type RunEnd } from "../document/RunDocument.ts"
import { FairShares } from "../scheduling/FairShares.ts"
import { trackInUse } from "../gates/GateMetrics.ts"
import { QueueTimeAccounting } from "../gates/QueueTimeAccounting.ts"
import { GlobalGate } from "../gates/GlobalGate.ts"
import { makePageGates } from "../gates/PageGate.ts"
import { storeRest } from "../retries/RetryPolicies.ts"
import type { GlobalPermit } from "../gates/Preemption.ts"
import { Runner } from "./Runner.ts"

/** The slots end with the scope, which interrupts their documents and waits for them. */
const makeState = Effect.fnUntraced(function* (tenant: TenantId, limits: TenantLimits) {
  const state = {
    tenant,
    queue: yield* DocumentQueue,
    runner: yield* Runner,
    globalGate: yield* GlobalGate,
    shares: yield* FairShares,
    tenantGate: yield* Semaphore.make(limits.documents),
    waits: new QueueTimeAccounting(limits.documents, yield* Clock.currentTimeMillis),
    pageGates: makePageGates(limits.pages),
    slots: yield* FiberSet.make<void>(),
    documents: yield* FiberMap.make<DocumentId, RunEnd>(),
    /** The attempts of the running documents. */
    attempts: new Map<DocumentId, number>(),
    /** Documents that the tenant may run, in all processes together. The store counts them when one is claimed. */
    most: limits.documents,
    openSlots: 0,
    epoch: 0,
    stopping: false
  }
  // Added last, so it runs first: no slot then claims the documents that the stopping runs give back.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      state.stopping = true
    })
  )
  return state
})
type State = Effect.Success<ReturnType<typeof makeState>>

/** Runs the claimed document in its own fiber, so that it can be stopped by its id. */
const runClaim = Effect.fnUntraced(function* (state: State, claim: Claim, permit: GlobalPermit) {
  const { attempts, documents, pageGates, runner, tenant, waits } = state
  const { documentId, attempt } = claim.fence
  const document = Effect.flatMap(pageGates.open, (pageGate) =>
    runDocument(claim, { permit, pageGate, closing: runner.closing })
  ).pipe(
    Effect.scoped,
    runner.holding({ tenant, fence: claim.fence }),
    Effect.annotateLogs(documentAttributes({ tenantId: tenant, documentId, attempt }))
  )
  attempts.set(documentId, attempt)
  const fiber = yield* FiberMap.run(documents, documentId, document)
  const [took, exit] = yield* Effect.timed(Effect.interruptible(Fiber.await(fiber)))
  // A later attempt of this same actor may have replaced it.
  if (attempts.get(documentId) === attempt) attempts.delete(documentId)
  if (Exit.isFailure(exit)) return "given back"
  if (exit.value === "ended") runner.observeRun(Duration.toMillis(took))
  if (exit.value === "preempted") waits.preempted(documentId, yield* Clock.currentTimeMillis)
  return exit.value
})

/** Claims and runs the tenant's next document. Uninterruptible between the claim and the start of its fiber. */
const claimNext = Effect.fnUntraced(function* (state: State, permit: GlobalPermit, taken: number) {
  const { queue, runner, waits } = state
  if (state.stopping) return "nothing"
  const claimed = yield* queue.claim(state.tenant, runner.lease, state.most)
  if (Option.isNone(claimed)) return "nothing"
  if (state.stopping) {
    yield* Effect.ignore(queue.release(claimed.value.fence))
    return "nothing"
  }
  // When all permits are in use, another slot would get none, and each slot with a permit queries again after its document.
  if (!waits.isFull) yield* openSlot(state, { startImmediately: false })
  yield* waits.claimed(claimed.value, permit, taken)
  return yield* runClaim(state, claimed.value, permit)
}, Effect.uninterruptible)

/** Requests a global permit only if a document is queued, since the request may preempt another tenant's document. */
const runUnderPermit = Effect.fnUntraced(
  function* (state: State, isIdle: boolean, taken: number) {
    const { globalGate, queue, runner, tenant } = state
    if (!(yield* queue.hasQueued(tenant, state.most))) return "nothing"
    const run = globalGate.run(tenant, isIdle)
    const end = yield* run((permit) => runner.whileOpen(claimNext(state, permit, taken)))
    return Option.getOrElse(end, () => "nothing" as const)
  },
  Effect.catchTag("StoreUnavailable", (error) => Effect.as(Effect.logWarning(error.message), "unavailable"))
)

/** Runs one document. If there was none to claim, returns the epoch from before the query. */
const runOne = Effect.fnUntraced(function* (state: State, isIdle: boolean, identity: object) {
  const seen = state.epoch
  const taken = yield* Clock.currentTimeMillis
  state.waits.permitTaken(identity, taken)
  const end = yield* runUnderPermit(state, isIdle, taken)
  if (end === "nothing" || end === "unavailable") state.waits.foundNothing()
  if (end === "unavailable") yield* Effect.sleep(storeRest)
  return end === "nothing" ? seen : undefined
})

/** Runs one document after another, until none is queued or the tenant's gate has no permit. */
const runAll = Effect.fnUntraced(function* (state: State, identity: object) {
  const { attempts, tenantGate } = state
  // A tenant with a slot that already waits at a gate is not idle either.
  for (let isIdle = attempts.size === 0 && state.openSlots === 1; ; isIdle = false) {
    const seen = yield* tenantGate.withPermitsIfAvailable(1)(trackInUse("tenant")(runOne(state, isIdle, identity)))
    if (Option.isNone(seen) || seen.value === state.epoch) return
  }
})

type SlotServices = Effect.Services<ReturnType<typeof runClaim>>

const slot = (state: State): Effect.Effect<void, never, SlotServices> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      state.shares.opens(state.tenant, 1)
      state.openSlots++
      return {}
    }),
    (identity) => runAll(state, identity),
    (identity) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        state.shares.opens(state.tenant, -1)
        state.openSlots--
        state.waits.slotClosed(identity, now)
      })
  )

const openSlot = (state: State, options?: { readonly startImmediately: boolean }) =>
  FiberSet.run(state.slots, slot(state), options)

/** The slots of one tenant, under its present limits. */
export const makeSlots = Effect.fnUntraced(function* (tenant: TenantId, limits: TenantLimits) {
  const state = yield* makeState(tenant, limits)
  state.shares.setWeight(tenant, limits.weight)

  return {
    /** Opens a slot: there may be a document to run, even if other slots have just found none. */
    wake: Effect.suspend(() => {
      state.epoch++
      return openSlot(state)
    }),
    setLimits: Effect.fnUntraced(function* ({ documents, pages, weight }: TenantLimits) {
      state.shares.setWeight(tenant, weight)
      state.most = documents
      state.waits.limited(documents, yield* Clock.currentTimeMillis)
      yield* state.tenantGate.resize(documents)
      yield* state.pageGates.resize(pages)
    }),
    /** Stops the document's run if it is that attempt or an earlier one. */
    stop: (documentId: DocumentId, attempt: number) =>
      (state.attempts.get(documentId) ?? Number.POSITIVE_INFINITY) <= attempt
        ? Effect.forkChild(FiberMap.remove(state.documents, documentId))
        : Effect.void,
    /** No slot is open. */
    isIdle: Effect.map(FiberSet.size(state.slots), (size) => size === 0),
    /** Dies when a slot dies of a defect. */
    failed: FiberSet.join(state.slots)
  }
})
