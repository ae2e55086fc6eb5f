import { type Context, Duration, Effect, Layer, Option, Stream } from "effect"
import type * as Engine from "../../src/actors/Engine.ts"
import { FairShares, type Shares } from "../../src/actors/scheduling/FairShares.ts"
import { GlobalGate } from "../../src/actors/gates/GlobalGate.ts"
import { PageScheduler } from "../../src/actors/scheduling/PageScheduler.ts"
import { TurnLedger } from "../../src/actors/turns/TurnLedger.ts"
import type { News } from "../../src/actors/turns/TurnsProtocol.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import type { TenantLimits } from "../../src/domain/tenant/TenantLimits.ts"
import type { Claim } from "../../src/services/store/Claim.ts"
import type { TenantRegistry } from "../../src/services/TenantRegistry.ts"
import type { Reader } from "./SimulatedEngine.ts"
import type { Blobs, References } from "./SimulatedStore.ts"
import type { Store } from "../support/store.ts"

/** A bug put in on purpose, to see whether the simulation finds it. */
export interface Plant {
  readonly store?: (store: Store) => Store
  readonly references?: (references: References) => References
  readonly reader?: (reader: Reader) => Reader
  readonly blobs?: (blobs: Blobs) => Blobs
  readonly registry?: (registry: Registry) => Registry
  readonly scheduling?: typeof Engine.layerFair
  /** What gives turns of all runners. */
  readonly ledger?: (shares: Shares, now: number) => TurnLedger
}

type Registry = Context.Service.Shape<typeof TenantRegistry>
type Gate = Context.Service.Shape<typeof GlobalGate>

/** Fair scheduling with another scheduler of pages. */
const schedulerAs = (scheduler: typeof PageScheduler.layer): Plant => ({
  scheduling: Layer.merge(scheduler, GlobalGate.layer).pipe(Layer.provideMerge(FairShares.layer))
})

/** Fair scheduling with another global gate. */
const gateAs = (change: (gate: Gate) => Gate): Plant => ({
  scheduling: Layer.merge(
    PageScheduler.layer,
    Layer.effect(GlobalGate, Effect.map(GlobalGate, change)).pipe(Layer.provide(GlobalGate.layer))
  ).pipe(Layer.provideMerge(FairShares.layer))
})

const savePagesWithoutFence: Plant = {
  store: (store) => ({
    ...store,
    savePages: (fence, pages) => Effect.catchTag(store.savePages(fence, pages), "LeaseLost", () => Effect.void)
  })
}

const savesArtifactsWithoutFence: Plant = {
  store: (store) => ({
    ...store,
    saveArtifacts: (fence, artifacts, pages) =>
      Effect.catchTag(store.saveArtifacts(fence, artifacts, pages), "LeaseLost", () => Effect.void)
  })
}

/** A run knows nothing of what earlier runs have made, so its stages are run again. */
const forgetsArtifacts: Plant = {
  store: (store) => ({
    ...store,
    claim: (tenant, request, most) =>
      Effect.map(
        store.claim(tenant, request, most),
        Option.map((claim) => ({ ...claim, artifacts: [] }))
      )
  })
}

/** An artifact is told as saved, and is not. */
const losesArtifact: Plant = {
  store: (store) => {
    let artifacts = 0
    return {
      ...store,
      saveArtifacts: (fence, batch, pages) =>
        Effect.suspend(() =>
          store.saveArtifacts(
            fence,
            batch.filter(() => ++artifacts % 41 !== 0),
            pages
          )
        )
    }
  }
}

const finishWithoutFence: Plant = {
  store: (store) => {
    const tenants = new Map<string, TenantId>()
    return {
      ...store,
      claim: (tenant, lease, most) =>
        Effect.tap(store.claim(tenant, lease, most), (claim) =>
          Effect.sync(() => Option.map(claim, ({ fence }) => tenants.set(fence.documentId, tenant)))
        ),
      finish: (fence, outcome) =>
        Effect.catchTag(store.finish(fence, outcome), "LeaseLost", (lost) => {
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
      claim: Effect.fnUntraced(function* (tenant, lease, most) {
        const claim = yield* store.claim(tenant, lease, most)
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
    let pages = 0
    return {
      ...store,
      savePages: (fence, batch) =>
        Effect.suspend(() =>
          store.savePages(
            fence,
            batch.filter(() => ++pages % 97 !== 0)
          )
        )
    }
  }
}

const neverReclaims: Plant = { store: (store) => ({ ...store, reclaimExpired: Effect.succeed([]) }) }

const skipsPage: Plant = {
  reader: (reader) => ({
    ...reader,
    read: (pdf, pages, concurrency) => Stream.filter(reader.read(pdf, pages, concurrency), (page) => page.number !== 7)
  })
}

/** Every hundredth turn is given twice and comes back once. */
const leaksTurn = schedulerAs(
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

const ignoresWeights = schedulerAs(
  Layer.effect(
    PageScheduler,
    Effect.gen(function* () {
      const shares = yield* FairShares
      shares.setWeight = () => {}
      return yield* PageScheduler
    })
  ).pipe(Layer.provide(PageScheduler.layer))
)

/** Limits as somebody sees them who goes by what they were before, too. */
const remembering = (combine: (before: TenantLimits, now: TenantLimits) => TenantLimits): Plant => ({
  registry: (registry) => {
    const seen = new Map<TenantId, TenantLimits>()
    return {
      ...registry,
      limits: (tenant) =>
        Effect.map(registry.limits(tenant), (now) => {
          const combined = combine(seen.get(tenant) ?? now, now)
          seen.set(tenant, combined)
          return combined
        })
    }
  }
})

const keepsDocuments = remembering((before, now) => ({
  ...now,
  documents: Math.max(before.documents, now.documents)
}))
const keepsPages = remembering((before, now) => ({ ...now, pages: Math.max(before.pages, now.pages) }))
const raisesNothing = remembering((before, now) => ({ ...now, documents: Math.min(before.documents, now.documents) }))
const keepsBacklog = remembering((before, now) => ({ ...now, backlog: Math.max(before.backlog, now.backlog) }))
const ignoresRates = remembering((_, now) => ({ ...now, rate: undefined }))

const startsThePaused: Plant = { store: (store) => ({ ...store, setPaused: () => Effect.void }) }

const overfillsBacklog: Plant = {
  store: (store) => ({
    ...store,
    stats: (tenant) => Effect.map(store.stats(tenant), (stats) => ({ ...stats, waiting: 0 })),
    accept: (document, { global }) => store.accept(document, { global, tenant: 1_000_000 })
  })
}

/** A permit is requested before anything was read under it. */
const asksTooEarly = gateAs((gate) => ({
  ...gate,
  run: (tenant, idle) => (work) =>
    gate.run(
      tenant,
      idle
    )((permit) => {
      permit.rangeRead()
      return work(permit)
    })
}))

/** Every permit is requested after half a second, if something was read under it. */
const asksForNobody = gateAs((gate) => ({
  ...gate,
  run: (tenant, idle) => (work) =>
    gate.run(
      tenant,
      idle
    )((permit) =>
      Effect.raceFirst(
        work(permit),
        Effect.andThen(
          Effect.delay(
            Effect.sync(() => {
              if (permit.mayBeRequested) permit.request()
            }),
            500
          ),
          Effect.never
        )
      )
    )
}))

/** To it, whoever is ahead at all is far ahead. */
const impatient: Plant = {
  scheduling: Layer.merge(
    PageScheduler.layer,
    GlobalGate.layer.pipe(
      Layer.provide(
        Layer.effect(
          FairShares,
          Effect.map(
            FairShares,
            (shares) =>
              new Proxy(shares, {
                get: (target, name) => {
                  if (name === "farAheadOf") return (tenant: TenantId) => target.virtualTime(tenant)
                  const value: unknown = Reflect.get(target, name, target)
                  return typeof value === "function" ? value.bind(target) : value
                }
              })
          )
        )
      )
    )
  ).pipe(Layer.provideMerge(FairShares.layer))
}

const withdrawsNothing: Plant = {
  store: (store) => ({ ...store, withdraw: () => Effect.succeedNone })
}

const expiresNothing: Plant = { store: (store) => ({ ...store, expireQueued: () => Effect.succeed([]) }) }

/** Also what has run already. */
const expiresTooEarly: Plant = {
  store: (store) => ({
    ...store,
    expireQueued: (waitedLongerThan, limit) =>
      store.expireQueued(Duration.subtract(waitedLongerThan, Duration.millis(1_500)), limit)
  })
}

const removesNothing: Plant = { store: (store) => ({ ...store, removeEnded: () => Effect.succeed([]) }) }

const removesTooEarly: Plant = {
  store: (store) => ({
    ...store,
    removeEnded: (endedLongerAgo, limit) =>
      store.removeEnded(Duration.subtract(endedLongerAgo, Duration.seconds(60)), limit)
  })
}

const keepsBlobs: Plant = { blobs: (blobs) => ({ ...blobs, remove: () => Effect.void }) }

const forgetsFetched: Plant = { store: (store) => ({ ...store, fetched: () => Effect.void }) }

/** What protects bytes is known to the process that uploads them, and to no other. */
const protectsOwnUploadsOnly: Plant = {
  references: (references) => ({ ...references, reserve: (hash) => Effect.succeed({ id: "none", hash }) }),
  store: (store) => ({
    ...store,
    accept: (document, limits) => store.accept({ ...document, reference: undefined }, limits),
    fetched: (fence, blob) => store.fetched(fence, blob)
  })
}

const neverRefreshes: Plant = { registry: (registry) => ({ ...registry, refresh: Effect.succeed([]) }) }

/** As if each process counted its own documents only. */
const doublesLimits: Plant = { store: (store) => ({ ...store, claim: (tenant, lease) => store.claim(tenant, lease) }) }

/** What a runner says is taken again when it is repeated, and when it comes too late. */
class WithoutFence extends TurnLedger {
  #number = 0
  override hear(news: News, now: number): boolean {
    return super.hear({ ...news, isComplete: true, held: [...news.held], number: ++this.#number }, now)
  }
}

/** Each pool has a worker that is given twice. */
class GivesTwice extends TurnLedger {
  override hear(news: News, now: number): boolean {
    return super.hear({ ...news, ready: news.ready === 0 ? 0 : news.ready + 1 }, now)
  }
}

/** Every thirtieth time nothing is known of what was asked for. */
class LosesOffers extends TurnLedger {
  #times = 0
  override hear(news: News, now: number): boolean {
    const isLost = news.asked.length > 0 && !news.isComplete && ++this.#times % 30 === 0
    return super.hear(isLost ? { ...news, asked: [] } : news, now)
  }
}

/** It never takes a runner for dead. */
class NeverGivesUp extends TurnLedger {
  override tick(): void {}
}

export const plants = {
  "turns of runners without a fence": { ledger: (shares, now) => new WithoutFence(shares, now) },
  "a turn that is given twice": { ledger: (shares, now) => new GivesTwice(shares, now) },
  "an offer that is lost": { ledger: (shares, now) => new LosesOffers(shares, now) },
  "a dead runner that keeps its turns": { ledger: (shares, now) => new NeverGivesUp(shares, now) },
  "a store that forgets the fence when it saves a page": savePagesWithoutFence,
  "a store that forgets the fence when it saves artifacts": savesArtifactsWithoutFence,
  "a store whose claim forgets artifacts": forgetsArtifacts,
  "a store that loses an artifact": losesArtifact,
  "a store that forgets the fence when it finishes a document": finishWithoutFence,
  "a store whose claim ignores the lease": claimIgnoresLease,
  "a store that loses a page": losesPage,
  "a store that never reclaims an expired lease": neverReclaims,
  "a scheduler that leaks a turn": leaksTurn,
  "a scheduler that ignores the weights": ignoresWeights,
  "a reader that skips a page": skipsPage,
  "a registry whose lowered limits on documents do not count": keepsDocuments,
  "a registry whose lowered limits on pages do not count": keepsPages,
  "a registry whose raised limits do not count": raisesNothing,
  "a registry whose lowered backlogs do not count": keepsBacklog,
  "a registry whose rates do not count": ignoresRates,
  "a store that starts what is paused": startsThePaused,
  "a store that accepts beyond the backlog": overfillsBacklog,
  "a gate that wants its permits back too early": asksTooEarly,
  "a gate that wants its permits back for nobody": asksForNobody,
  "a gate that bears no lead": impatient,
  "a store that takes nothing back": withdrawsNothing,
  "a store where nothing expires": expiresNothing,
  "a store where documents expire too early": expiresTooEarly,
  "a store that never removes what has ended": removesNothing,
  "a store that removes too early": removesTooEarly,
  "blobs that are never removed": keepsBlobs,
  "a store that forgets what was fetched": forgetsFetched,
  "a store without references to blobs": protectsOwnUploadsOnly,
  "a registry that is never refreshed": neverRefreshes,
  "a store that counts the documents of each process for itself": doublesLimits
} as const satisfies Record<string, Plant>
export type PlantName = keyof typeof plants
