import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { soundDocument } from "../../src/services/PdfEngineScripted.ts"
import { acme, makeWorld, until, words } from "../support/engine.ts"

describe("two engines over one store", () => {
  it.effect("read what the other gave back when it stopped", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts: { long: soundDocument(40, "1 second") } })
      const first = yield* world.start
      yield* world.start
      const { id } = yield* words(first.ingestion).submit("long")
      yield* until(Effect.map(world.store.find(acme, id), ({ progress }) => progress.done > 3))
      yield* Effect.forkChild(first.stop, { startImmediately: true })
      yield* until(
        Effect.map(world.store.find(acme, id), ({ status }) => status === "completed"),
        "1 second"
      )
      assert.strictEqual((yield* world.store.find(acme, id)).attempt, 2)
    })
  )
})
