import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Tracer } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import * as Outbox from "../../src/actors/webhooks/Outbox.ts"
import { CallbackSender } from "../../src/services/CallbackSender.ts"
import * as SecretsMemory from "../../src/services/secrets/SecretsMemory.ts"
import { startEngine } from "../support/engine.ts"
import { storeContext } from "../support/store.ts"

/** The names of all spans that begin. */
const recorded = () => {
  const names: Array<string> = []
  const tracer = Tracer.make({
    span: (options) => {
      names.push(options.name)
      return new Tracer.NativeSpan(options)
    }
  })
  return { names, layer: Layer.succeed(Tracer.Tracer, tracer) }
}

describe("An engine with nothing to do", () => {
  it.effect("makes no spans, and again when it has something to do", () => {
    const { layer, names } = recorded()
    return Effect.gen(function* () {
      const engine = yield* startEngine()
      yield* Layer.build(Outbox.layer).pipe(
        Effect.provide(storeContext(engine.store)),
        Effect.provide([
          SecretsMemory.layerMemory,
          SecureRandom.layerWebCrypto,
          Layer.succeed(CallbackSender, { send: () => Effect.die("nothing is owed") })
        ])
      )
      yield* TestClock.adjust("3 hours")
      assert.deepStrictEqual(names, [])
      yield* engine.submit("sound")
      yield* TestClock.adjust("1 minute")
      assert.include(names, "DocumentActor.run")
      names.length = 0
      yield* TestClock.adjust("3 hours")
      assert.deepStrictEqual(names, [])
    }).pipe(Effect.provide(layer))
  })
})
