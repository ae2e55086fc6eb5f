/** The turns of all runners in a simulated cluster, and the ways between runners. */
import { Clock, Effect, Exit, Layer, Scope, Stream } from "effect"
import { GlobalGate } from "../../src/actors/gates/GlobalGate.ts"
import { FairShares, type Shares, type Standing } from "../../src/actors/scheduling/FairShares.ts"
import { OpenPlaces } from "../../src/actors/turns/OpenPlaces.ts"
import * as PooledPdfEngine from "../../src/actors/turns/PooledPdfEngine.ts"
import * as SharedTurns from "../../src/actors/turns/SharedTurns.ts"
import type { TurnLedger } from "../../src/actors/turns/TurnLedger.ts"
import { Turns } from "../../src/actors/turns/Turns.ts"
import { makeTurnsActor, type TurnsActor } from "../../src/actors/turns/TurnsActor.ts"
import type { News } from "../../src/actors/turns/TurnsProtocol.ts"
import { BlobStore } from "../../src/services/BlobStore.ts"
import { type PdfEngine, PdfEngineError, PoolLost } from "../../src/services/PdfEngine.ts"
import { CurrentPool, PoolName, Pools, type RemotePdf } from "../../src/services/pools/Pools.ts"
import { Dice } from "./Dice.ts"
import type { History } from "./History.ts"
import type { Process } from "./SimulatedStore.ts"

/** A new actor is told all within this time: what was said to the one before is given up after two seconds. */
const settledAfterMillis = 6_000

interface Member {
  readonly process: Process
  readonly reader: PdfEngine["Service"]
}

export const makeSimulatedTurns = Effect.fnUntraced(function* (options: {
  readonly seed: string
  readonly history: History
  readonly ledger: ((shares: Shares, now: number) => TurnLedger) | undefined
}) {
  const { history } = options
  const scope = yield* Effect.scope
  const dice = new Dice(`turns ${options.seed}`)
  const members = new Map<PoolName, Member>()
  let saved: Standing | undefined
  let disturbed = { until: 0, share: 0 }
  let unsettledUntil = 0

  const begin = Effect.gen(function* () {
    const own = yield* Scope.fork(scope)
    const actor = yield* makeTurnsActor({
      ...(saved !== undefined && { saved }),
      ...(options.ledger !== undefined && { makeLedger: options.ledger }),
      save: (standing) =>
        Effect.sync(() => {
          saved = standing
        })
    }).pipe(Effect.provideService(Scope.Scope, own))
    return { actor, own }
  })
  let current: { readonly actor: TurnsActor; readonly own: Scope.Closeable } | undefined = yield* begin

  const move = Effect.fnUntraced(function* (millis: number) {
    if (current === undefined) return
    const lost = current
    current = undefined
    unsettledUntil = Number.POSITIVE_INFINITY
    yield* Scope.close(lost.own, Exit.void)
    yield* Effect.sleep(millis)
    current = yield* begin
    unsettledUntil = (yield* Clock.currentTimeMillis) + settledAfterMillis
    history.note("another gives the turns")
  })

  /** What is not answered is given up by the one who asked. */
  const take = Effect.fnUntraced(function* (process: Process, news: News) {
    const to = current
    const now = yield* Clock.currentTimeMillis
    if (to === undefined || !process.alive) return yield* Effect.never
    const isDisturbed = now < disturbed.until && dice.chance(disturbed.share)
    const how = isDisturbed ? dice.pick(["lost", "unanswered", "repeated", "late"]) : "well"
    if (how !== "well") unsettledUntil = Math.max(unsettledUntil, now + settledAfterMillis)
    if (how === "lost") return yield* Effect.never
    if (how === "late") yield* Effect.sleep(dice.int(1, 1_500))
    if (how === "repeated") {
      const again = Effect.delay(
        Effect.suspend(() => to.actor.take(news)),
        dice.int(0, 3_000)
      )
      yield* Effect.forkIn(again, scope)
    }
    const answer = yield* to.actor.take(news)
    return how === "unanswered" || current !== to ? yield* Effect.never : answer
  })

  const lost = (pool: PoolName) =>
    new PdfEngineError({ reason: new PoolLost({ pool, detail: "its process has ended" }) })

  /** A connection that breaks is noticed at once in some runs, and in others only because the runner is silent. */
  const breaks = dice.chance(0.5)
  const ofMember = <A>(pool: PoolName, use: (member: Member) => A): Effect.Effect<A, PdfEngineError> =>
    Effect.suspend(() => {
      const member = members.get(pool)
      return member?.process.alive === true ? Effect.succeed(use(member)) : Effect.fail(lost(pool))
    })
  const watched = (pool: PoolName): Effect.Effect<never, PdfEngineError> =>
    breaks
      ? Effect.andThen(
          Effect.sleep("50 millis"),
          Effect.suspend(() => (members.get(pool)?.process.alive === true ? watched(pool) : Effect.fail(lost(pool))))
        )
      : Effect.never

  const poolsOf = (blobs: BlobStore["Service"]): Pools["Service"] => {
    const refOf = ({ hash, key, password }: RemotePdf, pool: PoolName) =>
      blobs.locate(hash).pipe(
        Effect.map((location) => ({ key, password, location: { ...location, hash } })),
        Effect.mapError(() => lost(pool))
      )
    return Pools.of({
      open: (pool, pdf, head) =>
        Effect.scoped(
          Effect.gen(function* () {
            const { reader } = yield* ofMember(pool, (member) => member)
            return yield* reader.open(yield* refOf(pdf, pool), head)
          })
        ).pipe(Effect.provideService(CurrentPool, undefined), Effect.raceFirst(watched(pool))),
      read: (pool, pdf, pages, concurrency) =>
        Stream.unwrap(
          Effect.gen(function* () {
            const { reader } = yield* ofMember(pool, (member) => member)
            history.note(`${pages.length} pages are read by ${pool}`)
            return reader.read(yield* refOf(pdf, pool), pages, concurrency)
          })
        ).pipe(Stream.provideService(CurrentPool, undefined), Stream.interruptWhen(watched(pool))),
      close: (pool, key) => Effect.ignore(Effect.flatten(ofMember(pool, ({ reader }) => reader.close(key))))
    })
  }

  /** The scheduling of one runner. */
  const join = (process: Process, reader: PdfEngine["Service"]) => {
    const runner = PoolName.make(process.name)
    members.set(runner, { process, reader })
    return Layer.merge(SharedTurns.layer, GlobalGate.layer).pipe(
      Layer.provideMerge(FairShares.layer),
      Layer.provideMerge(PooledPdfEngine.layer),
      Layer.provide([OpenPlaces.layer, Layer.effect(Pools, Effect.map(BlobStore, poolsOf))]),
      Layer.provide(Layer.succeed(Turns, { runner, take: (news) => take(process, news) }))
    )
  }

  return {
    join,
    move,
    disturb: (share: number, until: number) => {
      disturbed = { share, until }
    },
    /** What gives turns may not know of all turns that are held. */
    areUnsettled: (now: number) => now < unsettledUntil
  }
})
