import { Cause, Clock, Data, Duration, Effect, Exit, Option } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { FarSideTimeout, type Measured, withReports } from "../../services/downstreams/Downstreams.ts"
import type { UsageRecorder } from "../usage/UsageRecorder.ts"
import type { Dispatcher, Place } from "./Dispatcher.ts"
import { Estimates } from "./Estimates.ts"
import { breakerOutcome, farSideErrorOf, outcomeOf } from "./FarSide.ts"
import type { Figures } from "./Figures.ts"

const unused: Measured = { millis: 0, tokens: 0, cost: 0 }
/** How long calls wait after the breaker turned one away because another is being tried. */
const probeMillis = 100

/** Not sent: the breaker has opened since the place was given. */
export class TurnedAway extends Data.TaggedError("TurnedAway")<{}> {}

const classified = (exit: Exit.Exit<Exit.Exit<unknown, unknown>>) =>
  breakerOutcome(Exit.isSuccess(exit) ? exit.value : exit)

export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

interface Parts {
  readonly name: string
  readonly dispatcher: Dispatcher
  readonly figures: Figures
  readonly usage: UsageRecorder["Service"]
}

/** Settles a try that has ended: what it used, what it says of the limit and of the breaker. */
const makeEnd = (
  { dispatcher, figures, name, usage }: Parts,
  estimates: Estimates,
  breaker: CircuitBreaker.CircuitBreaker | undefined
) => {
  /** Tells the dispatcher what the breaker makes of the try. */
  const followBreaker = Effect.fnUntraced(function* (exit: Exit.Exit<unknown, unknown>, now: number) {
    const wasClosed = dispatcher.breakerAt(now) === "closed"
    const error = farSideErrorOf(exit)
    if (breaker === undefined || (wasClosed && error === undefined)) return
    const state = yield* Effect.orElseSucceed(breaker.state(name), () => undefined)
    if (state?._tag === "Open") {
      dispatcher.breakerOpened(now + Duration.toMillis(state.retryAfter))
      const pause = Duration.format(state.retryAfter)
      yield* Effect.logWarning(`the downstream ${name} fails; nothing is sent for ${pause}`, error?.message ?? "")
    } else if (state?._tag === "Closed" && !wasClosed) {
      dispatcher.breakerClosed()
      yield* Effect.logInfo(`the downstream ${name} answers again`)
    }
  })

  return Effect.fnUntraced(function* (place: Place, exit: Exit.Exit<unknown, unknown>, reported: Measured) {
    const now = yield* Clock.currentTimeMillis
    const used = { ...reported, millis: now - place.givenAt }
    const outcome = outcomeOf(exit)
    const error = farSideErrorOf(exit)
    if (error !== undefined) figures.lastFailure = { at: now, message: error.message }
    const isAnswer = outcome === "answered" || outcome === "page_failed"
    if (error?._tag === "FarSideRefused") {
      figures.refused("far_side")
      dispatcher.refused(place, now, error.retryAfterMillis)
    } else if (isAnswer) {
      dispatcher.succeeded(place)
      estimates.learn(used)
    }
    yield* followBreaker(exit, now)
    place.settle(used)
    figures.ended(outcome, used.millis, used.tokens, used.cost)
    usage.add(place.waiter.tenant, name, {
      calls: isAnswer ? 1 : 0,
      downstreamMillis: used.millis,
      tokens: used.tokens,
      cost: used.cost
    })
  })
}

const makeBreaker = Effect.fnUntraced(function* ({ dispatcher }: Parts) {
  const { breaker } = dispatcher.settings.fixed
  if (breaker === false) return undefined
  return yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(breaker.failures),
    openDuration: breaker.open
  })
})

/** Tries of calls of one downstream: a try holds its place while it runs, and settles what it used. */
export const makeTries = Effect.fnUntraced(function* (parts: Parts) {
  const { dispatcher, name } = parts
  const { timeout } = dispatcher.settings.fixed
  const estimates = new Estimates()
  const breaker = yield* makeBreaker(parts)
  const end = makeEnd(parts, estimates, breaker)

  const timeOut = () =>
    Effect.fail(new FarSideTimeout({ detail: `no answer within ${Duration.format(Duration.millis(timeout.whole))}` }))

  /** The breaker let nothing through: the place is given back as if it was never had. */
  const turnedAway = (place: Place, { reason }: CircuitBreaker.CircuitBreakerError) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const millis = reason._tag === "CircuitOpen" ? Duration.toMillis(reason.retryAfter) : probeMillis
      dispatcher.breakerOpened(now + millis)
      place.settle(unused)
      return new TurnedAway()
    })

  /** Runs the call once in its place, and settles it in any case. To be run where it cannot be interrupted. */
  const run = Effect.fnUntraced(function* <A, E, R>(place: Place, call: Effect.Effect<A, E, R>, restore: Restore) {
    let reported = unused
    const attempt = call.pipe(
      withReports(({ cost = 0, tokens = 0 }) => {
        reported = { millis: 0, tokens: reported.tokens + tokens, cost: reported.cost + cost }
      }),
      Effect.timeoutOrElse({ duration: timeout.whole, orElse: timeOut }),
      Effect.withSpan("Downstreams.try", { attributes: { "downstream.name": name } }),
      // The breaker's own error is kept apart from those of the call, which may use a breaker, too.
      Effect.exit
    )
    const guarded =
      breaker === undefined ? attempt : breaker.execute(attempt, { key: name, classify: (exit) => classified(exit) })
    const outer = yield* Effect.exit(restore(guarded))
    if (Exit.isFailure(outer)) {
      const refusal = Cause.findErrorOption(outer.cause)
      if (Option.isSome(refusal)) return yield* yield* turnedAway(place, refusal.value)
      yield* end(place, outer, reported)
      return yield* Cause.hasInterruptsOnly(outer.cause) ? Effect.interrupt : Effect.die(Cause.squash(outer.cause))
    }
    yield* end(place, outer.value, reported)
    return yield* outer.value
  })

  return { estimates, run }
})
