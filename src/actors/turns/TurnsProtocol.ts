import { Schema } from "effect"
import { TenantId } from "../../domain/Ids.ts"
import { PoolName } from "../../services/pools/Pools.ts"

/** The number that a runner gives to a request for a turn, and to the turn that follows from it. It is never used again. */
export const TurnNumber = Schema.Int.pipe(Schema.brand("TurnNumber"))
export type TurnNumber = typeof TurnNumber.Type

/** A request for a turn of a worker, in whichever pool. */
export const TurnRequest = Schema.Struct({
  turn: TurnNumber,
  tenant: TenantId,
  weight: Schema.Number,
  priority: Schema.Number,
  estimatedMillis: Schema.Number,
  isNewcomer: Schema.Boolean,
  /** Pools that have the document open, and are preferred. */
  pools: Schema.Array(PoolName),
  /** Other pools may have the turn, too: what they read is worth that they fetch and open the document. */
  anywhere: Schema.Boolean
})
export type TurnRequest = typeof TurnRequest.Type

/** A turn that was given, in a pool. */
export const GivenTurn = Schema.Struct({ turn: TurnNumber, pool: PoolName })
export type GivenTurn = typeof GivenTurn.Type

/**
 * What a runner says: as the home of tenants, which turns they ask for and which have ended; as a pool, how many workers it has.
 * It says what has changed since its last news, which have the number before. News that do not follow the last ones heard are
 * not taken, but the runner is asked to say everything. So it does not matter whether news are lost, repeated or late.
 */
export const News = Schema.Struct({
  runner: PoolName,
  /** Grows by one. */
  number: Schema.Int,
  /** These are all requests and all turns that the runner has. */
  isComplete: Schema.Boolean,
  /** Workers, busy or not, that may be given turns. */
  ready: Schema.Natural,
  /** The weight of all tenants of this runner with documents open, or waiting to be opened. */
  openWeight: Schema.Number,
  asked: Schema.Array(TurnRequest),
  /** Turns that it has, if these news are complete. */
  held: Schema.Array(Schema.Struct({ request: TurnRequest, pool: PoolName })),
  /** Turns that have ended after so much time of a worker; also requests that were withdrawn. */
  ended: Schema.Array(Schema.Struct({ turn: TurnNumber, usedMillis: Schema.Number }))
})
export type News = typeof News.Type

/** The answer to news. It comes when there is something to tell, or after half a second. */
export const Answer = Schema.Struct({
  /** If not, the runner has to say everything. */
  isKnown: Schema.Boolean,
  given: Schema.Array(GivenTurn),
  /** Turns whose pool has fallen silent. They have ended. */
  lost: Schema.Array(TurnNumber),
  /** Workers of all pools. */
  turns: Schema.Natural,
  /** How the runner's tenants stand to those of all runners. */
  standing: Schema.Struct({
    floor: Schema.Number,
    due: Schema.Number,
    virtualTimes: Schema.Array(Schema.Struct({ tenant: TenantId, virtualTime: Schema.Number }))
  })
})
export type Answer = typeof Answer.Type
