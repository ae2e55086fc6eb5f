import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Stream } from "effect"
import { makeChangeFeed } from "../../../src/actors/changes/ChangeFeed.ts"
import { portion } from "../../../src/actors/changes/ChangeBroadcaster.ts"
import { TenantId } from "../../../src/domain/Ids.ts"
import { ChangeLog, cursorAt, numberedCursors } from "../../../src/services/store/ChangeLog.ts"
import { layerMemory } from "../../../src/services/store/memory/StoreMemory.ts"
import { Events } from "../../../src/services/Events.ts"

const streams = 20
const portions = 20
const status = {
  waiting: 0,
  maxWaiting: 0,
  running: 0,
  maxRunning: 0,
  concurrency: 1,
  processed: 0,
  failed: 0,
  paused: false,
  estimatedWaitSeconds: 0
}

describe("streams that are resumed far behind", () => {
  it.live("read two portions between them, and then give way to everything else", () =>
    Effect.gen(function* () {
      const last = cursorAt(portions * portion)
      const done = yield* Deferred.make<void>()
      let reads = 0
      let inTurn = 0
      let highest = 0
      const store = Layer.effect(
        ChangeLog,
        Effect.map(ChangeLog, (own) =>
          ChangeLog.of({
            ...own,
            ...numberedCursors(Effect.succeed(last)),
            changes: ({ after, limit, tenant }) =>
              Effect.sync(() => {
                if (tenant === undefined) return { changes: [], through: last, complete: true }
                if (inTurn === 0) setImmediate(() => (inTurn = 0))
                highest = Math.max(highest, ++inTurn)
                if (++reads === streams * portions) Deferred.doneUnsafe(done, Effect.void)
                return { changes: [], through: cursorAt(after + limit), complete: after + limit >= last }
              })
          })
        )
      ).pipe(Layer.provide(layerMemory))
      yield* Effect.gen(function* () {
        const feed = yield* makeChangeFeed({ queueStatus: () => Effect.succeed(status), describe: Effect.succeed })
        for (let n = 0; n < streams; n++) {
          yield* Effect.forkScoped(Stream.runDrain(feed.watch(TenantId.make(`tenant-${n}`), 0)))
        }
        yield* Deferred.await(done)
      }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(store, Events.layer())))
      assert.strictEqual(highest, 2)
    })
  )
})
