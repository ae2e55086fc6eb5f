import { Context, Effect, Layer, PubSub, type Scope, Stream } from "effect"
import type { IngestEvent } from "../domain/Event.ts"

/**
 * Events of documents, for those that are subscribed at the moment. The store holds the truth; an event is only a notification.
 */
export class Events extends Context.Service<
  Events,
  {
    readonly publish: (event: IngestEvent) => Effect.Effect<void>
    /** Subscribes from now on: events published before the stream is run are not missed. */
    readonly subscribe: Effect.Effect<Stream.Stream<IngestEvent>, never, Scope.Scope>
    /** Calls the listener with every event, within `publish`, until the scope ends. It has to be quick, and not to throw. */
    readonly listen: (listener: (event: IngestEvent) => void) => Effect.Effect<void, never, Scope.Scope>
  }
>()("sluice/services/Events") {
  /** In this process. A subscriber that falls behind by more than `capacity` events loses the oldest. */
  static readonly layer = (capacity = 4096) =>
    Layer.effect(
      Events,
      Effect.gen(function* () {
        const pubsub = yield* PubSub.sliding<IngestEvent>(capacity)
        yield* Effect.addFinalizer(() => PubSub.shutdown(pubsub))
        const listeners = new Set<(event: IngestEvent) => void>()
        return Events.of({
          publish: (event) =>
            Effect.suspend(() => {
              for (const listener of listeners) listener(event)
              return Effect.asVoid(PubSub.publish(pubsub, event))
            }),
          subscribe: Effect.map(PubSub.subscribe(pubsub), Stream.fromSubscription),
          listen: (listener) =>
            Effect.asVoid(
              Effect.acquireRelease(
                Effect.sync(() => listeners.add(listener)),
                () => Effect.sync(() => listeners.delete(listener))
              )
            )
        })
      })
    )
}
