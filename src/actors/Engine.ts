import { Layer } from "effect"
import { requireOneEffect } from "../domain/EffectCopy.ts"
import { Webhooks } from "./webhooks/Webhooks.ts"
import * as BlobSweeper from "./upkeep/BlobCollection.ts"
import { BytesInFlight } from "./admission/BytesInFlight.ts"
import { Drain } from "./upkeep/Shutdown.ts"
import { Drainage } from "./admission/retryAfter/RetryAfterEstimator.ts"
import { FairShares } from "./scheduling/FairShares.ts"
import { GlobalGate } from "./gates/GlobalGate.ts"
import * as IngestionEngine from "./IngestionLive.ts"
import * as LeaseKeeper from "./upkeep/LeaseRenewal.ts"
import { PageScheduler } from "./scheduling/PageScheduler.ts"
import * as RetentionSweeper from "./upkeep/Retention.ts"
import { RateLimits } from "./admission/RateLimits.ts"
import { Retries } from "./upkeep/RetryTracker.ts"
import { Runner } from "./tenant/Runner.ts"
import { ShareMeter } from "./scheduling/UsageMeter.ts"
import { Stopwatches } from "./document/RunTimeBudget.ts"
import { Submissions } from "./admission/InFlightSubmissions.ts"
import * as Sweeper from "./upkeep/QueueUpkeep.ts"
import { TenantDirectory } from "./tenant/TenantDirectory.ts"
import { WaitEstimator } from "./estimates/WaitEstimator.ts"
import { WorkCosts } from "./estimates/CostModel.ts"

/**
 * The engine over its services but for the scheduling between tenants: the actors, and the loops that keep them honest. Releasing it drains first, then stops
 * the loops, then the tenants with whatever documents still run, which go back to their queues with their finished pages.
 */
export const layerNoScheduling = Drain.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      IngestionEngine.layer,
      Webhooks.layerNoDeps,
      Sweeper.layer,
      LeaseKeeper.layer,
      BlobSweeper.layer,
      RetentionSweeper.layer
    )
  ),
  Layer.provideMerge(TenantDirectory.layer),
  Layer.provideMerge(Submissions.layer),
  Layer.provide([Drainage.layer, RateLimits.layer, BytesInFlight.layer]),
  Layer.provide([Runner.layer, Retries.layer, Stopwatches.layer, WaitEstimator.layer]),
  Layer.provide([ShareMeter.layer, WorkCosts.layer])
)

/** Who gets the workers' time, and permits to open documents: by default fairly. */
export const layerFair = Layer.merge(PageScheduler.layer, GlobalGate.layer).pipe(Layer.provideMerge(FairShares.layer))

export const layer = layerNoScheduling.pipe(
  Layer.provide(layerFair),
  Layer.provide(Layer.effectDiscard(requireOneEffect))
)
