import { Layer } from "effect"
import { requireOneEffect } from "../domain/EffectCopy.ts"
import { Webhooks } from "./webhooks/Webhooks.ts"
import * as BlobCollection from "./upkeep/BlobCollection.ts"
import { BytesInFlight } from "./admission/BytesInFlight.ts"
import { RunnerReports } from "./upkeep/RunnerReports.ts"
import { Shutdown } from "./upkeep/Shutdown.ts"
import { RetryAfterEstimator } from "./admission/retryAfter/RetryAfterEstimator.ts"
import { FairShares } from "./scheduling/FairShares.ts"
import { GlobalGate } from "./gates/GlobalGate.ts"
import * as IndexSweep from "./search/IndexSweep.ts"
import * as IngestionLive from "./IngestionLive.ts"
import * as LimitsRefresh from "./upkeep/LimitsRefresh.ts"
import * as LeaseRenewal from "./upkeep/LeaseRenewal.ts"
import { PageScheduler } from "./scheduling/PageScheduler.ts"
import * as Retention from "./upkeep/Retention.ts"
import { RateLimits } from "./admission/RateLimits.ts"
import { RetryTracker } from "./retries/RetryTracker.ts"
import { Runner } from "./tenant/Runner.ts"
import * as DownstreamsLive from "./downstreams/DownstreamsLive.ts"
import { UsageRecorder } from "./usage/UsageRecorder.ts"
import { UsageStore } from "../services/downstreams/UsageStore.ts"
import { UsageMeter } from "./scheduling/UsageMeter.ts"
import { RunTimeBudgets } from "./document/RunTimeBudget.ts"
import { InFlightSubmissions } from "./admission/InFlightSubmissions.ts"
import { StagePlaces } from "./stages/StagePlaces.ts"
import { StageWaits } from "./stages/StageWaits.ts"
import * as QueueUpkeep from "./upkeep/QueueUpkeep.ts"
import { TenantDirectory } from "./tenant/TenantDirectory.ts"
import { WaitEstimator } from "./estimates/WaitEstimator.ts"
import { CostModel } from "./estimates/CostModel.ts"

/** The record of usage, for those who ask what was used. */
const layerUsage = Layer.effect(UsageStore, UsageStore)

/**
 * The engine without the scheduling between tenants: the actors and the background loops. Release first drains the engine,
 * then stops the loops, then stops the tenant actors. Documents that still run then go back to their queues with their
 * finished pages.
 *
 * `pipelines` provides `Pipelines` where stages need the downstreams to be made; otherwise they are given from outside.
 */
export const layerNoSchedulingOver = <E, R, E2 = never, R2 = never>(
  directory: Layer.Layer<TenantDirectory, E, R>,
  pipelines: Layer.Layer<never, E2, R2> = Layer.empty
) =>
  Shutdown.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        IngestionLive.layer,
        Webhooks.layerNoDeps,
        QueueUpkeep.layer,
        LeaseRenewal.layer,
        LimitsRefresh.layer,
        BlobCollection.layer,
        Retention.layer,
        IndexSweep.layer,
        layerUsage
      )
    ),
    Layer.provideMerge(RunnerReports.layer),
    Layer.provideMerge(directory),
    Layer.provideMerge(pipelines),
    // The stages of documents call them, so they end after the documents' runs.
    Layer.provideMerge(DownstreamsLive.layer),
    Layer.provideMerge(UsageRecorder.layer),
    Layer.provideMerge(InFlightSubmissions.layer),
    Layer.provide([RetryAfterEstimator.layer, RateLimits.layer, BytesInFlight.layer]),
    Layer.provide([Runner.layer, RetryTracker.layer, RunTimeBudgets.layer, WaitEstimator.layer]),
    Layer.provide([UsageMeter.layer, CostModel.layer, StageWaits.layer, StagePlaces.layer])
  )

/** The same with the actors in this process. */
export const layerNoScheduling = layerNoSchedulingOver(TenantDirectory.layer)

/** The default scheduling: tenants share the workers' time and the global permits fairly. */
export const layerFair = Layer.merge(PageScheduler.layer, GlobalGate.layer).pipe(Layer.provideMerge(FairShares.layer))

/** The same with another scheduling, which may read elsewhere, too. */
export const layerScheduledOver = <E, R, A, E2, R2, E3 = never, R3 = never>(
  directory: Layer.Layer<TenantDirectory, E, R>,
  scheduling: Layer.Layer<A | Layer.Success<typeof layerFair>, E2, R2>,
  pipelines: Layer.Layer<never, E3, R3> = Layer.empty
) =>
  layerNoSchedulingOver(directory, pipelines).pipe(
    Layer.provide(scheduling),
    Layer.provide(Layer.effectDiscard(requireOneEffect))
  )

/** The engine with its actors where the directory has them. */
export const layerOver = <E, R, E2 = never, R2 = never>(
  directory: Layer.Layer<TenantDirectory, E, R>,
  pipelines: Layer.Layer<never, E2, R2> = Layer.empty
) => layerScheduledOver(directory, layerFair, pipelines)

export const layer = layerOver(TenantDirectory.layer)
