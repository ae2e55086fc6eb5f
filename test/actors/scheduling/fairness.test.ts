import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { startEngine, tenant } from "../../support/engine.ts"

const pages = (pageCount: number, millis: number): ScriptedDocument => ({
  ...soundDocument(pageCount, `${millis} millis`),
  open: () => ({ _tag: "Opens", pageCount, takes: "5 millis" })
})
const scripts = { huge: pages(10_000, 8), heavy: pages(2_000, 40), one: pages(1, 8), hundred: pages(100, 8) }
const quiet = tenant("quiet")

/** Milliseconds that a quiet tenant's page takes while a hot tenant has this backlog. */
const waitBehind = Effect.fnUntraced(function* (script: string, backlog: number, capacity: number) {
  const engine = yield* startEngine({ scripts, capacity, limits: { globalDocuments: 8, tenantDocuments: 4 } })
  for (let n = 0; n < backlog; n++) yield* engine.submit(script, tenant("hot"))
  yield* TestClock.adjust("5 seconds")
  const waits: Array<number> = []
  for (let n = 0; n < 5; n++) {
    const before = yield* Clock.currentTimeMillis
    const { id } = yield* engine.submit("one", quiet)
    yield* engine.awaitEnd(id, quiet, "1 millis")
    waits.push((yield* Clock.currentTimeMillis) - before)
    yield* TestClock.adjust("137 millis")
  }
  return Math.max(...waits)
})

describe("the fair turns", () => {
  for (const [script, backlog] of [
    ["huge", 1],
    ["huge", 4],
    ["huge", 50],
    ["heavy", 50]
  ] as const) {
    it.effect(`let a quiet tenant's page wait for a turn or two behind ${backlog} ${script} documents`, () =>
      Effect.gen(function* () {
        // Two turns of its own, to open and to read, each behind at most one range of some 64 ms that has begun.
        assert.isAtMost(yield* waitBehind(script, backlog, 1), 2 * (64 + 40) + 13)
        assert.isAtMost(yield* waitBehind(script, backlog, 2), 2 * (64 + 40) + 13)
      })
    )
  }

  for (const hot of [12, 100]) {
    it.effect(`let a quiet tenant's page wait for no more than a turn behind ${hot} busy tenants`, () =>
      Effect.gen(function* () {
        const engine = yield* startEngine({ scripts, capacity: 2, limits: { globalDocuments: 8 } })
        for (let n = 0; n < hot; n++) yield* engine.submit("huge", tenant(`hot-${n}`))
        yield* TestClock.adjust("15 seconds")
        const waits: Array<number> = []
        for (let n = 0; n < 20; n++) {
          const before = yield* Clock.currentTimeMillis
          const { id } = yield* engine.submit("one", quiet)
          yield* engine.awaitEnd(id, quiet, "1 millis")
          waits.push((yield* Clock.currentTimeMillis) - before)
          // A page takes 13 milliseconds with its opening: less than a share, of which a hundred busy tenants leave it 20 a second.
          yield* TestClock.adjust("997 millis")
        }
        // Two ranges have begun, of which one ends first.
        assert.isAtMost(Math.max(...waits), 64 + 40 + 13)
      })
    )
  }

  it.effect("let no stream of small documents of many tenants starve a busy one", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 2, limits: { globalDocuments: 8 } })
      const { id } = yield* engine.submit("huge", tenant("busy"))
      // Each sends its next document when the last has ended, so all of them are newcomers again and again.
      const small = Array.from({ length: 20 }, (_, n) => tenant(`small-${n}`))
      const sendOn = (owner: (typeof small)[number]) =>
        engine.submit("one", owner).pipe(
          Effect.flatMap(({ id }) => Stream.runDrain(engine.ingestion.follow(owner, id))),
          Effect.delay("5 millis"),
          Effect.forever
        )
      yield* Effect.forEach(small, (owner) => Effect.forkChild(sendOn(owner)), { discard: true })
      yield* TestClock.adjust("15 seconds")
      const { progress } = yield* engine.ingestion.status(tenant("busy"), id)
      // A share is a twentyfirst of two workers: 1.4 seconds.
      assert.isAbove(progress.done * 8, 1_000)
    })
  )

  it.effect("divide the workers' time by weight between tenants that both have work", () =>
    Effect.gen(function* () {
      const tenants = { [tenant("gold")]: { weight: 3 }, [tenant("iron")]: { weight: 1 } }
      const engine = yield* startEngine({ scripts, capacity: 2, tenants })
      const gold = yield* engine.submit("huge", tenant("gold"))
      const iron = yield* engine.submit("heavy", tenant("iron"))
      yield* TestClock.adjust("20 seconds")
      const goldMillis = 8 * (yield* engine.ingestion.status(tenant("gold"), gold.id)).progress.done
      const ironMillis = 40 * (yield* engine.ingestion.status(tenant("iron"), iron.id)).progress.done
      assert.closeTo(goldMillis / (goldMillis + ironMillis), 0.75, 0.02)
      assert.isAtLeast(goldMillis + ironMillis, 0.97 * 40_000)
    })
  )

  it.effect("give all of the workers to who is alone", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 4, limits: { documentPages: 8 } })
      const { id } = yield* engine.submit("huge")
      yield* engine.awaitEnd(id, tenant("acme"), "100 millis")
      assert.isAtMost(yield* Clock.currentTimeMillis, (1.03 * 10_000 * 8) / 4)
    })
  )
})
