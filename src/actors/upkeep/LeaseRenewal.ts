import { Duration, Effect, Layer } from "effect"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { Fence } from "../../services/store/Fence.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { Runner } from "../tenant/Runner.ts"
import { TenantDirectory } from "../tenant/TenantDirectory.ts"
import { backgroundLoop } from "./BackgroundLoop.ts"

const renewalsPerLease = 3

const keyOf = ({ attempt, documentId }: Fence) => `${documentId} ${attempt}`

/**
 * Renews the leases of the documents that this runner holds, outside the path that reads them, and stops documents whose lease
 * is lost. If the store cannot be reached the documents go on: their writes are fenced anyway.
 *
 * A lease that has no running document at two renewals in a row is left from a run that could not give its document back. The
 * document is given back here: a renewal prolongs all leases of the runner, so this lease would never run out.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const config = yield* EngineConfig
    const queue = yield* DocumentQueue
    const runner = yield* Runner
    const directory = yield* TenantDirectory

    let idle: ReadonlySet<string> = new Set()

    /** The leases that have no running document now and had none at the last renewal. */
    const abandoned = (kept: ReadonlyArray<Fence>) => {
      const held = new Set(runner.held().map(({ fence }) => keyOf(fence)))
      const without = kept.filter((fence) => !held.has(keyOf(fence)))
      const before = idle
      idle = new Set(without.map(keyOf))
      return without.filter((fence) => before.has(keyOf(fence)))
    }

    const giveBack = Effect.fnUntraced(function* (fences: ReadonlyArray<Fence>) {
      if (fences.length === 0) return
      for (const fence of fences) yield* Effect.catchTag(queue.release(fence), "LeaseLost", () => Effect.void)
      for (const tenant of yield* queue.tenantsWithQueued) yield* directory.tell(tenant, { _tag: "Wake" })
    })

    const renewHeld = Effect.fn("LeaseKeeper.renew")(function* () {
      const before = runner.held()
      const kept = yield* queue.renew(runner.lease)
      const attempts = new Map(kept.map((fence) => [fence.documentId, fence.attempt]))
      for (const { tenant, fence } of before) {
        if (attempts.get(fence.documentId) === fence.attempt) continue
        yield* directory.tell(tenant, { _tag: "Stop", ...fence })
      }
      yield* giveBack(abandoned(kept))
    })

    const renew = Effect.suspend(() => (runner.held().length === 0 ? Effect.void : renewHeld()))

    yield* backgroundLoop({
      name: "the renewal of leases",
      pass: renew,
      rest: Effect.sleep(Duration.toMillis(config.lease) / renewalsPerLease)
    })
  })
)
