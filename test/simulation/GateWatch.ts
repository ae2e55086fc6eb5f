import { Clock, Context, Effect, Layer } from "effect"
import { GlobalGate } from "../../src/actors/gates/GlobalGate.ts"
import { PageScheduler } from "../../src/actors/scheduling/PageScheduler.ts"
import type { GlobalPermit } from "../../src/actors/gates/Preemption.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import type { History } from "./History.ts"

/** The permit of the global gate that the document at hand runs under. */
export const CurrentPermit = Context.Reference<GlobalPermit | undefined>("simulation/CurrentPermit", {
  defaultValue: () => undefined
})

/** When the range at hand had the permits of its page gate, and began to wait for its turn. */
export const PagePermitsSince = Context.Reference<number | undefined>("simulation/PagePermitsSince", {
  defaultValue: () => undefined
})

/** The gate as it is, with a look at who waits when a permit is requested. */
const watchGate = (gate: Context.Service.Shape<typeof GlobalGate>, history: History) => {
  const waiting = new Set<{ readonly tenant: TenantId }>()
  const requested = ({ tenant }: GlobalPermit) => {
    history.note(`${tenant} is asked for a permit`)
    if (![...waiting].some((other) => other.tenant !== tenant)) {
      history.violate(
        "no document gives way to nobody",
        `${tenant} is asked for a permit that no other tenant waits for`
      )
    }
  }
  return GlobalGate.of({
    ...gate,
    run: (tenant, idle) => (work) =>
      Effect.suspend(() => {
        const waiter = { tenant }
        waiting.add(waiter)
        const given = (permit: GlobalPermit) =>
          Effect.suspend(() => {
            waiting.delete(waiter)
            const unwatch = permit.onRequest(() => requested(permit))
            return work(permit).pipe(
              Effect.provideService(CurrentPermit, permit),
              Effect.ensuring(Effect.sync(unwatch))
            )
          })
        return Effect.ensuring(
          gate.run(tenant, idle)(given),
          Effect.sync(() => waiting.delete(waiter))
        )
      })
  })
}

const watchScheduler = (scheduler: Context.Service.Shape<typeof PageScheduler>) =>
  PageScheduler.of({
    ...scheduler,
    run: (turn) => (work) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        scheduler.run(turn)(Effect.provideService(work, PagePermitsSince, now))
      )
  })

/** The scheduling between tenants, watched. */
export const watched = <A, E, R>(scheduling: Layer.Layer<A | GlobalGate | PageScheduler, E, R>, history: History) =>
  Layer.mergeAll(
    Layer.effect(
      GlobalGate,
      Effect.map(GlobalGate, (gate) => watchGate(gate, history))
    ),
    Layer.effect(PageScheduler, Effect.map(PageScheduler, watchScheduler))
  ).pipe(Layer.provideMerge(scheduling))
