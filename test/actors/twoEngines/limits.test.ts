import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { acme, makeWorld, words } from "../../support/engine.ts"

describe("Two engines over one store", () => {
  it.effect("run together no more documents of a tenant than it may have", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        scripts: { long: soundDocument(400, "100 millis") },
        tenants: { [acme]: { documents: 2 } },
        capacity: 8
      })
      const engines = [yield* world.start, yield* world.start]
      for (const { ingestion } of engines) for (let n = 0; n < 4; n++) yield* words(ingestion).submit("long")
      for (let step = 0; step < 40; step++) {
        yield* TestClock.adjust("50 millis")
        assert.isAtMost((yield* world.store.stats(acme)).running, 2)
      }
      assert.strictEqual((yield* world.store.stats(acme)).running, 2)
    })
  )

  it.effect("both follow a change of limits that one of them was told of", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        scripts: { long: soundDocument(400, "100 millis") },
        tenants: { [acme]: { documents: 1 } },
        separateRegistries: true,
        capacity: 8
      })
      const one = yield* world.start
      const other = yield* world.start
      for (let n = 0; n < 6; n++) yield* words(other.ingestion).submit("long")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* world.store.stats(acme)).running, 1)
      yield* one.ingestion.setLimits(acme, { documents: 3 })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* other.ingestion.tenant(acme)).limits.documents, 3)
      assert.strictEqual((yield* world.store.stats(acme)).running, 3)
    })
  )
})
