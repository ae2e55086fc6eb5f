import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { isTerminal } from "../../../src/domain/document/Document.ts"
import type { IngestEvent } from "../../../src/domain/Event.ts"
import { type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { letPass, makeWorld, tenant, until, words } from "../../support/engine.ts"
import { ahead } from "../../support/clock.ts"

/** Numbers from 0 to below 1 that depend on the seed alone (mulberry32). */
const numbersFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const twenty = soundDocument(20, "30 millis")
const scripts: Record<string, ScriptedDocument> = {
  sound: twenty,
  single: soundDocument(1, "5 millis"),
  deadly: { ...twenty, page: (page, before) => (page === 7 ? { _tag: "Death" } : twenty.page(page, before)) },
  hangs: { ...twenty, page: (page, before) => (page === 3 ? { _tag: "Hang" } : twenty.page(page, before)) }
}
const kinds = Object.keys(scripts)
const owners = ["a", "b", "c", "d"].map(tenant)

describe("an engine over a store that takes its time", () => {
  for (let seed = 1; seed <= 12; seed++) {
    it.effect(`brings every document to one end, through cancels, lost leases and a restart (seed ${seed})`, () =>
      Effect.gen(function* () {
        const random = numbersFrom(seed)
        const below = (limit: number) => Math.floor(random() * limit)
        const rest = Effect.suspend(() => Effect.sleep(Duration.millis(below(25))))
        /** The request takes its time, and so does the answer: an interruption may fall on either. */
        const slow =
          <Args extends ReadonlyArray<unknown>, A, E>(call: (...args: Args) => Effect.Effect<A, E>) =>
          (...args: Args): Effect.Effect<A, E> =>
            rest.pipe(
              Effect.andThen(Effect.suspend(() => call(...args))),
              Effect.tap(() => rest)
            )
        const world = yield* makeWorld({
          scripts,
          capacity: 3,
          limits: {
            tenantDocuments: 2,
            globalDocuments: 5,
            pageTimeout: Duration.seconds(1),
            shutdownGrace: Duration.millis(200)
          },
          store: (store) => ({
            accept: slow(store.accept),
            cancel: slow(store.cancel),
            claim: slow(store.claim),
            finish: slow(store.finish),
            opened: slow(store.opened),
            release: slow(store.release),
            renew: slow(store.renew),
            savePages: slow(store.savePages)
          })
        })
        const ends = new Map<string, number>()
        const live = yield* world.events.subscribe
        const note = (event: IngestEvent) =>
          Effect.sync(() => {
            if (event._tag === "DocumentEnded") ends.set(event.documentId, (ends.get(event.documentId) ?? 0) + 1)
          })
        yield* Effect.forkChild(Stream.runForEach(live, note))

        let engine = yield* world.start
        const documents: Array<{ readonly id: string; readonly cancelled: boolean }> = []
        const story = Effect.gen(function* () {
          for (let n = 0; n < 40; n++) {
            const owner = owners[below(owners.length)] ?? tenant("a")
            const { id } = yield* words(engine.ingestion).submit(kinds[below(kinds.length)] ?? "sound", owner)
            const cancelled = below(4) === 0
            if (cancelled) yield* Effect.delay(engine.ingestion.cancel(owner, id), Duration.millis(below(800)))
            documents.push({ id, cancelled })
            if (below(10) === 0) yield* ahead(60_000, world.store.reclaimExpired)
            if (n === 20) {
              yield* engine.stop
              engine = yield* world.start
            }
          }
        })
        yield* letPass(yield* Effect.forkChild(story), "7 millis")
        yield* until(
          Effect.map(world.store.stats(), ({ running, waiting }) => running + waiting === 0),
          "100 millis"
        )
        yield* TestClock.adjust("15 seconds")

        for (const owner of owners) {
          for (const document of yield* world.store.list(owner, { status: undefined, before: undefined, limit: 100 })) {
            assert.isTrue(isTerminal(document.status))
            assert.strictEqual(ends.get(document.id), 1, `${document.id} ${document.status} ${document.attempt}`)
            if (document.status !== "cancelled") assert.strictEqual(document.progress.done, document.progress.pages)
          }
        }
        assert.deepStrictEqual([documents.length, ends.size], [40, 40])
        const held = [yield* world.gateInUse("tenant"), yield* world.gateInUse("global"), world.scripted.working()]
        assert.deepStrictEqual(held, [0, 0, 0])
      })
    )
  }
})
