import { Effect, Layer, Schema } from "effect"
import { Sharding } from "effect/cluster/Sharding"
import { RunnerId } from "../../domain/Ids.ts"
import { type RunnerEntry, RunnerRegister } from "../../services/runners/RunnerRegister.ts"
import type { ClusterSettings } from "../config/ClusterConfig.ts"
import { type Member, Membership } from "./Membership.ts"
import { shardsHere } from "./ShardWatch.ts"

const State = Schema.fromJsonString(
  Schema.Struct({
    id: RunnerId,
    startedAt: Schema.Number,
    tenants: Schema.Natural,
    documents: Schema.Natural,
    permits: Schema.Natural,
    workers: Schema.Natural,
    capacity: Schema.Natural,
    shards: Schema.optionalKey(Schema.Natural)
  })
)
const encode = Schema.encodeSync(State)
const decode = Schema.decodeUnknownOption(State)

/** The processes of the cluster. */
export const layer = ({ role, shards }: ClusterSettings) =>
  Layer.effect(
    RunnerRegister,
    Effect.gen(function* () {
      const membership = yield* Membership
      const sharding = yield* Sharding
      let totals: { readonly permits: number; readonly capacity: number } | undefined

      const entryOf = ({ name, role, state, version }: Member): ReadonlyArray<RunnerEntry> => {
        const said = decode(state)
        // One that has just started has not said anything yet.
        return said._tag === "None" ? [] : [{ ...said.value, name, role, version }]
      }
      return {
        role,
        totals: () => totals,
        exchange: Effect.fnUntraced(function* (own) {
          const state = encode({ ...own, shards: shardsHere(sharding, shards).size })
          const entries = (yield* membership.exchange(state)).flatMap(entryOf)
          totals = {
            permits: entries.reduce((sum, { permits }) => sum + permits, 0),
            capacity: entries.reduce((sum, { capacity }) => sum + capacity, 0)
          }
          return entries
        })
      }
    })
  )
