/** Turns of the workers of all runners, for the tenants of this one. */
import { Clock, Deferred, Effect, Layer, Queue, Semaphore } from "effect"
import { PdfEngine, PdfEngineError, PoolLost } from "../../services/PdfEngine.ts"
import type { Pool, PoolName } from "../../services/pools/Pools.ts"
import { FairShares, type Shares } from "../scheduling/FairShares.ts"
import { makePageScheduler, PageScheduler } from "../scheduling/PageScheduler.ts"
import { turnMillis } from "../scheduling/RangeSizer.ts"
import type { Ticket, Turn, TurnSource } from "../scheduling/Turn.ts"
import { OpenPlaces, type Places } from "./OpenPlaces.ts"
import { RunnerTurns } from "./RunnerTurns.ts"
import { Turns } from "./Turns.ts"
import type { TurnNumber, TurnRequest } from "./TurnsProtocol.ts"

/** Longer than an answer takes. A call to a runner that is frozen would hang; the next goes to where the actor is then. */
const callTimeout = "2 seconds"
const restAfterFailure = "100 millis"
/** One call waits for its answer. Another brings later news, and ends the wait. */
const mostCalls = 2

interface Surroundings {
  readonly own: RunnerTurns
  readonly runner: PoolName
  /** Workers of this runner. */
  readonly ownTurns: number
  readonly shares: Shares
  readonly places: Places
  readonly clock: Clock.Clock
  /** There are news. */
  readonly signal: () => void
}

class Source implements TurnSource {
  readonly #around: Surroundings
  #open = true

  constructor(around: Surroundings) {
    this.#around = around
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** More than there are, if some are with other runners: when one ends, the next request is known already. */
  readonly turns = () => {
    const { own, ownTurns } = this.#around
    return own.turns > ownTurns ? own.turns + Math.ceil(own.turns / 3) : own.turns
  }

  /** Longer with other runners: a turn costs messages between them, and among more workers one is free sooner. */
  readonly turnMillis = () => (this.#around.own.turns > this.#around.ownTurns ? 3 : 1) * turnMillis

  readonly ask = (turn: Turn, give: (pool: Pool | undefined) => void): Ticket => {
    const { own, runner, signal } = this.#around
    const request = this.#request(turn, own.nextNumber())
    let lost: Pool["lost"] | undefined
    own.ask({
      request,
      give: (name) => {
        if (name === runner) return give(undefined)
        lost = Deferred.makeUnsafe()
        give({ name, lost })
      },
      lose: (pool) => {
        const reason = new PoolLost({ pool, detail: "it has not been heard of" })
        if (lost !== undefined) Deferred.doneUnsafe(lost, Effect.fail(new PdfEngineError({ reason })))
      }
    })
    if (!this.#open) own.giveUp()
    signal()
    const end = (usedMillis: number) => {
      own.end(request.turn, usedMillis)
      signal()
    }
    return { withdraw: () => end(0), end }
  }

  readonly close = () => {
    this.#open = false
    this.#around.own.giveUp()
    this.#around.signal()
  }

  #request(turn: Turn, number: TurnNumber): TurnRequest {
    const { clock, places, shares } = this.#around
    const { document, estimatedMillis, isNewcomer, priority, tenant } = turn
    return {
      turn: number,
      tenant,
      weight: shares.weight(tenant),
      priority,
      estimatedMillis,
      isNewcomer: isNewcomer === true,
      pools: document === undefined ? [] : places.of(document.key),
      anywhere:
        document !== undefined && places.mayGoOn(document.key, document.millisLeft, clock.currentTimeMillisUnsafe())
    }
  }
}

/**
 * Asks for turns of all runners' workers, and tells how many workers this one has. After the close it offers none.
 *
 * The local shares are those of all runners, as of the last answer, with what has been used here since.
 */
export const layer = Layer.effect(
  PageScheduler,
  Effect.gen(function* () {
    const turns = yield* Turns
    const engine = yield* PdfEngine
    const shares = yield* FairShares
    const places = yield* OpenPlaces
    const clock = yield* Clock.Clock
    const own = new RunnerTurns(turns.runner, shares, engine.capacity)
    const news = yield* Queue.sliding<void>(1)
    const calls = yield* Semaphore.make(mostCalls)
    const signal = () => void Queue.offerUnsafe(news, undefined)
    const source = new Source({ own, runner: turns.runner, ownTurns: engine.capacity, shares, places, clock, signal })
    let underWay = 0
    let ready = -1

    const call = Effect.suspend(() => {
      ready = source.isOpen ? Math.min(engine.capacity, engine.ready()) : 0
      const said = own.news(ready)
      underWay++
      return turns.take(said).pipe(
        Effect.timeout(callTimeout),
        Effect.map((answer) => own.answered(said.number, answer)),
        Effect.catch(() =>
          Effect.andThen(
            Effect.sync(() => own.failed()),
            Effect.sleep(restAfterFailure)
          )
        ),
        Effect.ensuring(
          Effect.suspend(() => {
            underWay--
            // There is always a call under way, by which this runner is heard of, and hears of its turns.
            if (underWay === 0 || own.hasNews) signal()
            return calls.release(1)
          })
        )
      )
    })

    yield* Effect.gen(function* () {
      for (;;) {
        yield* Queue.take(news)
        yield* calls.take(1)
        // What ends and what begins at the same moment is said together.
        yield* Effect.yieldNow
        yield* Effect.forkScoped(call)
      }
    }).pipe(Effect.forkScoped)
    yield* engine.onReady(() => {
      if (engine.ready() !== ready) signal()
    })
    signal()
    return makePageScheduler(source)
  })
)
