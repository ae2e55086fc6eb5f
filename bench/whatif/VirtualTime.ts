import { Effect, Exit, Layer, Random, References, Scheduler, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"

/** Runs of the engine in which no time passes but its own, and chance is the same every time. */

/** Fibers take turns in microtasks: nothing waits for the event loop. */
const scheduler = () =>
  new Scheduler.MixedScheduler("async", (task) => {
    let wanted = true
    queueMicrotask(() => wanted && task())
    return () => {
      wanted = false
    }
  })

/**
 * Who moves the clock takes a turn of the event loop for each step, which lets signals and output through. By then nobody
 * is left who has anything to do at that moment, however many turns it takes them.
 */
const stepping = new Scheduler.MixedScheduler("async")

export const letPass = (millis: number) =>
  TestClock.adjust(millis).pipe(Effect.provideService(Scheduler.Scheduler, stepping))

/** Ids that are all different, and the same in every run. */
export const layerIds = Layer.sync(SecureRandom.SecureRandom, () => {
  let count = 0
  return SecureRandom.make((size) => {
    const bytes = new Uint8Array(Math.max(size, 6))
    new DataView(bytes.buffer).setUint32(bytes.length - 4, ++count)
    return bytes.subarray(bytes.length - size)
  })
})

/** Closes the scope while time goes on, because stopping an engine takes some. */
const closing = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const exit = yield* Effect.exit(Effect.provideService(effect, Scope.Scope, scope))
    const closed = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
    while (closed.pollUnsafe() === undefined) yield* letPass(1_000)
    return yield* exit
  })

/** Begins at 0, and is silent. */
export const inVirtualTime = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E> =>
  closing(effect).pipe(
    Effect.provide(TestClock.layer({ warningDelay: "1 hour" })),
    Random.withSeed("whatif"),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.provideService(References.TracerEnabled, false),
    Effect.provideService(Scheduler.Scheduler, scheduler())
  )
