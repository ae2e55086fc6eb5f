import { Duration, Effect, Exit, Fiber, FiberMap, FiberSet, Option, Queue, Semaphore } from "effect"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import { type Claim, DocumentStore } from "../services/DocumentStore.ts"
import { EngineConfig } from "../services/EngineConfig.ts"
import { documentAttributes } from "../services/Telemetry.ts"
import { TenantRegistry } from "../services/TenantRegistry.ts"
import { runDocument, type RunEnd } from "./DocumentActor.ts"
import { holding, throughGate } from "./Gate.ts"
import { storeRest } from "./Policies.ts"
import { Runner } from "./Runner.ts"
import { TenantMessage } from "./TenantProtocol.ts"

/**
 * The actor of one tenant: one message at a time, none of which blocks it.
 *
 * Documents run in slots. A slot takes a permit of the tenant's gate, then one of the global gate, claims the tenant's
 * next document and runs it as a child fiber; then it gives the global permit back and starts over, until there is
 * nothing to claim. A slot that has claimed something opens another, so slots ramp up to the tenant's limit.
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
  const tenantGate = yield* Semaphore.make((yield* registry.limits(tenant)).documents)
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

  const run = Effect.fnUntraced(function* (claim: Claim) {
    const document = runDocument(claim).pipe(
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
    return exit.value
  })

  /** Claims and runs the tenant's next document. Between the claim and the start of its fiber nothing can interrupt. */
  const runNext = Effect.gen(function* () {
    if (stopping) return "nothing"
    const claimed = yield* store.claim(tenant, yield* runner.lease)
    if (Option.isNone(claimed)) return "nothing"
    if (stopping) {
      yield* Effect.ignore(store.release(claimed.value.fence))
      return "nothing"
    }
    yield* FiberSet.run(slots, slot, { startImmediately: false })
    return yield* run(claimed.value)
  }).pipe(
    Effect.uninterruptible,
    Effect.catchTag("StoreUnavailable", (error) => Effect.as(Effect.logWarning(error.message), "unavailable"))
  )

  /** Runs documents until there are none, and returns the epoch in which there were none. */
  const drain = Effect.gen(function* () {
    for (;;) {
      const seen = epoch
      const end = yield* throughGate("global", runner.globalGate)(runner.whileOpen(runNext))
      if (Option.isNone(end) || end.value === "nothing") return seen
      if (end.value === "unavailable") yield* Effect.sleep(storeRest)
    }
  })

  const slot: Effect.Effect<void, never, Effect.Services<ReturnType<typeof run>>> = Effect.gen(function* () {
    for (;;) {
      const seen = yield* tenantGate.withPermitsIfAvailable(1)(holding("tenant")(drain))
      if (Option.isNone(seen) || seen.value === epoch) return
    }
  })

  const handle = TenantMessage.match({
    Wake: () =>
      Effect.gen(function* () {
        epoch++
        yield* tenantGate.resize((yield* registry.limits(tenant)).documents)
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
