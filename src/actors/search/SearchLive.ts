// Searches have places of their own: what has none soon is refused at once, and what takes too long is given up.
import { Cause, Clock, Duration, Effect, Exit, Layer, Metric, Option, Semaphore } from "effect"
import * as Telemetry from "../../observability/Telemetry.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { SearchAnswer, SearchRequest } from "../../domain/search/Search.ts"
import { makeFindChunks } from "./FindChunks.ts"
import { OnlineLoad } from "./OnlineLoad.ts"
import { Search, SearchBusy, type SearchError, type SearchSettings, SearchTooLate } from "./SearchProtocol.ts"

const outcomeOf = (exit: Exit.Exit<SearchAnswer, SearchError>): Telemetry.SearchOutcome => {
  if (Exit.isSuccess(exit)) return exit.value.degraded.length > 0 ? "degraded" : exit.value.mode
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  return error?._tag === "SearchBusy" ? "busy" : error?._tag === "SearchTooLate" ? "late" : "failed"
}

const make = Effect.fnUntraced(function* (settings: SearchSettings) {
  const inPlace = yield* makeFindChunks
  const places = Semaphore.makeUnsafe(settings.places)
  const load = new OnlineLoad(settings.places, Duration.toMillis(settings.longestWait))

  /** Runs the search in a place. It is refused if it gets none in time, and at once if that is to be expected. */
  const placed = <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const busy = () => Effect.fail(new SearchBusy({ retryAfterSeconds: load.secondsUntilFree }))
      if (!load.enter()) return busy()
      let isWaiting = true
      const leave = Effect.sync(() => {
        if (isWaiting) load.leave()
        isWaiting = false
      })
      const timed = Effect.flatMap(Clock.currentTimeMillis, (start) =>
        Effect.ensuring(
          work,
          Effect.map(Clock.currentTimeMillis, (end) => load.took(end - start))
        )
      )
      const tooLong = Effect.sleep(settings.longestWait).pipe(
        Effect.andThen(Effect.suspend(() => (isWaiting ? busy() : Effect.never)))
      )
      return Effect.raceFirst(places.withPermit(Effect.andThen(leave, timed)), tooLong).pipe(Effect.ensuring(leave))
    })

  const search = Effect.fn("Search.search")(function* (
    tenant: TenantId,
    request: SearchRequest,
    deadline: Duration.Duration = settings.longest
  ) {
    const millis = Math.min(Duration.toMillis(deadline), Duration.toMillis(settings.longest))
    const began = yield* Clock.currentTimeMillis
    const left = Effect.map(Clock.currentTimeMillis, (now) => Duration.millis(Math.max(0, began + millis - now)))
    const answered = placed(Effect.flatMap(left, (within) => inPlace(tenant, request, within)))
    return yield* Effect.timeoutOrElse(answered, {
      duration: Duration.millis(millis),
      orElse: () => Effect.fail(new SearchTooLate({ millis }))
    }).pipe(
      Effect.onExit((exit) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Metric.update(Telemetry.searchDuration.of(outcomeOf(exit)), Duration.millis(now - began))
        )
      )
    )
  })
  return { search }
})

export const layer = (settings: SearchSettings) => Layer.effect(Search, make(settings))
