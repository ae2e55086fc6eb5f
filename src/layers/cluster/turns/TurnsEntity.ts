/** The actor that gives turns as an entity of the cluster: there is one, in one of the runners. */
import { Effect, Layer } from "effect"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Entity from "effect/cluster/Entity"
import { Sharding } from "effect/cluster/Sharding"
import * as Rpc from "effect/rpc/Rpc"
import { Turns, TurnsUnavailable } from "../../../actors/turns/Turns.ts"
import { makeTurnsActor } from "../../../actors/turns/TurnsActor.ts"
import { Answer, News } from "../../../actors/turns/TurnsProtocol.ts"
import { OwnPool } from "./OwnPool.ts"
import { makeSavedShares } from "./SavedShares.ts"

/** A runner that stops does not wait for answers that come only when there is something to tell. */
const Take = Rpc.make("Take", { payload: News.fields, success: Answer }).annotate(
  ClusterSchema.InterruptOnTermination,
  true
)

const TurnsEntity = Entity.make("Turns", [Take])
const theOne = "all"

/** Two calls of each runner. */
const mailboxCapacity = 4_096

const entity = Effect.gen(function* () {
  const shares = yield* makeSavedShares
  const saved = yield* shares.read.pipe(
    Effect.timeout("3 seconds"),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logWarning("the shares of tenants cannot be read, and begin anew", cause), undefined)
    )
  )
  const write = shares.makeSave()
  const actor = yield* makeTurnsActor({
    ...(saved !== undefined && { saved }),
    save: (standing) => Effect.ignoreCause(write(standing), { log: "Debug" })
  })
  yield* Effect.logInfo("turns of all runners are given here")
  return TurnsEntity.of({ Take: ({ payload }) => actor.take(payload) })
})

export const layer = Layer.effect(
  Turns,
  Effect.gen(function* () {
    const sharding = yield* Sharding
    const runner = yield* OwnPool
    yield* sharding.registerEntity(TurnsEntity, entity, {
      concurrency: "unbounded",
      disableFatalDefects: true,
      mailboxCapacity
    })
    const { Take } = (yield* TurnsEntity.client)(theOne)
    return Turns.of({
      runner,
      take: (news) =>
        Take(news).pipe(Effect.catchCause((cause) => Effect.fail(new TurnsUnavailable({ detail: String(cause) }))))
    })
  })
)
