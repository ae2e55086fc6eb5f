/**
 * The actor that gives turns of the workers of all runners. There is one; where it lives, and how news reach it, is the business
 * of the layer that runs it.
 *
 * When it is lost, no turns are given until another is built: runners go on with the turns they have. The new one is told all
 * that they ask for and hold, and gives the first turn when it is a second old. Virtual times are saved every second, so that
 * the shares of at most a second are forgotten.
 */
import { Clock, Deferred, Effect, Schedule } from "effect"
import type { PoolName } from "../../services/pools/Pools.ts"
import { Shares, type Standing } from "../scheduling/FairShares.ts"
import { TurnLedger } from "./TurnLedger.ts"
import type { Answer, News } from "./TurnsProtocol.ts"

/** The longest time without an answer. */
const longestPoll = "500 millis"
const tickInterval = "250 millis"
const saveInterval = "1 second"

export interface TurnsActorOptions {
  /** Virtual times that an earlier actor has saved. */
  readonly saved?: Standing
  /** In place of `TurnLedger`, for tests of what finds its faults. */
  readonly makeLedger?: (shares: Shares, now: number) => TurnLedger
  /** It may fail: the times are saved again with the next. */
  readonly save?: (standing: Standing) => Effect.Effect<void>
}

const unknown: Answer = {
  isKnown: false,
  given: [],
  lost: [],
  turns: 0,
  standing: { floor: 0, due: 0, virtualTimes: [] }
}

/** Its loops end with the scope. */
export const makeTurnsActor = Effect.fnUntraced(function* ({ makeLedger, save, saved }: TurnsActorOptions = {}) {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const shares = new Shares()
  if (saved !== undefined) shares.adopt(saved)
  const ledger = makeLedger?.(shares, now()) ?? new TurnLedger(shares, now())
  /** Runners whose latest news are not answered yet. `true`: there is something to tell. */
  const polls = new Map<PoolName, Deferred.Deferred<boolean>>()

  const give = () => {
    ledger.give(now())
    for (const runner of ledger.toTell()) {
      const poll = polls.get(runner)
      if (poll !== undefined) Deferred.doneUnsafe(poll, Effect.succeed(true))
    }
  }

  const tick = Effect.sync(() => {
    ledger.tick(now())
    give()
  })
  yield* Effect.forkScoped(Effect.repeat(tick, Schedule.spaced(tickInterval)))
  if (save !== undefined) {
    const saving = Effect.suspend(() => save(ledger.standing()))
    yield* Effect.forkScoped(Effect.repeat(saving, Schedule.spaced(saveInterval)))
  }

  const take = (news: News): Effect.Effect<Answer> =>
    Effect.suspend(() => {
      const { runner } = news
      const isKnown = ledger.hear(news, now())
      const earlier = polls.get(runner)
      if (earlier !== undefined) Deferred.doneUnsafe(earlier, Effect.succeed(false))
      if (!isKnown) return Effect.succeed(unknown)
      const poll = Deferred.makeUnsafe<boolean>()
      polls.set(runner, poll)
      give()
      return Deferred.await(poll).pipe(
        Effect.timeoutOrElse({ duration: longestPoll, orElse: () => Effect.succeed(true) }),
        // Only the latest call is told anything: the runner may have given up an earlier one.
        Effect.map((isLatest) =>
          isLatest && polls.get(runner) === poll ? ledger.tell(runner) : ledger.standingOf(runner)
        ),
        Effect.ensuring(Effect.sync(() => polls.get(runner) === poll && polls.delete(runner)))
      )
    })

  return { take }
})
export type TurnsActor = Effect.Success<ReturnType<typeof makeTurnsActor>>
