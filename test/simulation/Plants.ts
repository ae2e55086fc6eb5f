import { Effect, Layer, Option, Stream } from "effect"
import * as Engine from "../../src/actors/Engine.ts"
import { FairShares } from "../../src/actors/FairShares.ts"
import { GlobalGate } from "../../src/actors/GlobalGate.ts"
import { PageScheduler } from "../../src/actors/PageScheduler.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import type { Claim } from "../../src/services/DocumentStore.ts"
import type { Reader } from "./SimulatedEngine.ts"
import type { Store } from "./SimulatedStore.ts"

/** A bug put in on purpose, to see whether the simulation finds it. */
export interface Plant {
  readonly store?: (store: Store) => Store
  readonly reader?: (reader: Reader) => Reader
  readonly engine?: typeof Engine.layer
}

/** The engine with another scheduler of pages. */
const engineWith = (scheduler: typeof PageScheduler.layer) =>
  Engine.layerNoScheduling.pipe(
    Layer.provide(scheduler),
    Layer.provide(GlobalGate.layer),
    Layer.provide(FairShares.layer)
  )

const savePageWithoutFence: Plant = {
  store: (store) => ({
    ...store,
    savePage: (fence, page) => Effect.catchTag(store.savePage(fence, page), "LeaseLost", () => Effect.void)
  })
}

const finishWithoutFence: Plant = {
  store: (store) => {
    const tenants = new Map<string, TenantId>()
    return {
      ...store,
      claim: (tenant, lease) =>
        Effect.tap(store.claim(tenant, lease), (claim) =>
          Effect.sync(() => Option.map(claim, ({ fence }) => tenants.set(fence.documentId, tenant)))
        ),
      finish: (fence, outcome, at) =>
        Effect.catchTag(store.finish(fence, outcome, at), "LeaseLost", (lost) => {
          const tenant = tenants.get(fence.documentId)
          if (tenant === undefined) return Effect.fail(lost)
          return Effect.catchTag(store.find(tenant, fence.documentId), "DocumentNotFound", () => Effect.fail(lost))
        })
    }
  }
}

const claimIgnoresLease: Plant = {
  store: (store) => {
    const last = new Map<TenantId, Claim>()
    return {
      ...store,
      claim: Effect.fnUntraced(function* (tenant, lease) {
        const claim = yield* store.claim(tenant, lease)
        if (Option.isSome(claim)) {
          last.set(tenant, claim.value)
          return claim
        }
        const earlier = last.get(tenant)
        last.delete(tenant)
        return Option.fromUndefinedOr(earlier)
      })
    }
  }
}

const losesPage: Plant = {
  store: (store) => {
    let saves = 0
    return {
      ...store,
      savePage: (fence, page) => Effect.suspend(() => (++saves % 97 === 0 ? Effect.void : store.savePage(fence, page)))
    }
  }
}

const neverReclaims: Plant = { store: (store) => ({ ...store, reclaimExpired: () => Effect.succeed([]) }) }

const skipsPage: Plant = {
  reader: (reader) => ({
    ...reader,
    read: (pdf, pages, concurrency) => Stream.filter(reader.read(pdf, pages, concurrency), (page) => page.number !== 7)
  })
}

/** Every hundredth turn is given twice and comes back once. */
const leaksTurn: Plant = {
  engine: engineWith(
    Layer.effect(
      PageScheduler,
      Effect.gen(function* () {
        const scheduler = yield* PageScheduler
        const scope = yield* Effect.scope
        let turns = 0
        return PageScheduler.of({
          ...scheduler,
          run: (turn) => (work) =>
            Effect.suspend(() =>
              ++turns % 100 === 0
                ? Effect.andThen(Effect.forkIn(scheduler.run(turn)(Effect.never), scope), scheduler.run(turn)(work))
                : scheduler.run(turn)(work)
            )
        })
      })
    ).pipe(Layer.provide(PageScheduler.layer))
  )
}

const ignoresWeights: Plant = {
  engine: engineWith(
    Layer.effect(
      PageScheduler,
      Effect.gen(function* () {
        const shares = yield* FairShares
        shares.setWeight = () => {}
        return yield* PageScheduler
      })
    ).pipe(Layer.provide(PageScheduler.layer))
  )
}

export const plants = {
  "a store that forgets the fence when it saves a page": savePageWithoutFence,
  "a store that forgets the fence when it finishes a document": finishWithoutFence,
  "a store whose claim ignores the lease": claimIgnoresLease,
  "a store that loses a page": losesPage,
  "a store that never reclaims an expired lease": neverReclaims,
  "a scheduler that leaks a turn": leaksTurn,
  "a scheduler that ignores the weights": ignoresWeights,
  "a reader that skips a page": skipsPage
} as const satisfies Record<string, Plant>
export type PlantName = keyof typeof plants
