import { Clock, Deferred, Effect } from "effect"
import type { CallOptions, DownstreamFailure } from "../../services/downstreams/Downstreams.ts"
import type { Dispatcher, Place, Waiter } from "./Dispatcher.ts"
import type { Figures } from "./Figures.ts"
import type { makeTries } from "./Tries.ts"

/** A call as it asks for a place. */
export interface Asking extends Pick<Waiter, "tenant" | "class" | "priority" | "cap"> {
  readonly estimate: CallOptions["estimate"]
}

type Tries = Effect.Success<ReturnType<typeof makeTries>>

/** The call is withdrawn; a place that it got at the same moment is given back. */
const abandon = (waiter: Waiter) =>
  Effect.suspend(() => {
    waiter.withdraw()
    if (!Deferred.isDoneUnsafe(waiter.given)) return Effect.void
    return Effect.match(Deferred.await(waiter.given), {
      onFailure: () => {},
      onSuccess: (place) => place.settle({ millis: 0, tokens: 0, cost: 0 })
    })
  })

/** Runs effects in places. Waiting and the effect may be interrupted, and nothing in between. */
export const makeInPlace =
  (dispatcher: Dispatcher, figures: Figures, { estimates, run }: Tries) =>
  <A, E, R>(asking: Asking, effect: Effect.Effect<A, E, R>) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const askedAt = yield* Clock.currentTimeMillis
        if (dispatcher.refusesNow(askedAt)) return yield* dispatcher.failure(askedAt)
        const { maxWait, queue } = dispatcher.settings.now
        if (dispatcher.places.waiting >= queue) return yield* dispatcher.queueFull()
        const waiter: Waiter = {
          ...asking,
          estimate: estimates.of(asking.estimate),
          until: askedAt + maxWait,
          given: Deferred.makeUnsafe<Place, DownstreamFailure>(),
          withdraw: () => {}
        }
        dispatcher.add(waiter)
        const place = yield* restore(
          Effect.timeoutOrElse(Deferred.await(waiter.given), {
            duration: maxWait,
            orElse: () => Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(dispatcher.failure(now)))
          })
        ).pipe(Effect.onError(() => abandon(waiter)))
        figures.waited(asking.class, place.givenAt - askedAt)
        return yield* run(place, effect, restore)
      })
    )
