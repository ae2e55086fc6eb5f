import { Layer } from "effect"
import { requireOneEffect } from "../domain/EffectCopy.ts"
import { Webhooks } from "../services/Webhooks.ts"
import * as BlobSweeper from "./BlobSweeper.ts"
import { BytesInFlight } from "./BytesInFlight.ts"
import { Drain } from "./Drain.ts"
import { Drainage } from "./Drainage.ts"
import { FairShares } from "./FairShares.ts"
import { GlobalGate } from "./GlobalGate.ts"
import * as IngestionEngine from "./IngestionEngine.ts"
import * as LeaseKeeper from "./LeaseKeeper.ts"
import { PageScheduler } from "./PageScheduler.ts"
import * as RetentionSweeper from "./RetentionSweeper.ts"
import { RateLimits } from "./RateLimits.ts"
import { Retries } from "./Retries.ts"
import { Runner } from "./Runner.ts"
import { ShareMeter } from "./ShareMeter.ts"
import { Stopwatches } from "./Stopwatch.ts"
import { Submissions } from "./Submissions.ts"
import * as Sweeper from "./Sweeper.ts"
import { TenantDirectory } from "./TenantDirectory.ts"
import { WaitEstimator } from "./WaitEstimator.ts"
import { WorkCosts } from "./WorkCosts.ts"

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
