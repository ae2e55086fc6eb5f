import type { Context } from "effect"
import { Effect } from "effect"
import * as EntityId from "effect/cluster/EntityId"
import * as ShardId from "effect/cluster/ShardId"
import type { Sharding } from "effect/cluster/Sharding"
import type { TenantDirectory } from "../../actors/tenant/TenantDirectory.ts"
import type { TenantId } from "../../domain/Ids.ts"
import type { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import type { Residents } from "./TenantEntity.ts"

/** The group of all shards. */
const group = "default"

/** The shards that this runner has at the moment, out of so many. */
export const shardsHere = (sharding: Context.Service.Shape<typeof Sharding>, count: number): ReadonlySet<number> => {
  const here = new Set<number>()
  for (let number = 1; number <= count; number++) if (sharding.hasShardId(ShardId.make(group, number))) here.add(number)
  return here
}

/**
 * Messages start actors, and nothing else does: when a tenant comes to another runner, whether it was handed over or its runner has
 * died, its actor stays away until there is a message for it. So each runner looks what shards it has got, and wakes their tenants
 * that have work. It does the same for tenants whose actor was stopped here.
 *
 * To be run again and again. Nothing is asked of the store while all stays as it is.
 */
export const makeShardWatch = (options: {
  readonly queue: Context.Service.Shape<typeof DocumentQueue>
  readonly residents: Residents
  readonly sharding: Context.Service.Shape<typeof Sharding>
  readonly shards: number
  readonly tell: TenantDirectory["Service"]["tell"]
}) => {
  const { queue, residents, shards, sharding, tell } = options
  /** Shards whose tenants have been woken since this runner has them. */
  let looked: ReadonlySet<number> = new Set()
  /** Tenants whose actor was stopped here, to be looked at. */
  const stopped = new Set<TenantId>()

  return Effect.gen(function* () {
    const here = shardsHere(sharding, shards)
    const fresh = new Set([...here].filter((shard) => !looked.has(shard)))
    for (const tenant of residents.takeStopped()) stopped.add(tenant)
    if (fresh.size === 0 && stopped.size === 0) {
      looked = here
      return
    }
    const found = new Set([...(yield* queue.tenantsWithQueued), ...(yield* queue.tenantsWithRunning)])
    for (const tenant of found) {
      const { id } = sharding.getShardId(EntityId.make(tenant), group)
      if (fresh.has(id) || stopped.has(tenant)) yield* tell(tenant, { _tag: "Wake" })
    }
    // Not before the store has answered: a pass that fails is repeated.
    looked = here
    stopped.clear()
  })
}
