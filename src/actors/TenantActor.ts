import { Clock, Duration, Effect, Exit, Fiber, FiberMap, FiberSet, Option, Queue, Semaphore } from "effect"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import { type Claim, DocumentStore } from "../services/DocumentStore.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import { documentAttributes } from "../services/Telemetry.ts"
import { TenantRegistry } from "../services/TenantRegistry.ts"
import { runDocument, type RunEnd } from "./DocumentActor.ts"
import { FairShares } from "./FairShares.ts"
import { holding } from "./Gate.ts"
import { GateWaits } from "./GateWaits.ts"
import { GlobalGate } from "./GlobalGate.ts"
import { makePageGates } from "./PageGate.ts"
import { storeRest } from "./Policies.ts"
import type { GlobalPermit } from "./Preemption.ts"
import { Runner } from "./Runner.ts"
import { TenantMessage } from "./TenantProtocol.ts"

/**
 * The actor of one tenant: one message at a time, none of which blocks it.
 *
 * Documents run in slots. A slot takes a permit of the tenant's gate, then one of the global gate, claims the tenant's
 * next document and runs it as a child fiber; then it gives both permits back and starts over, until there is nothing to
 * claim, or no permit since the limit was lowered. A slot that has claimed something opens another, so slots ramp up to the tenant's limit.
 *
 * No wake-up is lost: every `Wake` moves `epoch` on. A slot that found nothing compares the epoch it saw before looking
 * with the one after it has given its permit back, and looks again when they differ.
 *
 * It begins by looking for work, so one that was restarted needs no message. It ends when it
 * has been idle for the configured time. When it is stopped its children are interrupted, and waited for.
 */
export const runTenantActor = Effect.fnUntraced(function* (
  tenant: TenantId,
  mailbox: Queue.Dequeue<TenantMessage>,
  /** Asks to end for idleness; refused when a message has come in meanwhile. */
  mayEnd: () => boolean
) {
  const { tenantIdle } = yield* EngineConfig
  const registry = yield* TenantRegistry
  const runner = yield* Runner
  const store = yield* DocumentStore
  const globalGate = yield* GlobalGate
  const shares = yield* FairShares
  const limits = yield* registry.limits(tenant)
  const tenantGate = yield* Semaphore.make(limits.documents)
  const waits = new GateWaits(limits.documents, yield* Clock.currentTimeMillis)
  const pageGates = makePageGates(limits.pages)
  shares.setWeight(tenant, limits.weight)
  const slots = yield* FiberSet.make<void>()
  const documents = yield* FiberMap.make<DocumentId, RunEnd>()
  const attempts = new Map<DocumentId, number>()
  let epoch = 0
  let stopping = false
  // The last to be added is the first to run: no slot claims again what the stopping documents give back.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      stopping = true
    })
  )

  const run = Effect.fnUntraced(function* (claim: Claim, permit: GlobalPermit) {
    const document = Effect.flatMap(pageGates.open, (pageGate) => runDocument(claim, { permit, pageGate })).pipe(
      Effect.scoped,
      runner.holding({ tenant, fence: claim.fence }),
      Effect.annotateLogs(documentAttributes({ tenantId: tenant, documentId: claim.document.id }))
    )
    const { documentId, attempt } = claim.fence
    attempts.set(documentId, attempt)
    const fiber = yield* FiberMap.run(documents, documentId, document)
    const [took, exit] = yield* Effect.timed(Effect.interruptible(Fiber.await(fiber)))
    // A later attempt of this very actor may have taken its place.
    if (attempts.get(documentId) === attempt) attempts.delete(documentId)
    if (Exit.isFailure(exit)) return "given back"
    if (exit.value === "ended") runner.observeRun(Duration.toMillis(took))
    if (exit.value === "preempted") waits.preempted(documentId, yield* Clock.currentTimeMillis)
    return exit.value
  })

  /** Claims and runs the tenant's next document. Between the claim and the start of its fiber nothing can interrupt. */
  const runNext = Effect.fnUntraced(function* (permit: GlobalPermit, taken: number) {
    if (stopping) return "nothing"
    const claimed = yield* store.claim(tenant, yield* runner.lease)
    if (Option.isNone(claimed)) return "nothing"
    if (stopping) {
      yield* Effect.ignore(store.release(claimed.value.fence))
      return "nothing"
    }
    // Where all permits are taken there is none for another; and every slot that has one looks again behind its document.
    if (!waits.isFull) yield* FiberSet.run(slots, slot, { startImmediately: false })
    yield* waits.claimed(claimed.value, permit, taken)
    return yield* run(claimed.value, permit)
  }, Effect.uninterruptible)

  /** A permit is asked for only when there is something to do with it: another's document may have to make room. */
  const runUnderPermit = Effect.fnUntraced(
    function* (idle: boolean, taken: number) {
      if (!(yield* store.hasQueued(tenant))) return "nothing"
      const end = yield* globalGate.run(tenant, idle)((permit) => runner.whileOpen(runNext(permit, taken)))
      return Option.getOrElse(end, () => "nothing" as const)
    },
    Effect.catchTag("StoreUnavailable", (error) => Effect.as(Effect.logWarning(error.message), "unavailable"))
  )

  /** Runs one document, and returns the epoch in which there was none if there was none. */
  const runOne = Effect.fnUntraced(function* (idle: boolean, seat: object) {
    const seen = epoch
    const taken = yield* Clock.currentTimeMillis
    waits.seated(seat, taken)
    const end = yield* runUnderPermit(idle, taken)
    if (end === "nothing" || end === "unavailable") waits.foundNothing()
    if (end === "unavailable") yield* Effect.sleep(storeRest)
    return end === "nothing" ? seen : undefined
  })

  let seats = 0
  const runAll = Effect.fnUntraced(function* (seat: object) {
    // One that waits at a gate already is not idle either.
    for (let idle = attempts.size === 0 && seats === 1; ; idle = false) {
      const seen = yield* tenantGate.withPermitsIfAvailable(1)(holding("tenant")(runOne(idle, seat)))
      if (Option.isNone(seen) || seen.value === epoch) return
    }
  })

  const slot: Effect.Effect<void, never, Effect.Services<ReturnType<typeof run>>> = Effect.acquireUseRelease(
    Effect.sync(() => {
      shares.opens(tenant, 1)
      seats++
      return {}
    }),
    runAll,
    (seat) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        shares.opens(tenant, -1)
        seats--
        waits.left(seat, now)
      })
  )

  const handle = TenantMessage.match({
    Wake: () =>
      Effect.gen(function* () {
        epoch++
        const { documents: open, pages, weight } = yield* registry.limits(tenant)
        shares.setWeight(tenant, weight)
        waits.limited(open, yield* Clock.currentTimeMillis)
        yield* tenantGate.resize(open)
        yield* pageGates.resize(pages)
        yield* FiberSet.run(slots, slot)
      }),
    Stop: ({ documentId, attempt }) =>
      (attempts.get(documentId) ?? Number.POSITIVE_INFINITY) <= attempt
        ? Effect.forkChild(FiberMap.remove(documents, documentId))
        : Effect.void
  })

  const handleAll = Effect.gen(function* () {
    for (;;) {
      const waiting = yield* Effect.timeoutOption(Queue.peek(mailbox), tenantIdle)
      if (Option.isSome(waiting)) yield* Effect.flatMap(Queue.take(mailbox), handle)
      else if ((yield* FiberSet.size(slots)) === 0 && mayEnd()) return
    }
  })

  yield* FiberSet.run(slots, slot)
  // A slot that dies of a defect takes the actor with it.
  yield* Effect.raceFirst(handleAll, FiberSet.join(slots))
}, Effect.scoped)
