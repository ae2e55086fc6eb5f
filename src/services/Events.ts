import { Context, Effect, Layer, PubSub, type Scope, Stream } from "effect"
import type { IngestEvent } from "../domain/Event.ts"

/** What happens to documents, told to whoever listens at the moment. The store is the truth; an event is only news. */
export class Events extends Context.Service<
  Events,
  {
    readonly publish: (event: IngestEvent) => Effect.Effect<void>
    /** Listens from now on: what is published before the stream is run is not missed. */
    readonly subscribe: Effect.Effect<Stream.Stream<IngestEvent>, never, Scope.Scope>
  }
>()("sluice/services/Events") {
  /** In this process. A subscriber that falls behind by more than `capacity` events loses the oldest. */
  static readonly layer = (capacity = 4096) =>
    Layer.effect(
      Events,
      Effect.gen(function* () {
        const pubsub = yield* PubSub.sliding<IngestEvent>(capacity)
        yield* Effect.addFinalizer(() => PubSub.shutdown(pubsub))
        return Events.of({
          publish: (event) => Effect.asVoid(PubSub.publish(pubsub, event)),
          subscribe: Effect.map(PubSub.subscribe(pubsub), Stream.fromSubscription)
        })
      })
    )
}
