import { Duration, Effect, Schedule } from "effect"
import { FairQueue } from "../src/actors/scheduling/FairQueue.ts"
import { Shares } from "../src/actors/scheduling/FairShares.ts"
import { TenantDirectory } from "../src/actors/tenant/TenantDirectory.ts"
import { TenantMessage } from "../src/actors/tenant/TenantProtocol.ts"
import * as Engine from "../src/layers/Engine.ts"
import { tenantOf } from "./load.ts"
import type { Report } from "./material.ts"

const tenants = 5_000
const turns = 200_000
const tenantIdle = Duration.seconds(3)

/** Nanoseconds per turn: asked for, taken, charged and settled, when so many tenants have so many turns waiting. */
const turnNanos = (active: number, depth: number): number => {
  const shares = new Shares()
  const queue = new FairQueue<number>(shares)
  const ids = Array.from({ length: tenants }, (_, index) => tenantOf(`tenant-${index}`))
  for (let place = 0; place < depth; place++) {
    for (let index = 0; index < active; index++)
      queue.add({ tenant: ids[index] ?? tenantOf("none"), priority: 5 }, index)
  }
  const step = (count: number) => {
    for (let turn = 0; turn < count; turn++) {
      const index = queue.take() ?? 0
      const tenant = ids[index] ?? tenantOf("none")
      shares.charge(tenant, 64)
      shares.settle(tenant, 64, 40 + (turn % 50))
      queue.add({ tenant, priority: 5 }, index)
    }
  }
  step(turns / 10)
  const start = performance.now()
  step(turns)
  return ((performance.now() - start) * 1e6) / turns
}

/** Accounts that are remembered after so many tenants have come, had one turn, and gone. */
const accountsAfter = (visitors: number): number => {
  const shares = new Shares()
  const queue = new FairQueue<number>(shares)
  queue.add({ tenant: tenantOf("stays"), priority: 5 }, 0)
  for (let visitor = 0; visitor < visitors; visitor++) {
    const tenant = tenantOf(`visitor-${visitor}`)
    queue.add({ tenant, priority: 5 }, visitor)
    for (let turn = 0; turn < 2; turn++) {
      const served = queue.next() ?? tenant
      queue.take()
      shares.charge(served, 64)
      shares.settle(served, 64, 60)
      if (served !== tenant) queue.add({ tenant: served, priority: 5 }, 0)
    }
  }
  return shares.accounts
}

/** Starts the actors of 5,000 tenants that have no work, and sees them go. */
const actors = Effect.gen(function* () {
  const directory = yield* TenantDirectory
  const heap = () => process.memoryUsage().heapUsed
  const before = heap()
  for (let index = 0; index < tenants; index++) {
    yield* directory.tell(tenantOf(`idle-${index}`), TenantMessage.cases.Wake.make({}))
  }
  const alive = yield* directory.active
  const each = (heap() - before) / tenants
  const [took] = yield* Effect.timed(
    Effect.repeat(directory.active, { schedule: Schedule.spaced("50 millis"), until: (active) => active === 0 })
  )
  return { alive, each, seconds: Duration.toSeconds(took) }
}).pipe(Effect.provide(Engine.layerMemory({ workers: 1, limits: { tenantIdle } })))

/** What fairness costs: the queue for turns with 5,000 tenants, its memory, and actors with nothing to do. */
export const scheduler = (rounds: number) =>
  Effect.gen(function* () {
    const repeat = (active: number, depth: number) => Array.from({ length: rounds }, () => turnNanos(active, depth))
    const passing = yield* actors
    const report: Report = [
      { name: "turn, 8 of 5,000 tenants wait", unit: "ns", figures: repeat(8, 1) },
      { name: "turn, all of 5,000 wait", unit: "ns", figures: repeat(tenants, 1) },
      { name: "turn, all wait with 100 turns each", unit: "ns", figures: repeat(tenants, 100) },
      { name: "accounts after 5,000 visitors", unit: "accounts", figures: [accountsAfter(5_000)] },
      { name: "accounts after 500,000 visitors", unit: "accounts", figures: [accountsAfter(500_000)] },
      { name: "actors alive, told to look for work", unit: "actors", figures: [passing.alive] },
      { name: "heap of an actor, rubbish included", unit: "kB", figures: [passing.each / 1000] },
      {
        name: `until none is alive, idle time of ${Duration.format(tenantIdle)}`,
        unit: "s",
        figures: [passing.seconds]
      }
    ]
    return report
  })
