import { type Duration, Effect, Layer } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { makeWorkAheadReport } from "../estimates/WorkAhead.ts"
import { announceEnd } from "../document/FinishDocument.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"
import { untraced } from "../../observability/Untraced.ts"
import { backgroundLoop } from "./BackgroundLoop.ts"
import { makeGateReport, makeQueueReport } from "./GateReport.ts"
import { singleton } from "./Singletons.ts"

/** The number of documents that expire in one transaction. */
const expiryPortion = 256

/** Finds work for which no message was sent, in all processes together. */
const upkeep = singleton("queue")(
  Effect.gen(function* () {
    const queue = yield* DocumentQueue
    const directory = yield* TenantDirectory
    const { queueTtl } = yield* EngineConfig
    const report = yield* makeQueueReport

    const wake = (tenants: ReadonlyArray<TenantId>) =>
      Effect.forEach(tenants, (tenant) => directory.tell(tenant, { _tag: "Wake" }), { discard: true })

    const announce = Effect.fn("Sweeper.expire")((expired: ReadonlyArray<Document>) =>
      Effect.forEach(expired, announceEnd, { discard: true })
    )

    const expire = Effect.fnUntraced(function* (ttl: Duration.Duration) {
      for (let full = true; full;) {
        const expired = yield* untraced(queue.expireQueued(ttl, expiryPortion))
        if (expired.length > 0) yield* announce(expired)
        full = expired.length === expiryPortion
      }
    })

    const wakeFound = Effect.fn("Sweeper.wake")(wake)

    const sweep = Effect.gen(function* () {
      const found = [...(yield* untraced(queue.reclaimExpired)), ...(yield* untraced(queue.queueDue))]
      if (found.length > 0) yield* wakeFound(found)
      if (queueTtl !== undefined) yield* expire(queueTtl)
      yield* untraced(report)
    })

    const wakeQueued = Effect.flatMap(queue.tenantsWithQueued, wake)
    yield* wakeQueued
    // Repeated, because another process may have given documents back when it ended, and its messages were lost with it.
    yield* backgroundLoop({
      name: "the search for queued documents",
      pass: wakeQueued,
      rest: Effect.sleep("30 seconds"),
      begins: "after a rest"
    })
    yield* backgroundLoop({ name: "the upkeep of the queue", pass: sweep, rest: Effect.sleep("1 second") })
  })
)

/** Told by one process for all, so that the sum over processes is right. */
const workAhead = singleton("work ahead")(
  Effect.gen(function* () {
    const report = yield* makeWorkAheadReport
    yield* backgroundLoop({
      name: "the report of the work ahead",
      pass: untraced(report),
      rest: Effect.sleep("5 seconds")
    })
  })
)

/** What each process has to say of itself. */
const gateReport = Effect.gen(function* () {
  const report = yield* makeGateReport
  yield* backgroundLoop({ name: "the report of the gates", pass: untraced(report), rest: Effect.sleep("1 second") })
})

/**
 * Finds work for which no message was sent. When the engine starts: all queued documents. Then, every second: documents whose
 * lease has run out, documents that have become due, and documents that have waited too long.
 */
export const layer = Layer.effectDiscard(Effect.all([upkeep, workAhead, gateReport]))
