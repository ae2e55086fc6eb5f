import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { IngestEvent } from "../../../src/domain/Event.ts"
import { StoreUnavailable } from "../../../src/services/store/StoreErrors.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, brief, startEngine, tenant, until } from "../../support/engine.ts"

const scripts = {
  short: soundDocument(3, "10 millis"),
  long: soundDocument(50, "200 millis")
}
const unavailable = new StoreUnavailable({ operation: "answer", cause: "test" })

const methods = [
  "claim",
  "renew",
  "opened",
  "savePages",
  "finish",
  "release",
  "reclaimExpired",
  "queueDue",
  "stats"
] as const

describe("supervision", () => {
  for (const method of methods) {
    for (const outage of ["1 second", "40 seconds"] as const) {
      it.effect(`brings every document to one end when the store's ${method} fails for ${outage}`, () =>
        Effect.gen(function* () {
          let broken = false
          const engine = yield* startEngine({
            scripts,
            store: (store) => {
              const guarded =
                <Args extends ReadonlyArray<unknown>, A, E>(call: (...args: Args) => Effect.Effect<A, E>) =>
                (...args: Args): Effect.Effect<A, E | StoreUnavailable> =>
                  Effect.suspend((): Effect.Effect<A, E | StoreUnavailable> => (broken ? unavailable : call(...args)))
              const orUnavailable = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E | StoreUnavailable> =>
                Effect.suspend((): Effect.Effect<A, E | StoreUnavailable> => (broken ? unavailable : call))
              const { claim, finish, opened, queueDue, reclaimExpired, release, renew, savePages, stats } = store
              const all = {
                claim: guarded(claim),
                finish: guarded(finish),
                opened: guarded(opened),
                queueDue: orUnavailable(queueDue),
                reclaimExpired: orUnavailable(reclaimExpired),
                release: guarded(release),
                renew: guarded(renew),
                savePages: guarded(savePages),
                stats: guarded(stats)
              }
              return { [method]: all[method] }
            }
          })
          const told: Array<IngestEvent> = []
          const live = yield* engine.events.subscribe
          yield* Effect.forkChild(Stream.runForEach(live, (event) => Effect.sync(() => told.push(event))))
          for (let n = 0; n < 8; n++) yield* engine.submit(n % 2 === 0 ? "short" : "long", tenant(`t${n % 3}`))
          yield* TestClock.adjust("300 millis")
          broken = true
          yield* TestClock.adjust(outage)
          broken = false
          yield* until(
            Effect.map(engine.store.stats(), ({ processed }) => processed === 8),
            "500 millis"
          )
          yield* TestClock.adjust("30 seconds")
          const ends = brief(told).filter((event) => event.startsWith("DocumentEnded"))
          assert.deepStrictEqual(
            ends,
            Array.from({ length: 8 }, () => "DocumentEnded completed")
          )
          assert.deepStrictEqual([yield* engine.gateInUse("tenant"), yield* engine.gateInUse("global")], [0, 0])
        })
      )
    }
  }

  for (const method of ["open", "read"] as const) {
    it.effect(`fails a document with CRASHED when the engine's ${method} has a defect, and its tenant goes on`, () =>
      Effect.gen(function* () {
        let broken = true
        const engine = yield* startEngine({
          scripts,
          reader: (reader) => ({
            [method]: {
              open: (...args: Parameters<typeof reader.open>) =>
                Effect.suspend(() => (broken ? Effect.die("defect") : reader.open(...args))),
              read: (...args: Parameters<typeof reader.read>) =>
                Stream.suspend(() => (broken ? Stream.die("defect") : reader.read(...args)))
            }[method]
          })
        })
        const first = yield* engine.submit("long")
        const crashed = yield* engine.awaitEnd(first.id)
        assert.deepStrictEqual([crashed.status, crashed.failure?.code], ["failed", "CRASHED"])
        broken = false
        const second = yield* engine.submit("short")
        assert.strictEqual((yield* engine.awaitEnd(second.id)).status, "completed")
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual([yield* engine.gateInUse("tenant"), yield* engine.gateInUse("global")], [0, 0])
      })
    )
  }

  it.effect("fails a document with CRASHED when saving its pages has a defect", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, store: () => ({ savePages: () => Effect.die("defect") }) })
      const { id } = yield* engine.submit("long")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.failure?.code], ["failed", "CRASHED"])
    })
  )

  it.effect("starts a tenant's actor again, ever more slowly, when claiming has a defect", () =>
    Effect.gen(function* () {
      let claims = 0
      let broken = true
      const engine = yield* startEngine({
        scripts,
        store: (store) => ({
          claim: (owner, lease) =>
            Effect.suspend(() => {
              if (!broken || owner !== acme) return store.claim(owner, lease)
              claims++
              return Effect.die("defect")
            })
        })
      })
      const { id } = yield* engine.submit("short")
      yield* TestClock.adjust("60 seconds")
      assert.isAtLeast(claims, 5)
      assert.isAtMost(claims, 20)
      const quiet = yield* engine.submit("short", tenant("quiet"))
      assert.strictEqual((yield* engine.awaitEnd(quiet.id, tenant("quiet"))).status, "completed")
      broken = false
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
    })
  )

  it.effect("gives the documents of an actor that died back to their queue, with their pages kept", () =>
    Effect.gen(function* () {
      let broken = false
      const engine = yield* startEngine({
        scripts,
        store: (store) => ({
          claim: (owner, lease) =>
            Effect.suspend(() => {
              if (!broken) return store.claim(owner, lease)
              broken = false
              return Effect.die("defect")
            })
        })
      })
      const { id } = yield* engine.submit("long")
      yield* TestClock.adjust("2 seconds")
      broken = true
      const other = yield* engine.submit("short")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.attempt], ["completed", 2])
      assert.strictEqual((yield* engine.awaitEnd(other.id)).status, "completed")
      let read = 0
      for (let page = 1; page <= 50; page++) read += engine.scripted.timesRead(id, page)
      assert.isAtMost(read, 50 + 16)
    })
  )

  it.effect("keeps leases and sweeps going after a defect of the store", () =>
    Effect.gen(function* () {
      let renewals = 0
      let sweeps = 0
      const engine = yield* startEngine({
        scripts,
        store: (store) => ({
          renew: (lease) => Effect.suspend(() => (renewals++ === 0 ? Effect.die("defect") : store.renew(lease))),
          queueDue: Effect.suspend(() => (sweeps++ === 1 ? Effect.die("defect") : store.queueDue))
        })
      })
      const { id } = yield* engine.submit("long")
      yield* TestClock.adjust("4 seconds")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.attempt], ["completed", 1])
      yield* TestClock.adjust("20 seconds")
      assert.isAtLeast(renewals, 2)
      assert.isAtLeast(sweeps, 20)
    })
  )
})
